#include "rewards/code/tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace r1::rewards::code {
namespace {

using Kind = Value::Kind;

// What a key does not allow; caught in parse_tests().
struct Wrong {
  std::string reason;
};

[[noreturn]] void wrong(std::string reason) { throw Wrong{std::move(reason)}; }

const std::string& text_of(const Value& value, std::string_view key) {
  if (value.kind != Kind::kString) wrong(fmt::format("'{}' is no string", key));
  return value.text;
}

int64_t whole_number(const Value& value, std::string_view key, int64_t most) {
  const auto number = value.kind == Kind::kInt && value.text.size() < 12 ? std::atoll(value.text.c_str()) : 0;
  if (number < 1 || number > most) wrong(fmt::format("'{}' must be a whole number from 1 to {}", key, most));
  return number;
}

template <typename Choice>
Choice choice(const Value& value, std::string_view key,
              const std::vector<std::pair<std::string_view, Choice>>& choices) {
  for (const auto& [name, chosen] : choices) {
    if (text_of(value, key) == name) return chosen;
  }
  std::string names;
  for (const auto& [name, chosen] : choices) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
  wrong(fmt::format("'{}' is '{}', not one of {}", key, value.text, names));
}

const std::vector<Value>& list_of(const Value& value, std::string_view key) {
  if (value.kind != Kind::kList) wrong(fmt::format("'{}' is no list", key));
  return value.items;
}

// Calls take(key, value) for each member.
template <typename Take>
void for_each_member(const Value& object, std::string_view what, const Take& take) {
  if (object.kind != Kind::kDict) wrong(fmt::format("{} is no object", what));
  for (size_t i = 0; i < object.items.size(); i += 2) take(object.items[i].text, object.items[i + 1]);
}

Case read_case(const Value& value, bool is_call) {
  Case made;
  bool has_input = false, has_output = false;
  for_each_member(value, "a case", [&](std::string_view key, const Value& member) {
    if (is_call && key == "args") {
      for (const auto& argument : list_of(member, key)) made.args.push_back(without_tags(argument));
      has_input = true;
    } else if (is_call && key == "result") {
      made.result = without_tags(member);
      has_output = true;
    } else if (!is_call && key == "stdin") {
      made.input = text_of(member, key);
      has_input = true;
    } else if (!is_call && key == "stdout") {
      made.output = text_of(member, key);
      has_output = true;
    } else {
      wrong(fmt::format("a case has the key '{}'; with{} an entry point its keys are {}", key, is_call ? "" : "out",
                        is_call ? "args and result" : "stdin and stdout"));
    }
  });
  if (!has_output || (is_call && !has_input)) {
    wrong(fmt::format("a case lacks '{}'", !has_output ? (is_call ? "result" : "stdout") : "args"));
  }
  return made;
}

Checker read_checker(const Value& value) {
  Checker checker;
  for_each_member(value, "'checker'", [&](std::string_view key, const Value& member) {
    if (key == "source") {
      checker.source = text_of(member, key);
    } else if (key == "entry_point") {
      checker.entry_point = text_of(member, key);
    } else {
      wrong(fmt::format("'checker' has the unknown key '{}'", key));
    }
  });
  if (checker.source.empty()) wrong("'checker' lacks 'source'");
  return checker;
}

double read_tolerance(const Value& value) {
  const double number = std::strtod(to_text(value).c_str(), nullptr);
  const bool is_number = value.kind == Kind::kFloat || value.kind == Kind::kInt;
  if (!is_number || !(number >= 0 && number < 1)) wrong("'tolerance' must be a number from 0 to below 1");
  return number;
}

// APPS writes outputs of calls as one-item lists in places, and programs' input as lists of lines in others: those stay
// the data set's to clean up.
void add_apps_cases(const Value& inputs, const Value& outputs, Tests& tests) {
  const auto& in = list_of(inputs, "inputs");
  const auto& out = list_of(outputs, "outputs");
  if (in.size() != out.size()) wrong(fmt::format("there are {} inputs and {} outputs", in.size(), out.size()));
  for (size_t i = 0; i < in.size(); ++i) {
    Case made;
    if (tests.is_call()) {
      for (const auto& argument : list_of(in[i], "inputs[i]")) made.args.push_back(without_tags(argument));
      made.result = without_tags(out[i]);
    } else {
      made.input = text_of(in[i], "inputs[i]");
      made.output = text_of(out[i], "outputs[i]");
    }
    tests.cases.push_back(std::move(made));
  }
}

void read_member(std::string_view key, const Value& value, Tests& tests) {
  if (key == "language") {
    tests.language = text_of(value, key);
  } else if (key == "entry_point" || key == "fn_name") {
    if (value.kind != Kind::kNull) tests.entry_point = text_of(value, key);
  } else if (key == "block") {
    tests.block = text_of(value, key);
  } else if (key == "match") {
    tests.match = choice<Match>(
        value, key,
        {{"lines", Match::kLines}, {"exact", Match::kExact}, {"tokens", Match::kTokens}, {"floats", Match::kFloats}});
  } else if (key == "numbers") {
    tests.compare.numbers =
        choice<Numbers>(value, key, {{"by_type", Numbers::kByType}, {"by_value", Numbers::kByValue}});
  } else if (key == "tolerance") {
    tests.tolerance = tests.compare.tolerance = read_tolerance(value);
  } else if (key == "checker") {
    tests.checker = read_checker(value);
  } else if (key == "cpu_ms") {
    tests.cpu_ms = whole_number(value, key, 600'000);
  } else if (key == "wall_ms") {
    tests.wall_ms = whole_number(value, key, 600'000);
  } else if (key == "memory_mb") {
    tests.memory_mb = whole_number(value, key, 65'536);
  } else {
    wrong(fmt::format("the tests have the unknown key '{}'", key));
  }
}

Tests read_tests(const Value& value) {
  Tests tests;
  const Value *cases = nullptr, *inputs = nullptr, *outputs = nullptr, *inner = nullptr;
  for_each_member(value, "the answer key", [&](std::string_view key, const Value& member) {
    if (key == "tests") {
      inner = &member;
    } else if (key == "cases") {
      cases = &member;
    } else if (key == "inputs") {
      inputs = &member;
    } else if (key == "outputs") {
      outputs = &member;
    } else {
      read_member(key, member, tests);
    }
  });
  if (inner != nullptr) {
    if (value.items.size() > (tests.language.empty() ? 2u : 4u)) wrong("beside 'tests' only 'language' may stand");
    auto read = read_tests(*inner);
    if (!tests.language.empty()) read.language = tests.language;
    return read;
  }
  if (cases != nullptr) {
    for (const auto& one : list_of(*cases, "cases")) tests.cases.push_back(read_case(one, tests.is_call()));
  }
  if (inputs != nullptr && outputs != nullptr) add_apps_cases(*inputs, *outputs, tests);
  if (tests.cases.empty()) wrong("there are no cases");
  if (!tests.is_call() && tests.tolerance && tests.match != Match::kFloats)
    wrong("'tolerance' needs 'match': 'floats'");
  return tests;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return line.substr(0, line.find_last_not_of(" \t\r\v\f") + 1);
}

std::string_view take_token(std::string_view& rest) {
  constexpr std::string_view kBlanks(" \t\r\n\v\f");
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const auto token = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(token.size());
  return token;
}

std::string shown(std::string_view text) {
  return text.size() <= 80 ? fmt::format("'{}'", text) : fmt::format("'{}...'", text.substr(0, 77));
}

// A decimal number and nothing else: no "nan", "inf" or "0x10".
std::optional<double> decimal(std::string_view token) {
  if (token.empty() || token.size() > 400 || token.find_first_not_of("0123456789+-.eE") != token.npos)
    return std::nullopt;
  const std::string text(token);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool tokens_match(std::string_view a, std::string_view b, Match match, double tolerance) {
  if (a == b) return true;
  if (match != Match::kFloats) return false;
  const auto x = decimal(a), y = decimal(b);
  return x && y && std::abs(*x - *y) <= tolerance * std::max(1.0, std::abs(*x));
}

}  // namespace

ParsedTests parse_tests(std::string_view json) {
  auto parsed = parse_value(json, Syntax::kJson);
  if (!parsed.value) return {std::nullopt, "the answer key is no JSON: " + parsed.reason};
  try {
    return {read_tests(*parsed.value), ""};
  } catch (const Wrong& e) {
    return {std::nullopt, e.reason};
  }
}

std::optional<std::string> output_difference(std::string_view expected, std::string_view got, Match match,
                                             double tolerance) {
  if (match == Match::kExact) {
    if (expected == got) return std::nullopt;
    return fmt::format("expected {}, printed {}", shown(expected), shown(got));
  }
  const bool by_line = match == Match::kLines;
  for (int number = 1; !expected.empty() || !got.empty(); ++number) {
    const auto wanted = by_line ? take_line(expected) : take_token(expected);
    const auto given = by_line ? take_line(got) : take_token(got);
    if (tokens_match(wanted, given, match, tolerance)) continue;
    return fmt::format("{} {}: expected {}, printed {}", by_line ? "line" : "word", number, shown(wanted),
                       shown(given));
  }
  return std::nullopt;
}

}  // namespace r1::rewards::code
