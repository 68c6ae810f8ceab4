#include "rewards/countdown_parser.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace r1::rewards {
namespace {

using tasks::Rational;

constexpr size_t kMaxAnswerBytes = 4096;
constexpr int kMaxDepth = 100;
constexpr int64_t kMaxNumber = 1'000'000'000'000;

struct Symbol {
  std::string_view text;
  char kind;
};
constexpr std::array<Symbol, 6> kLenientSymbols{{
    {"x", '*'},
    {"X", '*'},
    {"\xC3\x97", '*'},
    {"\xE2\x8B\x85", '*'},
    {"\xC3\xB7", '/'},
    {"\xE2\x88\x92", '-'},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Model output goes into details that people read on a terminal.
std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", byte);
}

struct Tokenizer {
  std::string_view text;
  Spelling spelling;
  CountdownTokens result = {};

  CountdownTokens run() {
    if (text.size() > kMaxAnswerBytes) return refuse(fmt::format("the answer is {} bytes long", text.size()));
    while (!text.empty()) {
      if (std::string_view(" \t\r\n").find(text[0]) != std::string_view::npos) {
        text.remove_prefix(1);
      } else if (!is_digit(text[0])) {
        if (!take_symbol()) return refuse(fmt::format("{} is not part of an expression", shown(text[0])));
      } else if (!take_number()) {
        return refuse("a number has leading zeros or too many digits");
      }
    }
    return std::move(result);
  }

  CountdownTokens refuse(std::string problem) { return {.tokens = {}, .problem = std::move(problem)}; }

  bool take_symbol() {
    if (std::string_view("+-*/()=").find(text[0]) != std::string_view::npos) {
      result.tokens.push_back({text[0]});
      text.remove_prefix(1);
      return true;
    }
    if (spelling == Spelling::kAscii) return false;
    for (const auto& symbol : kLenientSymbols) {
      if (!text.starts_with(symbol.text)) continue;
      result.tokens.push_back({symbol.kind});
      text.remove_prefix(symbol.text.size());
      return true;
    }
    return false;
  }

  bool take_number() {
    int64_t value = 0;
    size_t length = 0;
    for (; length < text.size() && is_digit(text[length]); ++length) {
      value = value * 10 + (text[length] - '0');
      if (value > kMaxNumber) return false;
    }
    if (length > 1 && text[0] == '0') return false;
    result.tokens.push_back({'n', value});
    text.remove_prefix(length);
    return true;
  }
};

struct Evaluator {
  std::span<const CountdownToken> tokens;
  const tasks::CountdownKey& key;
  size_t at = 0;
  int depth = 0;
  std::string problem = {};

  char peek() const { return at < tokens.size() ? tokens[at].kind : '\0'; }

  std::optional<Rational> fail(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return {};
  }

  bool takes_operation(char first, char second) {
    const char kind = peek();
    if (kind != first && kind != second) return false;
    if (key.operations.find(kind) != std::string::npos) return true;
    fail(fmt::format("'{}' is not allowed here", kind));
    return false;
  }

  std::optional<Rational> sum() {
    auto value = product();
    while (value && takes_operation('+', '-')) {
      const char operation = tokens[at++].kind;
      const auto next = product();
      if (!next) return {};
      value = operation == '+' ? *value + *next : *value - *next;
    }
    return value;
  }

  std::optional<Rational> product() {
    auto value = factor();
    while (value && takes_operation('*', '/')) {
      const char operation = tokens[at++].kind;
      const auto next = factor();
      if (!next) return {};
      value = operation == '*' ? *value * *next : tasks::divide(*value, *next);
      if (!value) return fail("it divides by zero");
    }
    return value;
  }

  std::optional<Rational> factor() {
    const char kind = peek();
    if (kind == 'n') return Rational{tokens[at++].value};
    if (kind == '(') return parenthesis();
    if (kind == '-' && key.allows_negation && (at == 0 || tokens[at - 1].kind != '-' || !is_sign(at - 1))) {
      ++at;
      const auto value = factor();
      if (!value) return {};
      return Rational{-value->numerator, value->denominator};
    }
    return fail(kind == '\0' ? "the expression ends too early" : "it is no expression");
  }

  // Whether the minus at `place` is a sign and not an operation: nothing to subtract from stands before it.
  bool is_sign(size_t place) const {
    return place == 0 || (tokens[place - 1].kind != 'n' && tokens[place - 1].kind != ')');
  }

  std::optional<Rational> parenthesis() {
    if (++depth > kMaxDepth) return fail("its parentheses are nested too deep");
    ++at;
    const auto value = sum();
    if (!value) return {};
    if (peek() != ')') return fail("a parenthesis is not closed");
    ++at;
    --depth;
    return value;
  }
};

}  // namespace

CountdownTokens tokenize_countdown(std::string_view answer, Spelling spelling) {
  return Tokenizer{answer, spelling}.run();
}

CountdownValue evaluate_countdown(std::span<const CountdownToken> tokens, const tasks::CountdownKey& key) {
  Evaluator evaluator{tokens, key};
  auto value = evaluator.sum();
  if (!evaluator.problem.empty()) return {.value = {}, .problem = evaluator.problem};
  if (!value || evaluator.at != tokens.size()) return {.value = {}, .problem = "it is no expression"};
  return {.value = value, .problem = {}};
}

}  // namespace r1::rewards
