#include "rewards/math/answer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "rewards/math/budget.h"

namespace r1::rewards::math {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view after_last(std::string_view text, std::string_view mark) {
  const auto at = text.rfind(mark);
  return at == text.npos ? text : text.substr(at + mark.size());
}

struct Box {
  size_t begin = 0, end = 0;  // of the command with its braces
  std::string_view content;
};

// The place of the brace after a box's command at `at`; npos if none is there.
size_t box_brace(std::string_view text, size_t at) {
  if (at >= text.size()) return text.npos;
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    if (text.substr(at, command.size()) != command) continue;
    size_t brace = at + command.size();
    while (brace < text.size() && text[brace] == ' ') ++brace;
    if (brace < text.size() && text[brace] == '{') return brace;
  }
  return text.npos;
}

// The last complete boxes, up to 128 of them, without those inside others. One whose braces never close hides none.
std::vector<Box> last_boxes(std::string_view text) {
  std::vector<Box> boxes;
  struct Brace {
    size_t place;
    size_t command;  // of the box that it opens, or npos
  };
  std::vector<Brace> open;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      // Text that was escaped twice has "\\\\boxed": a line break before the word would mean nothing.
      const auto brace = std::min(box_brace(text, i), box_brace(text, i + 1));
      if (brace == text.npos) {
        ++i;
        continue;
      }
      open.push_back({brace, i});
      i = brace;
    } else if (text[i] == '{') {
      open.push_back({i, text.npos});
    } else if (text[i] == '}' && !open.empty()) {
      const auto [place, command] = open.back();
      open.pop_back();
      if (command == text.npos) continue;
      while (!boxes.empty() && boxes.back().begin > command) boxes.pop_back();
      boxes.push_back({command, i + 1, text.substr(place + 1, i - place - 1)});
      if (boxes.size() > 128) boxes.erase(boxes.begin(), boxes.begin() + 64);
    }
  }
  return boxes;
}

// Whether two boxes belong together: nothing but joining words and signs stands between them.
bool is_joint(std::string_view between) {
  if (between.size() > 48) return false;
  std::string rest;
  for (size_t i = 0; i < between.size(); ++i) {
    for (const std::string_view command :
         {"\\text", "\\quad", "\\qquad", "\\(", "\\)", "\\[", "\\]", "\\,", "\\;", "\\ "}) {
      if (between.substr(i, command.size()) == command) i += command.size();
    }
    if (i >= between.size()) break;
    const char c = between[i];
    const bool is_sign =
        is_blank(c) || c == ',' || c == ';' || c == '$' || c == '{' || c == '}' || c == '*' || c == '&';
    if (!is_sign) rest += lower(c);
  }
  for (const std::string_view word : {"and", "or"}) {
    if (rest.starts_with(word)) rest.erase(0, word.size());
  }
  // The name of what the next box holds, as in "\\boxed{1} and y_2 = \\boxed{2}".
  const bool is_name = rest.size() <= 8 && rest.ends_with('=') && rest.find('=') == rest.size() - 1;
  return rest.empty() || is_name;
}

std::optional<FoundAnswer> from_boxes(std::string_view text) {
  const auto boxes = last_boxes(text);
  if (boxes.empty()) return {};
  size_t first = boxes.size() - 1;
  while (first > 0 && is_joint(text.substr(boxes[first - 1].end, boxes[first].begin - boxes[first - 1].end))) --first;
  std::vector<std::string_view> contents;
  for (size_t i = first; i < boxes.size(); ++i) {
    const auto content = trim(boxes[i].content);
    if (std::find(contents.begin(), contents.end(), content) == contents.end()) contents.push_back(content);
  }
  if (contents.size() == 1) return FoundAnswer{std::string(contents[0]), "box"};
  std::string joined;
  for (const auto content : contents) {
    if (!joined.empty()) joined += ", ";
    joined += content;
    if (joined.size() > kMaxAnswerBytes) break;
  }
  return FoundAnswer{std::move(joined), "boxes"};
}

// Up to the end of the sentence that starts here: a line's end, or a full stop that no digit follows.
std::string_view sentence(std::string_view text) {
  int dollars = 0, braces = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '$') ++dollars;
    if (c == '{') ++braces;
    if (c == '}') --braces;
    const bool is_inside = dollars % 2 != 0 || braces > 0;
    if (c == '\n' && i > 0 && !trim(text.substr(0, i)).empty() && !is_inside) return text.substr(0, i);
    const bool ends = c == '.' && (i + 1 == text.size() || is_blank(text[i + 1]) || text[i + 1] == '*');
    if (ends && !is_inside && !trim(text.substr(0, i)).empty()) return text.substr(0, i);
    if (i > kMaxAnswerBytes) return text.substr(0, i);
  }
  return text;
}

std::optional<std::string_view> after_phrase(std::string_view text) {
  constexpr std::array<std::string_view, 9> kPhrases{
      "answer is", "answer:",     "answers are",  "answer to the problem is", "####", "answer =",
      "result is", "solution is", "solutions are"};
  std::string folded(text.size() > 200'000 ? text.substr(text.size() - 200'000) : text);
  const auto offset = text.size() - folded.size();
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  size_t best = std::string::npos;
  for (const auto phrase : kPhrases) {
    const auto at = folded.rfind(phrase);
    if (at == std::string::npos) continue;
    const auto end = at + phrase.size();
    if (best == std::string::npos || end > best) best = end;
  }
  if (best == std::string::npos) return {};
  auto rest = text.substr(offset + best);
  while (!rest.empty() &&
         (is_blank(rest.front()) || rest.front() == ':' || rest.front() == '*' || rest.front() == '=')) {
    rest.remove_prefix(1);
  }
  const auto found = trim(sentence(rest));
  if (found.empty()) return {};
  return found;
}

struct Span {
  size_t begin = 0, end = 0;  // of the content
};

std::optional<Span> last_formula(std::string_view text) {
  std::optional<Span> last;
  size_t open_dollar = text.npos;
  bool has_round_close = true, has_square_close = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto two = text.substr(i, 2);
    if (two == "\\(" || two == "\\[") {
      // Once nothing closes it, nothing closes those after it: no second search.
      auto& is_closed_later = two == "\\(" ? has_round_close : has_square_close;
      const auto close = is_closed_later ? text.find(two == "\\(" ? "\\)" : "\\]", i + 2) : text.npos;
      is_closed_later = close != text.npos;
      if (close == text.npos) {
        ++i;
        continue;
      }
      last = Span{i + 2, close};
      i = close + 1;
    } else if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '$') {
      const size_t width = two == "$$" ? 2 : 1;
      if (open_dollar != text.npos) {
        if (i > open_dollar) last = Span{open_dollar, i};
        open_dollar = text.npos;
      } else {
        open_dollar = i + width;
      }
      i += width - 1;
    }
  }
  return last;
}

bool belongs_to_number(std::string_view text, size_t i) {
  const char c = text[i];
  if (is_digit(c)) return true;
  const bool has_digit_after = i + 1 < text.size() && is_digit(text[i + 1]);
  const bool has_digit_before = i > 0 && is_digit(text[i - 1]);
  return (c == '.' || c == ',' || c == '/') && has_digit_after && (has_digit_before || c == '.');
}

std::optional<Span> last_number(std::string_view text) {
  for (size_t end = text.size(); end > 0; --end) {
    if (!is_digit(text[end - 1])) continue;
    size_t begin = end - 1;
    while (begin > 0 && belongs_to_number(text, begin - 1)) --begin;
    const char before = begin > 0 ? text[begin - 1] : ' ';
    if (is_letter(before) || before == '_' || before == '^') {  // a name's digits
      end = begin + 1;
      continue;
    }
    if (before == '-' && (begin < 2 || !is_letter(text[begin - 2]))) --begin;
    if (end < text.size() && text[end] == '%') ++end;
    return Span{begin, end};
  }
  return {};
}

FoundAnswer from_expressions(std::string_view text) {
  const auto formula = last_formula(text);
  const auto number = last_number(text);
  if (formula && (!number || number->end <= formula->end + 2)) {
    return {std::string(trim(text.substr(formula->begin, formula->end - formula->begin))), "formula"};
  }
  if (number) return {std::string(text.substr(number->begin, number->end - number->begin)), "number"};
  return {std::string(text), "whole text"};
}

// Whether a text talks: words outside of commands, their arguments and functions' names.
bool has_prose(std::string_view text) {
  constexpr std::array<std::string_view, 12> kFunctions{"sin",  "cos", "tan", "cot", "log", "exp",
                                                        "sqrt", "min", "max", "gcd", "lcm", "and"};
  constexpr std::array<std::string_view, 5> kVerbs{"is", "are", "was", "were", "equals"};
  int num_words = 0;
  bool has_verb = false;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      const size_t begin = ++i;
      while (i < text.size() && is_letter(text[i])) ++i;
      const auto name = text.substr(begin, i - begin);
      const bool has_name = name == "begin" || name == "end" || name.starts_with("text") || name.starts_with("math") ||
                            name == "operatorname" || name == "mbox";
      if (has_name && i < text.size() && text[i] == '{') i = std::min(text.find('}', i), text.size());
      if (i == begin) ++i;
    } else if (is_letter(text[i])) {
      const size_t begin = i;
      while (i < text.size() && is_letter(text[i])) ++i;
      const auto word = text.substr(begin, i - begin);
      num_words += word.size() >= 3 && std::find(kFunctions.begin(), kFunctions.end(), word) == kFunctions.end();
      has_verb = has_verb || std::find(kVerbs.begin(), kVerbs.end(), word) != kVerbs.end() ||
                 (word == "it" && text.substr(i, 2) == "'s");
    } else {
      ++i;
    }
  }
  const bool has_formula =
      text.find('$') != text.npos || text.find("\\(") != text.npos || text.find("\\[") != text.npos;
  return num_words >= 4 || has_verb || (num_words >= 1 && has_formula && is_letter(text[0]));
}

// "The largest n is 34" after "Final answer:" still has its answer to be found.
FoundAnswer from_phrase(std::string_view said, std::string_view place) {
  const bool has_value = said.find_first_of("0123456789$") != said.npos;
  if (has_value && has_prose(said)) return {from_expressions(said).text, place};
  return {std::string(said), place};
}

// Of a text known to be the answer: what it says the answer is, or all of it.
FoundAnswer within(std::string_view text, std::string_view place) {
  if (auto boxed = from_boxes(text)) return *boxed;
  if (const auto said = after_phrase(text)) return from_phrase(*said, place);
  return from_phrase(trim(text), place);
}

}  // namespace

std::optional<FoundAnswer> find_math_answer(std::string_view completion, AnswerPlace place) {
  auto text = after_last(completion, "</think>");
  if (place != AnswerPlace::kBoxed) {
    constexpr std::string_view kBegin = "<answer>", kEnd = "</answer>";
    const auto end = text.rfind(kEnd);
    const auto begin = end == text.npos ? text.npos : text.substr(0, end).rfind(kBegin);
    if (begin != text.npos)
      return within(text.substr(begin + kBegin.size(), end - begin - kBegin.size()), "answer tag");
    if (place == AnswerPlace::kTag) return {};
  }
  if (auto boxed = from_boxes(text)) return boxed;
  if (place != AnswerPlace::kAnywhere) return {};
  text = trim(text);
  if (text.empty()) return {};
  if (const auto said = after_phrase(text)) return from_phrase(*said, "phrase");
  if (text.size() <= 2'000 && !has_prose(text)) return FoundAnswer{std::string(text), "whole text"};
  return from_expressions(text);
}

}  // namespace r1::rewards::math
