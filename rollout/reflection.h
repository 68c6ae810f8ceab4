#pragma once
// Reflection words in a chain of thought, after DeepSeek-R1 (arXiv:2501.12948v2, C.2 and Fig. 9) and Dr. GRPO
// (arXiv:2503.20783, its keyword count). Turns, where one answer is dropped for another, are in reflection_turns.h.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rollout {

enum class WordList {
  kR1,      // the ten of DeepSeek-R1
  kDrGrpo,  // the fifteen of Dr. GRPO
  kExtra,   // of the run's settings
  kDrop,    // never counted; they only tell where a turn begins ("no", "try again")
};
constexpr std::string_view to_string(WordList list) {
  return list == WordList::kR1       ? "r1"
         : list == WordList::kDrGrpo ? "dr_grpo"
         : list == WordList::kExtra  ? "extra"
                                     : "drop";
}

// What a word does to the answer that stands before it; see find_turns().
enum class WordRole {
  kNeutral,    // "however"
  kVerify,     // "check": what follows tests the answer
  kDrop,       // "wait", "wrong": what follows may replace the answer
  kDropAlone,  // "no": as kDrop, unless a letter follows ("there is no other way")
};

struct ReflectionWord {
  std::string word;  // lower case; a blank stands for any run of white space
  WordList list;
  WordRole role;
};

struct WordEvent {
  size_t offset;  // of its first byte in the text
  int word;       // index into ReflectionWords::words()
  bool operator==(const WordEvent&) const = default;
};

// Finds words and phrases, ignoring ASCII case, in time linear in the text and independent of how many there are
// (Aho and Corasick, CACM 18(6), 1975). A match is a whole word: neither a letter, digit or underscore touches it, nor
// a hyphen with one behind it, so "check" is in "check: yes" and "check again", but not in "checked" or "double-check".
// Immutable, so threads may share one.
class ReflectionWords {
 public:
  // Both published lists and the drop words, then `extra`; a word that is there already is not added twice.
  // Throws Error for an extra word that is empty or longer than kMaxWordBytes.
  explicit ReflectionWords(const std::vector<std::string>& extra = {});

  static constexpr size_t kMaxWordBytes = 60;

  const std::vector<ReflectionWord>& words() const { return words_; }

  // By offset, of every list, overlapping matches included ("check" and "check again").
  std::vector<WordEvent> find(std::string_view text) const;

 private:
  struct Node {
    int word = -1;       // that ends here
    int fallback = 0;    // longest proper suffix that is a node
    int next_match = 0;  // nearest node on the fallback chain at which a word ends; 0 is none
  };
  void link();
  int child(int node, uint8_t symbol) const { return children_[static_cast<size_t>(node) * num_symbols_ + symbol]; }
  int& child(int node, uint8_t symbol) { return children_[static_cast<size_t>(node) * num_symbols_ + symbol]; }

  std::vector<ReflectionWord> words_;
  uint8_t symbols_[256] = {};  // of a byte; 0 is every byte that no word holds
  int num_symbols_ = 1;
  std::vector<Node> nodes_;
  std::vector<int> children_;  // [node, symbol]
};

}  // namespace r1::rollout
