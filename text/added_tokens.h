#pragma once
// Tokens that are cut out of text before BPE sees it: special tokens and words added to a vocabulary.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::text {

// One entry of tokenizer.json's "added_tokens".
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool is_special = true;       // decoding may skip it
  bool is_normalized = false;   // sought in normalized text, not in the text as given
  bool is_single_word = false;  // only where no word character touches it
  bool strips_left = false;     // swallows the blanks before it
  bool strips_right = false;    // and after it
};

// Which added tokens text may contain. Text of unknown origin can spell "<|im_end|>": encode it with kNone.
enum class AddedTokens {
  kAll,
  kNotSpecial,  // special tokens are plain text (the reference's encode_special_tokens)
  kNone,
};

// A stretch of text: an added token, or text between two (id -1).
struct Segment {
  size_t begin = 0, end = 0;
  int32_t id = -1;
};

// Finds tokens in text: at the leftmost place where any begins, the longest.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  // `patterns[i]` is what is sought for `tokens[i]`.
  AddedTokenMatcher(std::vector<AddedToken> tokens, const std::vector<std::string>& patterns);

  bool empty() const { return tokens_.empty(); }
  std::vector<Segment> segments(std::string_view text, AddedTokens which) const;

 private:
  struct Match {
    size_t begin, end;
    int32_t token;
  };
  struct Node {
    std::vector<std::pair<uint8_t, int32_t>> children;  // by byte, sorted
    int32_t token = -1;
  };
  int32_t child(int32_t node, uint8_t byte) const;
  std::optional<Match> next_match(std::string_view text, size_t pos) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_{1};
  bool can_start_[256] = {};
};

}  // namespace r1::text
