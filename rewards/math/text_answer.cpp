#include "rewards/math/text_answer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace r1::rewards::math {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

struct Wrapping {
  std::string_view begin, end;
};
constexpr std::array<Wrapping, 16> kWrappings{{{"$$", "$$"},
                                               {"$", "$"},
                                               {"\\(", "\\)"},
                                               {"\\[", "\\]"},
                                               {"**", "**"},
                                               {"__", "__"},
                                               {"`", "`"},
                                               {"\\boxed{", "}"},
                                               {"\\fbox{", "}"},
                                               {"\\text{", "}"},
                                               {"\\textbf{", "}"},
                                               {"\\mathrm{", "}"},
                                               {"\\mbox{", "}"},
                                               {"\\textit{", "}"},
                                               {"\\mathbf{", "}"},
                                               {"\\textrm{", "}"}}};

// Whether the brace that opens at the end of `begin` closes only at the end of the text.
bool spans(std::string_view inner) {
  int depth = 0;
  for (size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\') {
      ++i;
    } else if (inner[i] == '{') {
      ++depth;
    } else if (inner[i] == '}' && --depth < 0) {
      return false;
    }
  }
  return depth == 0;
}

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

int month_of(std::string_view word) {
  if (word.size() < 3) return 0;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == word || (word.size() == 3 && kMonths[i].substr(0, 3) == word)) return static_cast<int>(i) + 1;
  }
  return word == "sept" ? 9 : 0;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool is_open = false;
  for (const char c : text) {
    const bool belongs = is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
    if (belongs && !is_open) words.emplace_back();
    if (belongs) words.back() += lower(c);
    is_open = belongs;
  }
  return words;
}

std::optional<int> number_of(std::string_view word) {
  while (!word.empty() && is_letter(word.back()) && is_digit(word.front())) word.remove_suffix(1);  // 5th
  if (word.empty() || word.size() > 4 || !std::all_of(word.begin(), word.end(), is_digit)) return {};
  return std::atoi(std::string(word).c_str());
}

}  // namespace

std::string_view unwrapped(std::string_view text) {
  for (int round = 0; round < 12; ++round) {
    const auto before = text;
    text = trimmed(text);
    while (text.size() > 1 && (text.back() == '.' || text.back() == ',' || text.back() == ';') &&
           text[text.size() - 2] != '.') {
      text = trimmed(text.substr(0, text.size() - 1));
    }
    if (text.size() > 1 && text.ends_with("\\")) text = trimmed(text.substr(0, text.size() - 1));
    for (const auto& [begin, end] : kWrappings) {
      if (text.size() < begin.size() + end.size() || !text.starts_with(begin) || !text.ends_with(end)) continue;
      const auto inner = text.substr(begin.size(), text.size() - begin.size() - end.size());
      if (end == "}" ? !spans(inner) : inner.find(end) != inner.npos) continue;
      if (begin == "$" && inner.ends_with('\\')) continue;  // "$5 \$"
      text = inner;
      break;
    }
    if (text == before) break;
  }
  return text;
}

std::optional<Choice> parse_choice(std::string_view text) {
  text = unwrapped(text);
  for (const std::string_view word : {"option", "choice", "answer", "Option", "Choice", "Answer"}) {
    if (text.starts_with(word)) text = trimmed(text.substr(word.size()));
  }
  for (const std::string_view command : {"\\textbf{", "\\text{", "\\mathrm{", "\\mathbf{", "**"}) {
    if (!text.starts_with(command)) continue;
    const std::string_view end = command == "**" ? "**" : "}";
    const auto close = text.find(end, command.size());
    if (close == text.npos) continue;
    const auto inner = parse_choice(text.substr(command.size(), close - command.size()));
    if (!inner || !inner->content.empty()) return {};
    auto rest = trimmed(text.substr(close + end.size()));
    while (rest.starts_with("\\ ") || rest.starts_with("~") || rest.starts_with(":")) rest = trimmed(rest.substr(1));
    return Choice{inner->letter, rest};
  }
  const bool is_open = text.starts_with('(') || text.starts_with('[');
  if (is_open) text.remove_prefix(1);
  if (text.empty() || !is_letter(text[0])) return {};
  const char letter = static_cast<char>(lower(text[0]) - 'a' + 'A');
  const bool is_capital = text[0] == letter;
  text.remove_prefix(1);
  const bool is_closed =
      text.starts_with(')') || text.starts_with(']') || text.starts_with('.') || text.starts_with(':');
  if (is_open && !(text.starts_with(')') || text.starts_with(']'))) return {};
  if (is_closed) text.remove_prefix(1);
  if (!is_closed && !(text.empty() && is_capital)) return {};
  return Choice{letter, trimmed(text)};
}

std::optional<ClockTime> parse_time(std::string_view text) {
  text = unwrapped(text);
  int parts[3] = {0, 0, 0};
  int count = 0;
  while (count < 3) {
    size_t length = 0;
    while (length < text.size() && is_digit(text[length])) ++length;
    if (length == 0 || length > 2 || (count > 0 && length != 2)) return {};
    parts[count++] = std::atoi(std::string(text.substr(0, length)).c_str());
    text.remove_prefix(length);
    if (!text.starts_with(':')) break;
    text.remove_prefix(1);
  }
  std::string half;
  for (const char c : text) {
    if (is_letter(c)) half += lower(c);
    if (c == '\\' || c == '{' || c == '}' || c == '.' || is_blank(c) || is_letter(c)) continue;
    return {};
  }
  if (half.starts_with("text")) half.erase(0, 4);
  if (half.starts_with("mathrm")) half.erase(0, 6);
  const bool has_half = half == "am" || half == "pm";
  if ((!half.empty() && !has_half) || (count == 1 && !has_half)) return {};
  if (parts[1] > 59 || parts[2] > 59 || parts[0] > (has_half ? 12 : 24) || (has_half && parts[0] == 0)) return {};
  int hours = parts[0];
  if (has_half) hours = hours % 12 + (half == "pm" ? 12 : 0);
  return ClockTime{hours * 3600 + parts[1] * 60 + parts[2], has_half || parts[0] > 12 || parts[0] == 0};
}

std::optional<Date> parse_date(std::string_view text) {
  text = unwrapped(text);
  if (text.size() > 40) return {};
  const auto words = words_of(text);
  Date date;
  if (words.size() == 3 && words[0].size() == 4 && text.find_first_not_of("0123456789-/") == text.npos &&
      std::count(text.begin(), text.end(), '-') + std::count(text.begin(), text.end(), '/') == 2) {
    date = {number_of(words[0]).value_or(0), number_of(words[1]).value_or(0), number_of(words[2]).value_or(0)};
  } else if (words.size() == 3 && words[2].size() == 4 && std::count(text.begin(), text.end(), '/') == 2 &&
             text.find_first_not_of("0123456789/") == text.npos) {
    date = {number_of(words[2]).value_or(0), number_of(words[0]).value_or(0), number_of(words[1]).value_or(0)};
    if (date.month > 12) std::swap(date.month, date.day);
  } else {
    for (const auto& word : words) {
      const int month = month_of(word);
      const auto number = number_of(word);
      if (month != 0 && date.month == 0) {
        date.month = month;
      } else if (number && word.size() >= 4 && is_digit(word[3]) && date.year == 0) {
        date.year = *number;
      } else if (number && date.day == 0) {
        date.day = *number;
      } else if (word != "the" && word != "of") {
        return {};
      }
    }
    if (date.month == 0 || (date.day == 0 && date.year == 0)) return {};
  }
  const bool is_possible = date.month >= 1 && date.month <= 12 && date.day >= 0 && date.day <= 31;
  return is_possible ? std::optional(date) : std::nullopt;
}

bool is_words(std::string_view text) {
  const bool has_other = text.find_first_of("\\0123456789+*/^_=<>|{}[]()&$%") != text.npos;
  if (has_other) return false;
  constexpr std::string_view kMath[]{"sin",  "cos",   "tan", "cot",      "sec",   "csc",   "log",
                                     "exp",  "sqrt",  "inf", "infinity", "pi",    "theta", "alpha",
                                     "beta", "gamma", "phi", "lambda",   "omega", "sigma", "mu"};
  size_t longest = 0;
  for (const auto& word : words_of(text)) {
    if (std::find(std::begin(kMath), std::end(kMath), word) != std::end(kMath)) return false;
    if (word == "no") longest = 3;
    longest = std::max(longest, word.size());
  }
  const auto num_words = words_of(text).size();
  return longest >= 5 || (longest >= 3 && (num_words > 1 || text.find(',') == text.npos));
}

std::string normalized_words(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      size_t end = i + 1;
      while (end < text.size() && is_letter(text[end])) ++end;
      const auto name = text.substr(i + 1, end - i - 1);
      if (name.starts_with("text") || name == "mathrm" || name == "mbox" || name.empty() || name == "quad") {
        i = std::max(end, i + 2) - 1;
        plain += ' ';
        continue;
      }
    }
    plain += text[i] == '~' ? ' ' : text[i];
  }
  std::string result;
  for (const auto& word : words_of(plain)) {
    if (word == "the" || word == "a" || word == "an") continue;
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

std::optional<std::string> undoubled(std::string_view text) {
  constexpr std::string_view kCommands[]{"boxed", "cap", "cdot",  "cup",  "dfrac", "frac", "ge",
                                         "geq",   "in",  "infty", "le",   "left",  "leq",  "mathrm",
                                         "pi",    "pm",  "right", "sqrt", "text",  "times"};
  if (text.find("\\\\") == text.npos) return {};
  bool has_command = false;
  std::string single;
  for (size_t i = 0; i < text.size(); ++i) {
    single += text[i];
    if (text[i] != '\\') continue;
    if (text.substr(i, 2) != "\\\\") return {};
    ++i;
    size_t end = i + 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    const auto name = text.substr(i + 1, end - i - 1);
    has_command = has_command || std::find(std::begin(kCommands), std::end(kCommands), name) != std::end(kCommands);
  }
  if (!has_command) return {};
  return single;
}

}  // namespace r1::rewards::math
