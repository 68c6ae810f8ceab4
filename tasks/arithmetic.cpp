#include "tasks/arithmetic.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "tasks/generator.h"
#include "tasks/rational.h"

namespace r1::tasks {
namespace {

constexpr uint64_t kStream = 0x6172697468000000;  // "arith": keeps these draws apart from other generators'
constexpr int kInstanceTries = 100'000;
constexpr int kMaxDepth = 3;  // of parentheses
// Heights (rational.h) of all terms multiply to at most 10^36 < kMaxHeight: a term of d digits has height <= 10^d as an
// integer, 2 * 10^d as a fraction, 10^(d + p) + 10^p as a decimal of p places.
constexpr int kMaxHeightDigits = 36;

constexpr std::array<std::string_view, 6> kQuestions{
    "What is {}?", "Compute {}.", "Calculate {}.", "Find the value of {}.", "Evaluate {}.", "How much is {}?",
};

int height_digits(const ArithmeticOptions& o) {
  if (o.numbers == NumberKind::kFraction) return o.max_digits + 1;
  return o.max_digits + (o.numbers == NumberKind::kDecimal ? o.decimal_places + 1 : 0);
}

uint64_t power_of_ten(int exponent) {
  uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

struct Value {
  std::string text;
  Rational value;
};

// Left to right, * and / before + and -. Nothing for a division by 0.
std::optional<Rational> evaluate(const std::vector<Value>& atoms, const std::string& operations) {
  Rational sum;
  Rational product = atoms[0].value;
  for (size_t i = 1; i < atoms.size(); ++i) {
    const auto& next = atoms[i].value;
    switch (operations[i - 1]) {
      case '*':
        product = product * next;
        break;
      case '/': {
        const auto quotient = divide(product, next);
        if (!quotient) return {};
        product = *quotient;
        break;
      }
      default:
        sum = sum + product;
        product = operations[i - 1] == '-' ? Rational{-next.numerator, next.denominator} : next;
    }
  }
  return sum + product;
}

struct Maker {
  const ArithmeticOptions& options;
  RandomStream stream;

  int64_t draw_between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(stream.below(static_cast<uint64_t>(high - low + 1)));
  }

  // A number of a random count of digits, without leading zeros; 0 counts as one digit.
  int64_t draw_digits() {
    const auto num_digits = static_cast<int>(draw_between(options.min_digits, options.max_digits));
    const auto bound = static_cast<int64_t>(power_of_ten(num_digits));
    return draw_between(num_digits == 1 ? 0 : bound / 10, bound - 1);
  }

  Value draw_number() {
    const int64_t whole = draw_digits();
    if (options.numbers == NumberKind::kInteger) return {std::to_string(whole), {whole}};
    if (options.numbers == NumberKind::kFraction) {
      const int64_t denominator = std::max<int64_t>(draw_digits(), 2);
      return {fmt::format("{}/{}", whole, denominator), {whole, denominator}};
    }
    const auto unit = static_cast<int64_t>(power_of_ten(options.decimal_places));
    const Rational value{whole * unit + draw_between(0, unit - 1), unit};
    return {to_decimal(value, options.decimal_places), value};
  }

  // A chain of num_terms numbers, some in parentheses. Nothing for a division by 0.
  std::optional<Value> draw_chain(int num_terms, int depth) {
    std::vector<Value> atoms;
    std::string operations, text;
    for (int left = num_terms; left > 0;) {
      const int room = atoms.empty() ? left - 1 : left;  // a chain is not one parenthesis
      int taken = 1;
      if (room >= 2 && depth < kMaxDepth && stream.uniform() < options.group_share) {
        taken = static_cast<int>(draw_between(2, room));
      }
      auto atom = taken == 1 ? draw_number() : draw_chain(taken, depth + 1);
      if (!atom) return {};
      if (taken > 1 || options.numbers == NumberKind::kFraction) atom->text = '(' + atom->text + ')';
      if (!atoms.empty()) {
        operations += options.operations[stream.below(options.operations.size())];
        text += {' ', operations.back(), ' '};
      }
      text += atom->text;
      atoms.push_back(*std::move(atom));
      left -= taken;
    }
    const auto value = evaluate(atoms, operations);
    if (!value) return {};
    return Value{std::move(text), *value};
  }
};

std::optional<ArithmeticInstance> try_instance(const ArithmeticOptions& options, Split split, Maker& maker) {
  const auto num_terms = static_cast<int>(maker.draw_between(options.min_terms, options.max_terms));
  const auto drawn = maker.draw_chain(num_terms, 0);
  if (!drawn || !belongs(hash64(drawn->text), split, options.held_out_modulus)) return {};
  if (options.answers == AnswerSign::kNonNegative && drawn->value.numerator < 0) return {};
  ArithmeticInstance instance{drawn->text, to_string(drawn->value)};
  if (options.numbers != NumberKind::kDecimal) return instance;
  int places = options.decimal_places;
  for (const char c : drawn->text) places += c == '*' ? options.decimal_places : 0;
  auto& answer = instance.answer = to_decimal(drawn->value, places);
  answer.erase(answer.find_last_not_of('0') + 1);
  if (answer.back() == '.') answer.pop_back();
  return instance;
}

// Which wording an instance gets is part of its index and not of its identity.
std::string question_text(const ArithmeticOptions& options, const std::string& expression, uint64_t seed,
                          uint64_t index) {
  if (options.wording == Wording::kPlain) return expression + " =";
  RandomStream stream(seed, kStream + 0xFF, index);
  return fmt::format(fmt::runtime(kQuestions[stream.below(kQuestions.size())]), expression);
}

}  // namespace

void validate(const ArithmeticOptions& o) {
  require_in_range("arithmetic.max_terms", o.max_terms, 1, 8);
  require_in_range("arithmetic.min_terms", o.min_terms, 1, o.max_terms);
  require_in_range("arithmetic.max_digits", o.max_digits, 1, 6);
  require_in_range("arithmetic.min_digits", o.min_digits, 1, o.max_digits);
  require_in_range("arithmetic.decimal_places", o.decimal_places, 1, 6);
  require_in_range("arithmetic.group_share", o.group_share, 0, 1);
  require_in_range("arithmetic.held_out_modulus", o.held_out_modulus, 0, 1'000'000);
  const bool is_decimal = o.numbers == NumberKind::kDecimal;
  require_operations("arithmetic.operations", o.operations, is_decimal ? "+-*" : "+-*/");
  if (o.max_terms * height_digits(o) > kMaxHeightDigits) {
    throw Error("arithmetic.max_terms",
                fmt::format("{} terms of up to {} digits may pass what is computed exactly ({} digits in all)",
                            o.max_terms, height_digits(o), kMaxHeightDigits),
                "lower max_terms, max_digits or decimal_places");
  }
}

ArithmeticInstance make_arithmetic(const ArithmeticOptions& options, Split split, uint64_t seed, uint64_t index) {
  Maker maker{options, RandomStream(seed, kStream + static_cast<uint64_t>(split), index)};
  for (int attempt = 0; attempt < kInstanceTries; ++attempt) {
    if (auto instance = try_instance(options, split, maker)) return *instance;
  }
  throw Error("arithmetic", fmt::format("{} random expressions held none for this split", kInstanceTries),
              "allow more terms, digits or operations, or lower held_out_modulus");
}

QuestionSet arithmetic_set(const ArithmeticOptions& options, Split split, uint64_t seed, uint64_t size) {
  validate(options);
  const auto at = [=](uint64_t index) {
    const auto instance = make_arithmetic(options, split, seed, index);
    return Question{.id = generated_id("arithmetic", split, seed, index),
                    .task = "arithmetic",
                    .text = question_text(options, instance.expression, seed, index),
                    .answer = instance.answer,
                    .metadata_json = fmt::format(R"({{"expression":"{}"}})", instance.expression)};
  };
  return {.name = generated_name("arithmetic", split, seed), .size = size, .at = at};
}

}  // namespace r1::tasks
