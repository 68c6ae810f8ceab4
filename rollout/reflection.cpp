#include "rollout/reflection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace r1::rollout {
namespace {

struct KnownWord {
  std::string_view word;
  WordList list;
  WordRole role;
};

constexpr KnownWord kKnownWords[] = {
    {"wait", WordList::kR1, WordRole::kDrop},
    {"mistake", WordList::kR1, WordRole::kDrop},
    {"however", WordList::kR1, WordRole::kNeutral},
    {"but", WordList::kR1, WordRole::kNeutral},
    {"retry", WordList::kR1, WordRole::kDrop},
    {"error", WordList::kR1, WordRole::kDrop},
    {"verify", WordList::kR1, WordRole::kVerify},
    {"wrong", WordList::kR1, WordRole::kDrop},
    {"evaluate", WordList::kR1, WordRole::kVerify},
    {"check", WordList::kR1, WordRole::kVerify},

    {"recheck", WordList::kDrGrpo, WordRole::kVerify},
    {"rethink", WordList::kDrGrpo, WordRole::kDrop},
    {"reassess", WordList::kDrGrpo, WordRole::kVerify},
    {"reevaluate", WordList::kDrGrpo, WordRole::kVerify},
    {"re-evaluate", WordList::kDrGrpo, WordRole::kVerify},
    {"reevaluation", WordList::kDrGrpo, WordRole::kVerify},
    {"re-examine", WordList::kDrGrpo, WordRole::kVerify},
    {"reexamine", WordList::kDrGrpo, WordRole::kVerify},
    {"reconsider", WordList::kDrGrpo, WordRole::kDrop},
    {"reanalyze", WordList::kDrGrpo, WordRole::kVerify},
    {"double-check", WordList::kDrGrpo, WordRole::kVerify},
    {"check again", WordList::kDrGrpo, WordRole::kVerify},
    {"think again", WordList::kDrGrpo, WordRole::kDrop},
    {"verify again", WordList::kDrGrpo, WordRole::kVerify},
    {"go over the steps", WordList::kDrGrpo, WordRole::kVerify},

    {"no", WordList::kDrop, WordRole::kDropAlone},
    {"no wait", WordList::kDrop, WordRole::kDrop},
    {"no that", WordList::kDrop, WordRole::kDrop},
    {"nope", WordList::kDrop, WordRole::kDrop},
    {"not right", WordList::kDrop, WordRole::kDrop},
    {"not correct", WordList::kDrop, WordRole::kDrop},
    {"incorrect", WordList::kDrop, WordRole::kDrop},
    {"doesn't work", WordList::kDrop, WordRole::kDrop},
    {"does not work", WordList::kDrop, WordRole::kDrop},
    {"try again", WordList::kDrop, WordRole::kDrop},
    {"try another", WordList::kDrop, WordRole::kDrop},
    {"scratch that", WordList::kDrop, WordRole::kDrop},
    {"oops", WordList::kDrop, WordRole::kDrop},
    {"hmm", WordList::kDrop, WordRole::kDrop},
    {"actually", WordList::kDrop, WordRole::kDrop},
    {"instead", WordList::kDrop, WordRole::kDrop},
    {"too big", WordList::kDrop, WordRole::kDrop},
    {"too large", WordList::kDrop, WordRole::kDrop},
    {"too high", WordList::kDrop, WordRole::kDrop},
    {"too small", WordList::kDrop, WordRole::kDrop},
    {"too low", WordList::kDrop, WordRole::kDrop},
};

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char fold(char c) { return is_blank(c) ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_word_char(char c) { return (c >= '0' && c <= '9') || (fold(c) >= 'a' && fold(c) <= 'z') || c == '_'; }

// White space runs become one blank, upper case lower.
std::string normalize(std::string_view word) {
  std::string result;
  for (const char c : word) {
    if (is_blank(c) && (result.empty() || result.back() == ' ')) continue;
    result += fold(c);
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

// Whether the word [begin, end) of `text` goes on to the left or to the right. Writing systems without blanks between
// words have no such thing: only an edge that is an ASCII word character can go on.
bool goes_on_left(std::string_view text, size_t begin) {
  if (begin == 0 || !is_word_char(text[begin])) return false;
  const char before = text[begin - 1];
  return is_word_char(before) || (before == '-' && begin >= 2 && is_word_char(text[begin - 2]));
}
bool goes_on_right(std::string_view text, size_t end) {
  if (end >= text.size() || !is_word_char(text[end - 1])) return false;
  const char after = text[end];
  return is_word_char(after) || (after == '-' && end + 1 < text.size() && is_word_char(text[end + 1]));
}

}  // namespace

ReflectionWords::ReflectionWords(const std::vector<std::string>& extra) {
  for (const auto& known : kKnownWords) words_.push_back({std::string(known.word), known.list, known.role});
  for (const auto& word : extra) {
    const auto normal = normalize(word);
    if (normal.empty() || normal.size() > kMaxWordBytes) {
      throw Error(
          "reflection words",
          fmt::format("'{}' has {} bytes; a word has 1 to {}", word.substr(0, 80), normal.size(), kMaxWordBytes),
          "list single words or short phrases");
    }
    const auto is_same = [&](const ReflectionWord& w) { return w.word == normal; };
    if (std::none_of(words_.begin(), words_.end(), is_same))
      words_.push_back({normal, WordList::kExtra, WordRole::kNeutral});
  }
  for (const auto& entry : words_) {
    for (const char c : entry.word) {
      auto& symbol = symbols_[static_cast<uint8_t>(c)];
      if (symbol == 0) symbol = static_cast<uint8_t>(num_symbols_++);
    }
  }
  for (int c = 'A'; c <= 'Z'; ++c) symbols_[c] = symbols_[c | 0x20];
  for (int c = '\t'; c <= '\r'; ++c) symbols_[c] = symbols_[static_cast<uint8_t>(' ')];
  link();
}

void ReflectionWords::link() {
  nodes_.resize(1);
  children_.assign(static_cast<size_t>(num_symbols_), 0);
  for (size_t word = 0; word < words_.size(); ++word) {
    int node = 0;
    for (const char c : words_[word].word) {
      const auto symbol = symbols_[static_cast<uint8_t>(c)];
      if (child(node, symbol) == 0) {
        nodes_.emplace_back();
        children_.resize(nodes_.size() * static_cast<size_t>(num_symbols_), 0);
        child(node, symbol) = static_cast<int>(nodes_.size()) - 1;
      }
      node = child(node, symbol);
    }
    nodes_[static_cast<size_t>(node)].word = static_cast<int>(word);
  }
  // Breadth first: a node's fallback is shallower than the node, so it is complete when it is needed. Missing children
  // become those of the fallback, and the automaton takes exactly one transition a byte.
  std::vector<int> queue{0};
  for (size_t at = 0; at < queue.size(); ++at) {
    const int node = queue[at];
    const int fallback = nodes_[static_cast<size_t>(node)].fallback;
    for (int s = 0; s < num_symbols_; ++s) {
      const auto symbol = static_cast<uint8_t>(s);
      const int next = child(node, symbol);
      const int via_fallback = node == 0 ? 0 : child(fallback, symbol);
      if (next == 0) {
        child(node, symbol) = via_fallback;
        continue;
      }
      auto& entry = nodes_[static_cast<size_t>(next)];
      entry.fallback = via_fallback;
      const auto& behind = nodes_[static_cast<size_t>(via_fallback)];
      entry.next_match = behind.word >= 0 ? via_fallback : behind.next_match;
      queue.push_back(next);
    }
  }
}

std::vector<WordEvent> ReflectionWords::find(std::string_view text) const {
  constexpr size_t kRing = 64;  // > kMaxWordBytes
  static_assert(kRing > kMaxWordBytes);
  std::array<size_t, kRing> offsets{};  // of the latest symbols: a phrase's length in bytes varies with its white space
  std::vector<WordEvent> events;
  const uint8_t blank = symbols_[static_cast<uint8_t>(' ')];
  size_t num_read = 0;
  int node = 0;
  bool was_blank = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto symbol = symbols_[static_cast<uint8_t>(text[i])];
    const bool blank_now = symbol == blank && is_blank(text[i]);
    if (blank_now && was_blank) continue;
    was_blank = blank_now;
    offsets[num_read++ % kRing] = i;
    node = child(node, symbol);
    const auto& here = nodes_[static_cast<size_t>(node)];
    for (int match = here.word >= 0 ? node : here.next_match; match != 0;
         match = nodes_[static_cast<size_t>(match)].next_match) {
      const int word = nodes_[static_cast<size_t>(match)].word;
      const size_t begin = offsets[(num_read - words_[static_cast<size_t>(word)].word.size()) % kRing];
      if (!goes_on_left(text, begin) && !goes_on_right(text, i + 1)) events.push_back({begin, word});
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return events;
}

}  // namespace r1::rollout
