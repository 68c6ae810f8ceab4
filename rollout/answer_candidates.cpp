// find_candidates() and is_same_answer() of reflection_turns.h. Every look ahead or back is bounded, so that the scan
// is linear whatever the text.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "rollout/reflection_turns.h"

namespace r1::rollout {
namespace {

constexpr size_t kMaxBoxed = 256;    // bytes of what \boxed{} may hold
constexpr size_t kMaxAnswer = 64;    // bytes of what "answer is" may name
constexpr size_t kMaxLeftSide = 64;  // bytes of the expression before "="
constexpr size_t kMaxNumber = 40;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

char at(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

size_t skip_blanks(std::string_view text, size_t i) {
  const size_t end = std::min(text.size(), i + kMaxAnswer);
  while (i < end && is_blank(text[i])) ++i;
  return i;
}

// `word` is lower case.
bool starts_with_word(std::string_view text, size_t i, std::string_view word) {
  if (i + word.size() > text.size()) return false;
  for (size_t k = 0; k < word.size(); ++k) {
    const char c = text[i + k];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != word[k]) return false;
  }
  return true;
}

// Length of a number at `i`: sign, digits with thousands commas, decimals, one "/digits"; 0 if there is none.
size_t number_length(std::string_view text, size_t i) {
  size_t end = i;
  if (at(text, end) == '-' || at(text, end) == '+') ++end;
  const size_t digits = end;
  const size_t most = i + kMaxNumber;
  const auto take_digits = [&] {
    while (end < most && is_digit(at(text, end))) ++end;
  };
  take_digits();
  if (end == digits) return 0;
  const auto is_thousands = [&] {
    return at(text, end) == ',' && is_digit(at(text, end + 1)) && is_digit(at(text, end + 2)) &&
           is_digit(at(text, end + 3)) && !is_digit(at(text, end + 4));
  };
  if (end - digits <= 3) {
    while (end < most && is_thousands()) end += 4;
  }
  if (at(text, end) == '.' && is_digit(at(text, end + 1))) {
    ++end;
    take_digits();
  }
  if (at(text, end) == '/' && is_digit(at(text, end + 1))) {
    ++end;
    take_digits();
  }
  return end < most ? end - i : 0;
}

// Whether an expression goes on at `i`, right behind a number: "2x", "5+3", "4 * 5".
bool expression_goes_on(std::string_view text, size_t i) {
  const char attached = at(text, i);
  if (is_letter(attached) || is_digit(attached) || attached == '(' || attached == '_' || attached == '\\' ||
      attached == '.') {
    return attached != '.' || is_digit(at(text, i + 1));
  }
  const size_t next = skip_blanks(text, i);
  const char c = at(text, next);
  if (c == '+' || c == '*' || c == '/' || c == '^') return true;
  if (c == '\xC3')
    return at(text, next + 1) == '\x97' || at(text, next + 1) == '\xB7';  // the signs of times and divided by
  if (c == '\\') return starts_with_word(text, next, "\\times") || starts_with_word(text, next, "\\cdot");
  if (c != '-') return false;
  const char after = at(text, skip_blanks(text, next + 1));  // a minus, or the dash of an afterthought
  return is_digit(after) || after == '(';
}

std::string clean(std::string_view answer) {
  std::string result;
  for (size_t i = 0; i < answer.size(); ++i) {
    const char c = answer[i];
    const bool is_thousands = c == ',' && i > 0 && is_digit(answer[i - 1]) && is_digit(at(answer, i + 1));
    if (!is_blank(c) && c != '$' && c != '\n' && c != '\r' && !is_thousands) result += c;
  }
  return result;
}

// The expression left of the "=" at `equals`, as an offset.
size_t left_side(std::string_view text, size_t equals) {
  const size_t least = equals > kMaxLeftSide ? equals - kMaxLeftSide : 0;
  size_t begin = equals;
  const auto is_expression = [](char c) {
    return is_digit(c) || std::string_view("+-*/^().").find(c) != std::string_view::npos || is_blank(c) ||
           static_cast<uint8_t>(c) >= 0x80;
  };
  while (begin > least && is_expression(text[begin - 1])) --begin;
  while (begin < equals && (is_blank(text[begin]) || text[begin] == '.' || text[begin] == ')')) ++begin;
  return begin;
}

std::optional<Candidate> equality_at(std::string_view text, size_t i) {
  if (i > 0 && std::string_view("<>!=:~").find(text[i - 1]) != std::string_view::npos) return {};
  size_t begin = skip_blanks(text, i + 1);
  if (at(text, begin) == '$') ++begin;
  const size_t length = number_length(text, begin);
  if (length == 0 || expression_goes_on(text, begin + length)) return {};
  const size_t left = left_side(text, i);
  return Candidate{left, clean(text.substr(begin, length)), std::string(text.substr(left, begin + length - left)),
                   false};
}

// \boxed{X}, braces balanced.
std::optional<Candidate> boxed_at(std::string_view text, size_t i) {
  constexpr std::string_view kOpen = "\\boxed{";
  if (!text.substr(i).starts_with(kOpen)) return {};
  const auto body = text.substr(i + kOpen.size(), kMaxBoxed);
  int depth = 1;
  for (size_t k = 0; k < body.size(); ++k) {
    depth += body[k] == '{' ? 1 : body[k] == '}' ? -1 : 0;
    if (depth == 0) {
      const auto answer = clean(body.substr(0, k));
      if (answer.empty()) return {};
      return Candidate{i, answer, std::string(text.substr(i, kOpen.size() + k + 1)), true};
    }
  }
  return {};
}

bool begins_an_answer(std::string_view text, size_t i) {
  const char c = at(text, i);
  if (is_digit(c) || c == '(' || c == '$') return true;
  if (c == '-' || c == '+') return is_digit(at(text, i + 1));
  if (c < 'A' || c > 'J') return false;
  const char next = at(text, i + 1);
  const bool is_english = (c == 'A' || c == 'I') && next == ' ';  // "the answer is a number"
  return !is_letter(next) && next != '\'' && !is_english;
}

// Where the clause at `i` ends; a point or a comma inside a number does not end it.
size_t clause_end(std::string_view text, size_t i) {
  const size_t begin = i, most = std::min(text.size(), i + kMaxAnswer);
  for (; i < most; ++i) {
    const char c = text[i];
    if ((c == '.' || c == ',') && is_digit(at(text, i + 1))) continue;
    if (std::string_view(".,;:!?\n<").find(c) != std::string_view::npos) return i;
    if (is_letter(c) && i > begin && is_blank(text[i - 1])) return i - 1;  // "17 because"
  }
  return i;
}

// The text behind "answer" that names it: " is", ":", " should be", ...; nothing if it does not.
std::optional<size_t> behind_answer_word(std::string_view text, size_t i) {
  i = skip_blanks(text, i);
  for (const std::string_view link : {"is", "should be", "must be", "would be", "was", ":", "="}) {
    if (starts_with_word(text, i, link) && !is_letter(at(text, i + link.size()))) {
      i = skip_blanks(text, i + link.size());
      if (at(text, i) == ':') i = skip_blanks(text, i + 1);
      while (at(text, i) == '*') ++i;  // Markdown's bold
      return i;
    }
  }
  return {};
}

std::optional<Candidate> named_at(std::string_view text, size_t i) {
  constexpr std::string_view kWord = "answer", kTag = "<answer>";
  size_t begin = i;
  if (starts_with_word(text, i, kTag)) {
    begin = skip_blanks(text, i + kTag.size());
  } else if (starts_with_word(text, i, kWord)) {
    const auto behind = behind_answer_word(text, i + kWord.size());
    if (!behind) return {};
    begin = *behind;
  } else {
    return {};
  }
  if (!begins_an_answer(text, begin)) return {};
  if (text.substr(begin, 10).find("\\boxed") != text.npos) return {};  // which is met next
  const size_t end = clause_end(text, begin);
  auto answer = clean(text.substr(begin, end - begin));
  while (!answer.empty() && answer.back() == '*') answer.pop_back();
  if (answer.empty()) return {};
  return Candidate{i, answer, std::string(text.substr(i, end - i)), true};
}

std::optional<double> as_number(std::string_view text) {
  const auto parse = [](std::string_view part) -> std::optional<double> {
    if (part.starts_with('+')) part.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || !std::isfinite(value)) return {};
    return value;
  };
  const size_t slash = text.find('/');
  if (slash == text.npos) return parse(text);
  const auto top = parse(text.substr(0, slash)), bottom = parse(text.substr(slash + 1));
  if (!top || !bottom || *bottom == 0) return {};
  return *top / *bottom;
}

}  // namespace

std::vector<Candidate> find_candidates(std::string_view text) {
  std::vector<Candidate> found;
  for (size_t i = 0; i < text.size(); ++i) {
    std::optional<Candidate> candidate;
    switch (text[i]) {
      case '=':
        candidate = equality_at(text, i);
        break;
      case '\\':
        candidate = boxed_at(text, i);
        break;
      case 'a':
      case 'A':
      case '<':
        candidate = named_at(text, i);
        break;
      default:
        continue;
    }
    if (!candidate) continue;
    if (candidate->is_explicit) i = candidate->offset + candidate->statement.size() - 1;  // an "=" inside is part of it
    found.push_back(*std::move(candidate));
  }
  return found;
}

std::optional<bool> is_right_by_key(std::string_view key, const Candidate& candidate) {
  key = key.substr(0, key.find(" using "));
  if (const size_t equals = key.rfind("= "); equals != key.npos) key.remove_prefix(equals + 2);
  const auto wanted = as_number(key), stated = as_number(candidate.answer);
  if (wanted && stated) return is_same_answer(key, candidate.answer);
  const auto is_choice = [](std::string_view text) { return text.size() == 1 && is_letter(text[0]); };
  if (is_choice(key) && is_choice(candidate.answer)) return key == candidate.answer;
  return {};
}

bool is_same_answer(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto x = as_number(a), y = as_number(b);
  return x && y && std::abs(*x - *y) <= 1e-9 * std::max(std::abs(*x), std::abs(*y));
}

}  // namespace r1::rollout
