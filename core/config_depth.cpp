#include "core/config_depth.h"

#include <algorithm>

namespace r1::config {
namespace {

// Where the string that opens at `start` ends (TOML 1.0, "String"). The parser tells what is wrong with one that does
// not.
size_t end_of_string(std::string_view toml, size_t start) {
  const char quote = toml[start];
  const bool is_multi_line = toml.substr(start, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
  const std::string_view closing = toml.substr(start, is_multi_line ? 3 : 1);
  for (size_t i = start + closing.size(); i < toml.size(); ++i) {
    if (toml[i] == '\\' && quote == '"') {
      ++i;
    } else if (toml.substr(i, closing.size()) == closing) {
      return i + closing.size();
    } else if (toml[i] == '\n' && !is_multi_line) {
      return i;
    }
  }
  return toml.size();
}

TextPlace place_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1, offset - line_start + 1};
}

}  // namespace

std::optional<TextPlace> find_too_deep(std::string_view toml) {
  constexpr std::string_view kKeyEnds = ",={}[]\n";
  int num_parts = 1;
  for (size_t i = 0; i < toml.size();) {
    const char c = toml[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(toml, i);
      continue;
    }
    if (c == '#') {
      i = std::min(toml.find('\n', i), toml.size());
      continue;
    }
    if (kKeyEnds.find(c) != kKeyEnds.npos) num_parts = 1;
    if (c == '.' && ++num_parts > kMaxKeyParts) return place_of(toml, i);
    ++i;
  }
  return {};
}

}  // namespace r1::config
