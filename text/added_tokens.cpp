#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace r1::text {
namespace {

// Start of the run of blanks that ends at `pos`, not before `floor`.
size_t blanks_before(std::string_view text, size_t pos, size_t floor) {
  while (pos > floor) {
    const auto c = code_point_before(text, pos);
    if (!(char_class(c.value) & kSpace)) break;
    pos -= c.size;
  }
  return pos;
}

size_t blanks_after(std::string_view text, size_t pos) {
  while (pos < text.size()) {
    const auto c = code_point_at(text, pos);
    if (!(char_class(c.value) & kSpace)) break;
    pos += c.size;
  }
  return pos;
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_word_char(code_point_before(text, begin).value)) ||
         (end < text.size() && is_word_char(code_point_at(text, end).value));
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens, const std::vector<std::string>& patterns)
    : tokens_(std::move(tokens)) {
  for (size_t token = 0; token < tokens_.size(); ++token) {
    int32_t node = 0;
    for (const char c : patterns[token]) {
      const auto byte = static_cast<uint8_t>(c);
      int32_t next = child(node, byte);
      if (next < 0) {
        next = static_cast<int32_t>(nodes_.size());
        nodes_.emplace_back();
        auto& children = nodes_[node].children;
        children.insert(std::upper_bound(children.begin(), children.end(), std::pair{byte, next}), {byte, next});
      }
      node = next;
    }
    if (nodes_[node].token < 0) nodes_[node].token = static_cast<int32_t>(token);
    if (!patterns[token].empty()) can_start_[static_cast<uint8_t>(patterns[token][0])] = true;
  }
}

int32_t AddedTokenMatcher::child(int32_t node, uint8_t byte) const {
  const auto& children = nodes_[node].children;
  const auto at = std::lower_bound(children.begin(), children.end(), std::pair{byte, int32_t{0}});
  return at != children.end() && at->first == byte ? at->second : -1;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::next_match(std::string_view text, size_t pos) const {
  for (; pos < text.size(); ++pos) {
    if (!can_start_[static_cast<uint8_t>(text[pos])]) continue;
    std::optional<Match> longest;
    int32_t node = 0;
    for (size_t end = pos; end < text.size();) {
      node = child(node, static_cast<uint8_t>(text[end++]));
      if (node < 0) break;
      if (nodes_[node].token >= 0) longest = {pos, end, nodes_[node].token};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

std::vector<Segment> AddedTokenMatcher::segments(std::string_view text, AddedTokens which) const {
  std::vector<Segment> found;
  size_t done = 0;       // text before this is in a segment
  size_t blank_end = 0;  // end of the blanks that some token swallowed last: a token of blanks is not to rescan them
  auto match = which == AddedTokens::kNone ? std::nullopt : next_match(text, 0);
  for (; match; match = next_match(text, match->end)) {
    const auto& token = tokens_[match->token];
    if (which == AddedTokens::kNotSpecial && token.is_special) continue;
    if (token.is_single_word && touches_word(text, match->begin, match->end)) continue;
    const size_t begin = token.strips_left ? std::max(blanks_before(text, match->begin, done), done) : match->begin;
    size_t end = match->end;
    if (token.strips_right) end = blank_end = end < blank_end ? blank_end : blanks_after(text, end);
    if (done < begin) found.push_back({done, begin, -1});
    found.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size()) found.push_back({done, text.size(), -1});
  return found;
}

}  // namespace r1::text
