#include "text/jinja_strings.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/error.h"
#include "text/unicode.h"

namespace r1::text::jinja {
namespace {

bool is_stripped(std::string_view c, std::optional<std::string_view> set) {
  if (!set) return is_python_space(code_point_at(c, 0).value);
  for (size_t pos = 0; pos < set->size();) {
    const size_t size = code_point_at(*set, pos).size;
    if (set->substr(pos, size) == c) return true;
    pos += size;
  }
  return false;
}

std::string map_chars(std::string_view text, auto map) {
  std::string out;
  for (size_t pos = 0; pos < text.size();) {
    const auto c = code_point_at(text, pos);
    append_utf8(out, map(c.value));
    pos += c.size;
  }
  return out;
}

char32_t upper(char32_t c) { return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))); }
char32_t lower(char32_t c) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))); }
bool is_letter(char32_t c) { return char_class(c) & kLetter; }

// The character of \xHH, \uHHHH or \UHHHHHHHH.
char32_t hex_char(std::string_view literal, size_t pos, size_t num_digits, const std::string& where) {
  const auto digits = literal.substr(pos, num_digits);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool is_char = value < 0x110000 && !(value >= 0xD800 && value < 0xE000);
  if (digits.size() != num_digits || error != std::errc() || end != digits.data() + num_digits || !is_char) {
    throw Error(where, fmt::format("'\\{}{}' is no character", literal[pos - 1], digits),
                fmt::format("give {} hexadecimal digits of a character", num_digits));
  }
  return value;
}

}  // namespace

bool is_python_space(char32_t c) { return (char_class(c) & kSpace) || (c >= 0x1C && c <= 0x1F); }

std::string_view strip_left(std::string_view text, std::optional<std::string_view> set) {
  while (!text.empty()) {
    const size_t size = code_point_at(text, 0).size;
    if (!is_stripped(text.substr(0, size), set)) break;
    text.remove_prefix(size);
  }
  return text;
}

std::string_view strip_right(std::string_view text, std::optional<std::string_view> set) {
  while (!text.empty()) {
    const size_t size = code_point_before(text, text.size()).size;
    if (!is_stripped(text.substr(text.size() - size), set)) break;
    text.remove_suffix(size);
  }
  return text;
}

std::string_view strip(std::string_view text, std::optional<std::string_view> set) {
  return strip_right(strip_left(text, set), set);
}

std::vector<std::string> split_blanks(std::string_view text, int64_t limit) {
  std::vector<std::string> parts;
  for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
    if (limit >= 0 && static_cast<int64_t>(parts.size()) == limit) {
      parts.emplace_back(strip_right(text));
      break;
    }
    size_t end = 0;
    while (end < text.size() && !is_python_space(code_point_at(text, end).value)) end += code_point_at(text, end).size;
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t limit) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const size_t end = text.find(separator, begin);
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

std::vector<std::string> split_from_right(std::string_view text, std::string_view separator, int64_t limit) {
  std::vector<std::string> parts;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const size_t at = text.rfind(separator);
    if (at == std::string_view::npos) break;
    parts.emplace_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.emplace_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t pos = 0; pos < text.size();) {
    const auto c = code_point_at(text, pos);
    const char32_t v = c.value;
    const bool is_end = (v >= 10 && v <= 13) || (v >= 0x1C && v <= 0x1E) || v == 0x85 || v == 0x2028 || v == 0x2029;
    const size_t end = pos;
    pos += c.size;
    if (!is_end) continue;
    if (v == '\r' && pos < text.size() && text[pos] == '\n') ++pos;
    lines.emplace_back(text.substr(begin, end - begin));
    begin = pos;
  }
  if (begin < text.size()) lines.emplace_back(text.substr(begin));
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit) {
  std::string out;
  size_t begin = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    // Python finds an empty string before every character and at the end.
    const size_t at = from.empty() ? begin : text.find(from, begin);
    if (at == std::string_view::npos) break;
    out.append(text, begin, at - begin).append(to);
    if (from.empty()) {
      if (begin == text.size()) return out;
      const size_t size = code_point_at(text, begin).size;
      out.append(text, begin, size);
      begin += size;
    } else {
      begin = at + from.size();
    }
  }
  return out.append(text.substr(begin));
}

int64_t count_chars(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string to_upper(std::string_view text) { return map_chars(text, upper); }
std::string to_lower(std::string_view text) { return map_chars(text, lower); }

std::string capitalize(std::string_view text) {
  bool is_first = true;
  return map_chars(text, [&](char32_t c) { return std::exchange(is_first, false) ? upper(c) : lower(c); });
}

std::string title(std::string_view text) {
  bool in_word = false;
  return map_chars(text, [&](char32_t c) { return std::exchange(in_word, is_letter(c)) ? lower(c) : upper(c); });
}

std::string unescape(std::string_view literal, const std::string& where) {
  std::string out;
  for (size_t pos = 0; pos < literal.size(); ++pos) {
    if (literal[pos] != '\\' || pos + 1 == literal.size()) {
      out += literal[pos];
      continue;
    }
    const char c = literal[++pos];
    static constexpr std::string_view kLetters = "ntr\\'\"abfv\n", kMeanings = "\n\t\r\\'\"\a\b\f\v";
    if (const size_t at = kLetters.find(c); at < kMeanings.size()) {
      out += kMeanings[at];
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t num_digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      append_utf8(out, hex_char(literal, pos + 1, num_digits, where));
      pos += num_digits;
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      const size_t end = pos + 3;
      for (; pos < std::min(end, literal.size()) && literal[pos] >= '0' && literal[pos] <= '7'; ++pos) {
        value = value * 8 + static_cast<char32_t>(literal[pos] - '0');
      }
      --pos;
      append_utf8(out, value);
    } else if (c != '\n') {  // a line end after a backslash vanishes; other letters keep their backslash
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace r1::text::jinja
