#include "tasks/arithmetic.h"

#include <boost/multiprecision/cpp_int.hpp>
#include <set>

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1::tasks;
using BigRational = boost::multiprecision::cpp_rational;

namespace {

// An evaluator of its own, over unbounded rationals: the generator's answers are checked against it.
class Evaluator {
 public:
  explicit Evaluator(std::string_view text) : text_(text) {}

  BigRational run() {
    const auto value = sum();
    REQUIRE(at_ == text_.size());
    return value;
  }

 private:
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  BigRational sum() {
    auto value = product();
    while (peek() == '+' || peek() == '-') value += text_[at_++] == '+' ? product() : BigRational(-product());
    return value;
  }

  BigRational product() {
    auto value = atom();
    while (peek() == '*' || peek() == '/') {
      const char operation = text_[at_++];
      const auto next = atom();
      value = operation == '*' ? BigRational(value * next) : BigRational(value / next);
    }
    return value;
  }

  BigRational atom() {
    if (peek() == '(') {
      ++at_;
      const auto value = sum();
      REQUIRE(peek() == ')');
      ++at_;
      return value;
    }
    BigRational value = 0, unit = 1;
    REQUIRE(std::isdigit(peek()));
    for (bool after_point = false; at_ < text_.size() && (std::isdigit(text_[at_]) || text_[at_] == '.'); ++at_) {
      if (text_[at_] == '.') {
        after_point = true;
        continue;
      }
      value = value * 10 + (text_[at_] - '0');
      if (after_point) unit *= 10;
    }
    return value / unit;
  }

  std::string_view text_;
  size_t at_ = 0;
};

BigRational read_answer(std::string text) {
  const bool is_negative = text[0] == '-';
  if (is_negative) text.erase(0, 1);
  const auto value = Evaluator(text).run();
  return is_negative ? BigRational(-value) : value;
}

struct Row {
  std::string_view why;
  ArithmeticOptions options;
};

const Row kRows[]{
    {"chain sums", {}},
    {"products", {.min_terms = 2, .max_terms = 4, .max_digits = 4, .operations = "*"}},
    {"precedence without parentheses", {.min_terms = 4, .max_terms = 8, .operations = "+-*"}},
    {"parentheses", {.min_terms = 3, .max_terms = 8, .operations = "+-*", .group_share = 0.5}},
    {"division", {.min_terms = 2, .max_terms = 6, .operations = "+-*/", .group_share = 0.4}},
    {"decimals", {.max_terms = 4, .operations = "+-*", .group_share = 0.3, .numbers = NumberKind::kDecimal}},
    {"decimals of many places",
     {.max_terms = 4, .max_digits = 1, .operations = "*", .numbers = NumberKind::kDecimal, .decimal_places = 6}},
    {"fractions", {.max_terms = 4, .operations = "+-*/", .numbers = NumberKind::kFraction}},
    {"the largest numbers", {.min_terms = 6, .max_terms = 6, .min_digits = 6, .max_digits = 6, .operations = "*"}},
};

}  // namespace

TEST_CASE("arithmetic answers equal an independent evaluation") {
  const auto row = GENERATE(from_range(std::begin(kRows), std::end(kRows)));
  INFO(row.why);
  for (uint64_t index = 0; index < 300; ++index) {
    const auto instance = make_arithmetic(row.options, Split::kTrain, 3, index);
    INFO(instance.expression << " = " << instance.answer);
    REQUIRE(Evaluator(instance.expression).run() == read_answer(instance.answer));
  }
}

TEST_CASE("arithmetic answers are written in their shortest form") {
  for (uint64_t index = 0; index < 500; ++index) {
    const auto decimal = make_arithmetic({.numbers = NumberKind::kDecimal}, Split::kAll, 1, index).answer;
    if (decimal.find('.') != decimal.npos) REQUIRE(decimal.back() != '0');
    REQUIRE(decimal.back() != '.');
    REQUIRE(decimal != "-0");
    const auto fraction =
        make_arithmetic({.operations = "+-*/", .numbers = NumberKind::kFraction}, Split::kAll, 1, index).answer;
    const auto slash = fraction.find('/');
    if (slash == fraction.npos) continue;
    const auto numerator = std::stoll(fraction), denominator = std::stoll(fraction.substr(slash + 1));
    REQUIRE(denominator > 1);
    REQUIRE(std::gcd(numerator, denominator) == 1);
  }
}

TEST_CASE("terms and digits stay within their ranges") {
  const ArithmeticOptions o{.min_terms = 2, .max_terms = 4, .min_digits = 2, .max_digits = 3};
  std::set<size_t> num_terms;
  for (uint64_t index = 0; index < 300; ++index) {
    const auto text = make_arithmetic(o, Split::kAll, 1, index).expression;
    size_t terms = 0;
    for (size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(' ', at), text.size());
      if (std::isdigit(text[at])) {
        ++terms;
        REQUIRE((end - at >= 2 && end - at <= 3));
        REQUIRE(text[at] != '0');
      }
      at = end + 1;
    }
    num_terms.insert(terms);
  }
  CHECK(num_terms == std::set<size_t>{2, 3, 4});
}

TEST_CASE("parentheses appear by their share, and never around a whole expression") {
  const ArithmeticOptions none{.min_terms = 3, .max_terms = 5},
      often{.min_terms = 3, .max_terms = 5, .group_share = 0.5};
  int num_grouped = 0;
  for (uint64_t index = 0; index < 300; ++index) {
    REQUIRE(make_arithmetic(none, Split::kAll, 1, index).expression.find('(') == std::string::npos);
    const auto text = make_arithmetic(often, Split::kAll, 1, index).expression;
    num_grouped += text.find('(') != text.npos;
    if (text[0] != '(') continue;
    size_t end = 0;  // where the first parenthesis closes
    for (int depth = 1; depth > 0;) depth += text[++end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    REQUIRE(end < text.size() - 1);
  }
  CHECK(num_grouped > 100);
}

TEST_CASE("answers can be kept from being negative") {
  const ArithmeticOptions o{.operations = "-", .answers = AnswerSign::kNonNegative};
  for (uint64_t index = 0; index < 300; ++index) REQUIRE(make_arithmetic(o, Split::kAll, 1, index).answer[0] != '-');
}

TEST_CASE("no held-out expression is in training, for any seed") {
  const ArithmeticOptions o{.max_terms = 2, .max_digits = 1};
  std::set<std::string> train;
  for (uint64_t index = 0; index < 2000; ++index) {
    train.insert(make_arithmetic(o, Split::kTrain, 1, index).expression);
    train.insert(make_arithmetic(o, Split::kTrain, 2, index).expression);
  }
  for (uint64_t index = 0; index < 500; ++index) {
    REQUIRE(train.count(make_arithmetic(o, Split::kHeldOut, 3, index).expression) == 0);
  }
  CHECK(train.size() > 150);  // of 2 * 10 * 10 expressions nine tenths
  CHECK(train.size() < 190);
}

TEST_CASE("an arithmetic question is a pure function of seed and index, in several wordings") {
  const auto set = arithmetic_set({}, Split::kTrain, 5, kEndless);
  std::set<std::string> openings;
  for (uint64_t index = 0; index < 100; ++index) {
    const auto question = set.at(index);
    REQUIRE(question.text == set.at(index).text);
    REQUIRE(question.task == "arithmetic");
    REQUIRE(question.id == fmt::format("arithmetic-train-s5-{}", index));
    openings.insert(question.text.substr(0, question.text.find(' ')));
  }
  CHECK(openings == std::set<std::string>{"What", "Compute", "Calculate", "Find", "Evaluate", "How"});

  const auto plain = arithmetic_set({.wording = Wording::kPlain}, Split::kTrain, 5, kEndless).at(0);
  CHECK_THAT(plain.text, Catch::EndsWith(" ="));
}

TEST_CASE("arithmetic options that cannot work are refused by name") {
  struct Refusal {
    std::string_view why;
    ArithmeticOptions options;
    std::string says;
  };
  const auto row = GENERATE(values<Refusal>({
      {"no terms", {.min_terms = 0}, "arithmetic.min_terms"},
      {"an empty range of terms", {.min_terms = 4, .max_terms = 3}, "arithmetic.min_terms"},
      {"too many digits", {.max_digits = 7}, "arithmetic.max_digits"},
      {"a chance that is none", {.group_share = 1.1}, "arithmetic.group_share"},
      {"decimals that may not end", {.operations = "+/", .numbers = NumberKind::kDecimal}, "holds '/'"},
      {"numbers beyond exact arithmetic", {.max_terms = 8, .max_digits = 6}, "36 digits in all"},
  }));
  INFO(row.why);
  CHECK_THROWS_WITH(validate(row.options), Catch::Contains(row.says));
}
