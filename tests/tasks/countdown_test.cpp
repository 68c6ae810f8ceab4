#include "tasks/countdown.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "tasks/countdown_key.h"
#include "tests/support/catch.h"

using namespace r1::tasks;

namespace {

// Value of the witness by plain replay, checking every rule on the way.
int replay(const CountdownInstance& instance, const CountdownOptions& options) {
  auto pool = instance.numbers;
  for (const auto& move : instance.witness) {
    REQUIRE(move.left != move.right);
    REQUIRE(std::max(move.left, move.right) < pool.size());
    const int a = pool[move.left], b = pool[move.right];
    int result = 0;
    if (move.operation == '+') result = a + b;
    if (move.operation == '-') result = a - b;
    if (move.operation == '*') result = a * b;
    if (move.operation == '/') {
      REQUIRE(b != 0);
      REQUIRE(a % b == 0);
      result = a / b;
    }
    REQUIRE(result >= 0);
    REQUIRE(result <= options.max_intermediate);
    play_move(pool, move, result);
  }
  REQUIRE(pool.size() == 1);
  return pool[0];
}

std::pair<std::vector<int>, int> canonical(const CountdownInstance& instance) {
  auto numbers = instance.numbers;
  std::sort(numbers.begin(), numbers.end());
  return {numbers, instance.target};
}

struct Shape {
  std::string_view why;
  CountdownOptions options;
};

const Shape kShapes[]{
    {"the quickstart's", {}},
    {"four numbers", {.num_numbers = 4, .max_number = 20, .max_target = 100}},
    {"six large numbers with exact division",
     {.num_numbers = 6,
      .max_number = 100,
      .min_target = 100,
      .max_target = 999,
      .max_intermediate = 5000,
      .operations = "+-*/"}},
    {"sums only", {.num_numbers = 5, .operations = "+"}},
    {"two numbers, products only, target 0 not reachable", {.num_numbers = 2, .operations = "*"}},
};

}  // namespace

TEST_CASE("every countdown question is solvable within its rules and ranges") {
  const auto shape = GENERATE(from_range(std::begin(kShapes), std::end(kShapes)));
  INFO(shape.why);
  const auto& o = shape.options;
  for (uint64_t index = 0; index < 500; ++index) {
    const auto instance = make_countdown(o, Split::kTrain, 7, index);
    REQUIRE(static_cast<int>(instance.numbers.size()) == o.num_numbers);
    for (const int number : instance.numbers) REQUIRE((number >= 1 && number <= o.max_number));
    REQUIRE((instance.target >= o.min_target && instance.target <= o.max_target));
    REQUIRE(replay(instance, o) == instance.target);
  }
}

TEST_CASE("a countdown question is a pure function of seed, split and index") {
  const CountdownOptions o;
  const auto at = [&](uint64_t seed, uint64_t index) {
    return countdown_prompt(make_countdown(o, Split::kTrain, seed, index));
  };
  CHECK(at(1, 5) == at(1, 5));
  int num_same = 0;
  for (uint64_t i = 0; i < 200; ++i) num_same += at(1, i) == at(2, i);
  CHECK(num_same < 10);
  num_same = 0;
  for (uint64_t i = 0; i < 200; ++i) num_same += at(1, i) == at(1, i + 1);
  CHECK(num_same < 10);
}

TEST_CASE("no held-out countdown instance is in training, whatever the seed and the order of numbers") {
  const CountdownOptions o;
  std::set<std::pair<std::vector<int>, int>> train, held_out;
  for (uint64_t index = 0; index < 20000; ++index) {
    train.insert(canonical(make_countdown(o, Split::kTrain, 1, index)));
    train.insert(canonical(make_countdown(o, Split::kTrain, 2, index)));
  }
  for (uint64_t index = 0; index < 5000; ++index)
    held_out.insert(canonical(make_countdown(o, Split::kHeldOut, 3, index)));

  for (const auto& instance : held_out) REQUIRE(train.count(instance) == 0);
  const double share = static_cast<double>(held_out.size()) / static_cast<double>(held_out.size() + train.size());
  CHECK(share == Approx(0.1).margin(0.03));
}

TEST_CASE("held_out_modulus 0 holds nothing out") {
  const CountdownOptions o{.held_out_modulus = 0};
  CHECK_NOTHROW(make_countdown(o, Split::kTrain, 1, 0));
  CHECK_THROWS_WITH(make_countdown(o, Split::kHeldOut, 1, 0), Catch::Contains("reached no target"));
}

TEST_CASE("instance_hash knows an instance in any order of its numbers, and tells instances apart") {
  const std::vector<int> a{3, 5, 2}, b{2, 3, 5}, c{2, 3, 6};
  CHECK(instance_hash(a, 17) == instance_hash(b, 17));
  CHECK(instance_hash(a, 17) != instance_hash(a, 18));
  CHECK(instance_hash(b, 17) != instance_hash(c, 17));
}

TEST_CASE("countdown_expression writes moves as an expression") {
  const CountdownOptions o;
  const std::vector<int> numbers{3, 5, 2};
  const CountdownMove product{0, 1, '*'}, then_sum{0, 1, '+'}, turned{1, 0, '-'};
  CHECK(countdown_expression(numbers, std::vector{product, then_sum}, o) == "(3*5)+2");
  CHECK(countdown_expression(std::vector<int>{3, 5, 20}, std::vector{product, turned}, o) == "20-(3*5)");
  CHECK(countdown_expression(std::vector<int>{7}, {}, o) == "7");
}

TEST_CASE("countdown_prompt writes numbers, target and a newline") {
  CHECK(countdown_prompt({.numbers = {3, 5, 2}, .target = 17}) == "3 5 2 = 17\n");
}

TEST_CASE("solve_countdown finds every solution once") {
  const CountdownOptions o;
  const std::vector<int> numbers{3, 5, 2};
  auto found = solve_countdown(numbers, 17, o);
  CHECK(found == std::vector<std::string>{"(3*5)+2"});
  CHECK(solve_countdown(numbers, 149, o).empty());

  found = solve_countdown(std::vector<int>{2, 2, 2}, 8, o);
  CHECK(found == std::vector<std::string>{"(2+2)*2", "(2*2)*2"});
}

TEST_CASE("for_each_attempt counts 27 ways for three numbers and 486 for four, if all are legal") {
  const CountdownOptions o{.max_intermediate = 1'000'000};
  const auto count = [&](std::vector<int> numbers) {
    int num_ways = 0;
    for_each_attempt(numbers, o, [&](auto, int) { ++num_ways; });
    return num_ways;
  };
  CHECK(count({3, 5, 2}) == 27);
  CHECK(count({3, 5, 2, 9}) == 486);
}

TEST_CASE("every question's target is among those the search reaches") {
  const CountdownOptions o{.operations = "+-*/"};
  for (uint64_t index = 0; index < 100; ++index) {
    const auto instance = make_countdown(o, Split::kAll, 11, index);
    REQUIRE_FALSE(solve_countdown(instance.numbers, instance.target, o).empty());
  }
}

TEST_CASE("targets use the whole range and every operation") {
  const CountdownOptions o;
  std::map<char, int> operations;
  int num_large = 0;
  for (uint64_t index = 0; index < 3000; ++index) {
    const auto instance = make_countdown(o, Split::kTrain, 5, index);
    for (const auto& move : instance.witness) ++operations[move.operation];
    num_large += instance.target > 75;
  }
  for (const char operation : o.operations) CHECK(operations[operation] > 1000);
  CHECK(num_large > 150);
}

TEST_CASE("a set of countdown questions carries ids, keys and metadata") {
  const auto set = countdown_set({}, Split::kHeldOut, 7, 100);
  CHECK(set.name == "countdown-held_out-s7");
  CHECK(set.size == 100);
  const auto question = set.at(12);
  CHECK(question.id == "countdown-held_out-s7-12");
  CHECK(question.task == "countdown");
  const auto instance = make_countdown({}, Split::kHeldOut, 7, 12);
  CHECK(question.text == countdown_prompt(instance));
  const auto key = parse_key(question.answer);
  REQUIRE(key);
  CHECK(key->target == instance.target);
  CHECK(std::is_permutation(key->numbers.begin(), key->numbers.end(), instance.numbers.begin()));
  CHECK_THAT(question.metadata_json, Catch::StartsWith("{\"numbers\":[") && Catch::Contains("\"target\":"));
}

TEST_CASE("countdown options that cannot work are refused by name") {
  struct Row {
    std::string_view why;
    CountdownOptions options;
    std::string says;
  };
  const auto row = GENERATE(values<Row>({
      {"one number is no task", {.num_numbers = 1}, "countdown.num_numbers"},
      {"seven numbers", {.num_numbers = 7}, "countdown.num_numbers"},
      {"numbers below 1", {.max_number = 0}, "countdown.max_number"},
      {"numbers above every step", {.max_number = 500}, "countdown.max_intermediate"},
      {"target above every step", {.max_target = 401}, "countdown.max_target"},
      {"an empty range of targets", {.min_target = 20, .max_target = 10}, "countdown.max_target"},
      {"an unknown operation", {.operations = "+^"}, "'+^' holds '^'"},
      {"an operation twice", {.operations = "++"}, "twice"},
      {"no operation", {.operations = ""}, "countdown.operations"},
      {"a negative modulus", {.held_out_modulus = -1}, "countdown.held_out_modulus"},
  }));
  INFO(row.why);
  CHECK_THROWS_WITH(validate(row.options), Catch::Contains(row.says));
}

TEST_CASE("targets that no expression reaches end in an error, not in an endless search") {
  const CountdownOptions o{.num_numbers = 2, .max_number = 2, .min_target = 150, .max_target = 150};
  CHECK_THROWS_WITH(make_countdown(o, Split::kAll, 1, 0), Catch::Contains("150"));
}

TEST_CASE("answer keys are written and read back") {
  struct Row {
    std::string_view why;
    CountdownKey key;
    std::string text;
  };
  const auto row = GENERATE(values<Row>({
      {"numbers are sorted", {.numbers = {3, 5, 2}, .target = 17}, "2 3 5 = 17"},
      {"division is named", {.numbers = {8, 4}, .target = 2, .operations = "+-*/"}, "4 8 = 2 using + - * /"},
      {"signs are named",
       {.numbers = {8}, .target = 8, .operations = "-", .allows_negation = true},
       "8 = 8 using - neg"},
      {"zero is a number", {.numbers = {0, 1}, .target = 0}, "0 1 = 0"},
  }));
  INFO(row.why);
  CHECK(format_key(row.key) == row.text);
  const auto read = parse_key(row.text);
  REQUIRE(read);
  CHECK(format_key(*read) == row.text);
  CHECK(read->target == row.key.target);
  CHECK(read->operations == row.key.operations);
  CHECK(read->allows_negation == row.key.allows_negation);
}

TEST_CASE("what is no answer key is not read as one") {
  struct Row {
    std::string_view why, text;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", ""},
      {"no numbers", "= 17"},
      {"no target", "2 3 ="},
      {"no equals sign", "2 3 5 17"},
      {"a negative number", "-2 3 = 1"},
      {"a sign", "+2 3 = 5"},
      {"a decimal", "2.5 2 = 5"},
      {"an expression", "2*3 = 6"},
      {"text after the target", "2 3 = 5 please"},
      {"an empty list of operations", "2 3 = 5 using"},
      {"only neg", "2 3 = 5 using neg"},
      {"an operation twice", "2 3 = 5 using + +"},
      {"an unknown operation", "2 3 = 5 using ^"},
      {"two equals signs", "2 3 = 5 = 5"},
      {"a number too large for 64 bits", "99999999999999999999 1 = 2"},
      {"numbers whose products pass 128 bits", "999999999999 999999999999 999999999999 999999999999 = 1"},
  }));
  INFO(row.why);
  CHECK_FALSE(parse_key(row.text).has_value());
}
