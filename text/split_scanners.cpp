#include "text/split_scanners.h"

#include "text/unicode.h"

namespace r1::text {
namespace {

struct Char {
  char32_t value = 0;
  size_t end = 0;       // where the next character begins
  uint8_t classes = 0;  // 0 past the end of the text, where is_end holds
  bool is_end = true;
};

Char char_at(std::string_view text, size_t pos) {
  if (pos >= text.size()) return {.end = pos};
  const auto c = code_point_at(text, pos);
  return {c.value, pos + c.size, char_class(c.value), false};
}

// End of the longest run, from `pos`, of characters that have one of `classes`.
size_t run_of(std::string_view text, size_t pos, uint8_t classes) {
  while (pos < text.size()) {
    const auto c = code_point_at(text, pos);
    if (!(char_class(c.value) & classes)) break;
    pos += c.size;
  }
  return pos;
}

// The same of characters that have none of `classes`.
size_t run_without(std::string_view text, size_t pos, uint8_t classes) {
  while (pos < text.size()) {
    const auto c = code_point_at(text, pos);
    if (char_class(c.value) & classes) break;
    pos += c.size;
  }
  return pos;
}

size_t line_ends(std::string_view text, size_t pos) {
  while (pos < text.size() && (text[pos] == '\r' || text[pos] == '\n')) ++pos;
  return pos;
}

// \s+(?!\S)|\s+ : a run of blanks that something follows leaves its last character to it.
size_t match_blanks(std::string_view text, size_t pos) {
  const size_t end = run_of(text, pos, kSpace);
  if (end == text.size() || end == pos) return end;
  const size_t last = end - code_point_before(text, end).size;
  return last > pos ? last : end;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ : greedy \s* reaches the last line end of the run.
size_t match_lines_or_blanks(std::string_view text, size_t pos) {
  const size_t end = run_of(text, pos, kSpace);
  const size_t last = text.substr(pos, end - pos).find_last_of("\r\n");
  return last == std::string_view::npos ? match_blanks(text, pos) : pos + last + 1;
}

// An apostrophe and s, t, re, ve, m, ll or d.
size_t match_contraction(std::string_view text, size_t pos) {
  const auto rest = text.substr(pos + 1, 2);
  if (rest.empty()) return pos;
  if (rest[0] == 's' || rest[0] == 't' || rest[0] == 'm' || rest[0] == 'd') return pos + 2;
  return rest == "re" || rest == "ve" || rest == "ll" ? pos + 3 : pos;
}

// The same in either case. U+017F (long s) folds to s.
size_t match_contraction_any_case(std::string_view text, size_t pos) {
  const auto rest = text.substr(pos + 1, 2);
  if (rest == "\xC5\xBF") return pos + 3;
  char folded[2] = {};
  for (size_t i = 0; i < rest.size(); ++i) folded[i] = static_cast<char>(rest[i] | 0x20);
  const bool is_letter = !rest.empty() && rest[0] >= 'A';
  if (!is_letter) return pos;
  if (folded[0] == 's' || folded[0] == 't' || folded[0] == 'm' || folded[0] == 'd') return pos + 2;
  if (rest.size() < 2 || rest[1] < 'A') return pos;
  const std::string_view pair(folded, 2);
  return pair == "re" || pair == "ve" || pair == "ll" ? pos + 3 : pos;
}

// \p{N}{1,limit}, known to match at `pos`.
size_t match_numbers(std::string_view text, size_t pos, int limit) {
  for (int count = 0; count < limit; ++count) {
    const auto c = char_at(text, pos);
    if (!(c.classes & kNumber)) break;
    pos = c.end;
  }
  return pos;
}

size_t match_cl100k(std::string_view text, size_t pos, int max_numbers) {
  const auto first = char_at(text, pos);
  if (first.value == '\'') {
    if (const size_t end = match_contraction_any_case(text, pos); end != pos) return end;
  }
  if (first.classes & kLetter) return run_of(text, first.end, kLetter);
  const auto second = char_at(text, first.end);
  if (!(first.classes & (kLineEnd | kNumber)) && (second.classes & kLetter)) return run_of(text, second.end, kLetter);
  if (first.classes & kNumber) return match_numbers(text, pos, max_numbers);
  constexpr uint8_t kNotOther = kSpace | kLetter | kNumber;
  if (!(first.classes & kSpace)) return line_ends(text, run_without(text, first.end, kNotOther));
  if (first.value == ' ' && !second.is_end && !(second.classes & kNotOther)) {
    return line_ends(text, run_without(text, second.end, kNotOther));
  }
  return match_lines_or_blanks(text, pos);
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_cjk(char32_t c) { return (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF); }

}  // namespace

size_t match_gpt2(std::string_view text, size_t pos) {
  const auto first = char_at(text, pos);
  if (first.value == '\'') {
    if (const size_t end = match_contraction(text, pos); end != pos) return end;
  }
  // " ?" and then a run of one kind; without the blank, the same kinds begin at `first`.
  auto head = first;
  if (first.value == ' ') {
    head = char_at(text, first.end);
    if (head.is_end) return head.end;
  }
  if (head.classes & kLetter) return run_of(text, head.end, kLetter);
  if (head.classes & kNumber) return run_of(text, head.end, kNumber);
  if (!(head.classes & kSpace)) return run_without(text, head.end, kSpace | kLetter | kNumber);
  return match_blanks(text, pos);
}

size_t match_qwen2(std::string_view text, size_t pos) { return match_cl100k(text, pos, 1); }
size_t match_llama3(std::string_view text, size_t pos) { return match_cl100k(text, pos, 3); }
size_t match_three_numbers(std::string_view text, size_t pos) { return match_numbers(text, pos, 3); }

size_t match_cjk(std::string_view text, size_t pos) {
  while (pos < text.size()) {
    const auto c = code_point_at(text, pos);
    if (!is_cjk(c.value)) break;
    pos += c.size;
  }
  return pos;
}

size_t match_deepseek_text(std::string_view text, size_t pos) {
  const auto first = char_at(text, pos);
  const bool is_ascii_mark = first.value < 128 && (first.classes & (kPunct | kSymbol));
  if (is_ascii_mark && first.end < text.size() && is_ascii_letter(text[first.end])) {
    size_t end = first.end;
    while (end < text.size() && is_ascii_letter(text[end])) ++end;
    return end;
  }
  if (first.classes & (kLetter | kMark)) return run_of(text, first.end, kLetter | kMark);
  const auto second = char_at(text, first.end);
  if (!(first.classes & (kLineEnd | kPunct | kSymbol)) && (second.classes & (kLetter | kMark))) {
    return run_of(text, second.end, kLetter | kMark);
  }
  if (first.classes & (kPunct | kSymbol)) return line_ends(text, run_of(text, first.end, kPunct | kSymbol));
  if (first.value == ' ' && (second.classes & (kPunct | kSymbol))) {
    return line_ends(text, run_of(text, second.end, kPunct | kSymbol));
  }
  return first.classes & kSpace ? match_lines_or_blanks(text, pos) : pos;
}

size_t match_digit(std::string_view text, size_t pos) {
  const auto c = char_at(text, pos);
  return c.classes & kNumeric ? c.end : pos;
}

size_t match_digit_run(std::string_view text, size_t pos) { return run_of(text, pos, kNumeric); }

}  // namespace r1::text
