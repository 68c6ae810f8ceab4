#include "rewards/countdown.h"

#include "tasks/countdown.h"
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

using std::string_literals::operator""s;

Judgement check(std::string_view answer, std::string_view key, const CountdownOptions& options = {}) {
  const auto read = tasks::parse_key(key);
  REQUIRE(read);
  return check_countdown(answer, *read, options);
}

struct Row {
  std::string_view why;
  std::string answer;
  std::string_view key;
};

const Row kRight[]{
    {"as the traces write it", "(3*5)+2", "2 3 5 = 17"},
    {"precedence without parentheses", "2+3*5", "2 3 5 = 17"},
    {"blanks and newlines between tokens", " 2 +\n3 *\t5 ", "2 3 5 = 17"},
    {"needless parentheses", "(((2)))+((3*5))", "2 3 5 = 17"},
    {"minus is left to right", "10-5-2", "2 5 10 = 3"},
    {"a negative intermediate result", "3-5+4", "3 4 5 = 2"},
    {"division is exact, through fractions", "5/2*4", "2 4 5 = 10 using + - * /"},
    {"one third is exact", "8/(3-8/3)", "3 3 8 8 = 24 using + - * /"},
    {"the same number as often as it is given", "2*2*2", "2 2 2 = 8"},
    {"zero is a number", "0+5", "0 5 = 5"},
    {"x for times", "3x5+2", "2 3 5 = 17"},
    {"capital X for times", "3 X 5 + 2", "2 3 5 = 17"},
    {"U+00D7 for times",
     "3\xC3\x97"
     "5+2",
     "2 3 5 = 17"},
    {"U+22C5 for times",
     "3\xE2\x8B\x85"
     "5+2",
     "2 3 5 = 17"},
    {"U+2212 for minus",
     "5\xE2\x88\x92"
     "3",
     "3 5 = 2"},
    {"U+00F7 for division",
     "6\xC3\xB7"
     "3",
     "3 6 = 2 using /"},
    {"a sign where the key allows it", "-3+5", "3 5 = 2 using + neg"},
    {"a sign after an operation", "5*-3+20", "3 5 20 = 5 using + * neg"},
    {"a sign before a parenthesis", "-(3-5)", "3 5 = 2 using - neg"},
    {"a sign after minus", "5--3", "3 5 = 8 using - neg"},
    {"large numbers", "1000000*1000000", "1000000 1000000 = 1000000000000"},
};

const Row kWrong[]{
    {"another value", "3+5+2", "2 3 5 = 17"},
    {"nearly", "2*3*5", "2 3 5 = 29"},
    {"a number left out", "5+2", "2 3 5 = 7"},
    {"a number used twice", "3*5+2+2-2", "2 3 5 = 17"},
    {"a number that was not given", "3*5+2+0", "2 3 5 = 17"},
    {"the target itself", "17", "2 3 5 = 17"},
    {"the target plus nothing", "17+2-2", "2 3 5 = 17"},
    {"an answer that is the question", "3 5 2 = 17", "2 3 5 = 17"},
    {"nothing", "", "2 3 5 = 17"},
    {"only blanks", "  \n", "2 3 5 = 17"},
    {"the power operator of Python", "3**5+2", "2 3 5 = 245"},
    {"a tower of powers", "9**9**9", "9 9 9 = 1"},
    {"a caret", "3^5+2", "2 3 5 = 245"},
    {"floor division", "5//2+3", "2 3 5 = 5 using + - * /"},
    {"remainder", "5%2+3", "2 3 5 = 4"},
    {"division where it is not allowed", "6/3", "3 6 = 2"},
    {"minus where it is not allowed", "6-3", "3 6 = 3 using +"},
    {"division by zero", "5/0", "0 5 = 5 using /"},
    {"division by a zero made of others", "5/(2-2)", "2 2 5 = 5 using - /"},
    {"juxtaposed numbers", "3 5 2", "2 3 5 = 352"},
    {"numbers glued together", "35+2", "2 3 5 = 37"},
    {"a number against a parenthesis", "3(5)+2", "2 3 5 = 17"},
    {"parentheses against each other", "(3)(5)+2", "2 3 5 = 17"},
    {"a sign where the key allows none", "-3+5", "3 5 = 2"},
    {"a plus sign", "+3+5", "3 5 = 8"},
    {"two signs", "--3+5", "3 5 = 8 using + - neg"},
    {"three minuses", "5---3", "3 5 = 2 using - neg"},
    {"a sign after minus where signs are not allowed", "5--3", "3 5 = 8"},
    {"leading zeros", "03+5", "3 5 = 8"},
    {"a decimal point", "3.0+5", "3 5 = 8"},
    {"scientific notation", "3e0+5", "3 5 = 8"},
    {"digit separators", "1_0+5", "5 10 = 15"},
    {"hexadecimal", "0xA+5", "5 10 = 15"},
    {"full-width digits", "\xEF\xBC\x93+5", "3 5 = 8"},
    {"Arabic digits", "\xD9\xA3+5", "3 5 = 8"},
    {"superscript digits", "3\xC2\xB2+5", "3 5 = 14"},
    {"an unclosed parenthesis", "(3+5", "3 5 = 8"},
    {"a parenthesis too many", "3+5)", "3 5 = 8"},
    {"empty parentheses", "3+5+()", "3 5 = 8"},
    {"square brackets", "[3+5]", "3 5 = 8"},
    {"an operation with nothing after it", "3+5+", "3 5 = 8"},
    {"an operation with nothing before it", "*3+5", "3 5 = 8"},
    {"two operations", "3+*5", "3 5 = 8"},
    {"an equals sign and the target", "3+5=8", "3 5 = 8"},
    {"words", "the answer is 3+5", "3 5 = 8"},
    {"words behind", "3+5 yes", "3 5 = 8"},
    {"a call", "max(3,5)+3", "3 3 5 = 8"},
    {"a NUL byte within", "3+5\0"s, "3 5 = 8"},
    {"what follows a NUL byte", "3+5\0*0"s, "3 5 = 8"},
    {"invalid UTF-8", "3+5\xFF", "3 5 = 8"},
    {"a terminal escape", "\x1b[31m3+5", "3 5 = 8"},
    {"a comment", "3+5#8", "3 5 = 8"},
    {"a second line with another answer", "3+5\n5*3", "3 5 = 8"},
    {"a number beyond 64 bits", "99999999999999999999+5", "5 9 = 8"},
    {"a fraction that truncates to the target", "5/2", "2 5 = 2 using /"},
    {"a comparison", "3+5==8", "3 5 = 8"},
    {"two answers", "3+5, 5+3", "3 5 = 8"},
    {"x without an operand", "x3x5", "3 5 = 15"},
};

}  // namespace

TEST_CASE("right countdown answers are right") {
  const auto row = GENERATE(from_range(std::begin(kRight), std::end(kRight)));
  INFO(row.why << ": " << row.answer);
  const auto judgement = check(row.answer, row.key);
  INFO(judgement.detail);
  CHECK(judgement.verdict == Verdict::kRight);
  CHECK(judgement.detail.empty());
}

TEST_CASE("no trick makes a countdown answer right, and each is told why it is wrong") {
  const auto row = GENERATE(from_range(std::begin(kWrong), std::end(kWrong)));
  INFO(row.why << ": " << row.answer);
  const auto judgement = check(row.answer, row.key);
  CHECK(judgement.verdict == Verdict::kWrong);
  CHECK_FALSE(judgement.detail.empty());
  for (const char c : judgement.detail) REQUIRE((c >= 0x20 && c < 0x7F));  // fit for a terminal
}

TEST_CASE("details name what differs") {
  CHECK(check("3+5", "3 5 = 9").detail == "it equals 8, not 9");
  CHECK(check("5/2", "2 5 = 9 using /").detail == "it equals 5/2, not 9");
  CHECK(check("3+4", "3 5 = 9").detail == "it uses the numbers [3 4], not [3 5]");
  CHECK(check("5/3", "3 5 = 9").detail == "'/' is not allowed here");
  CHECK(check("3\x01", "3 = 3").detail == "byte 0x01 is not part of an expression");
}

TEST_CASE("strict spelling takes ASCII operations only") {
  const CountdownOptions strict{.spelling = Spelling::kAscii};
  CHECK(check("3*5", "3 5 = 15", strict).verdict == Verdict::kRight);
  for (const char* answer : {"3x5", "3X5",
                             "3\xC3\x97"
                             "5"}) {
    CHECK(check(answer, "3 5 = 15", strict).verdict == Verdict::kWrong);
  }
}

TEST_CASE("a trailing equals sign counts only if allowed, and only with the target") {
  const CountdownOptions allowed{.trailing_equals = TrailingEquals::kAllowed};
  CHECK(check("3+5 = 8", "3 5 = 8", allowed).verdict == Verdict::kRight);
  CHECK(check("3+5", "3 5 = 8", allowed).verdict == Verdict::kRight);
  for (const char* answer : {"3+5=9", "3+5=", "3+5=8=8", "=8", "3-5=8", "8=3+5", "3+5=08", "3+5=4+4"}) {
    INFO(answer);
    CHECK(check(answer, "3 5 = 8", allowed).verdict == Verdict::kWrong);
  }
}

TEST_CASE("huge and deep answers are refused quickly") {
  const double begin = cpu_seconds();
  const std::string deep(2000, '('), long_sum(5'000'000, '1'), closed(2000, ')');
  CHECK(check(deep + "3+5" + closed, "3 5 = 8").detail == "its parentheses are nested too deep");
  CHECK_THAT(check(long_sum, "3 5 = 8").detail, Catch::Contains("5000000 bytes"));
  CHECK(check(std::string(4000, '('), "3 5 = 8").verdict == Verdict::kWrong);
  CHECK(check(std::string(4000, '-') + "3", "3 = 3 using - neg").verdict == Verdict::kWrong);
  CHECK(check(std::string(90, '(') + "3+5" + std::string(90, ')'), "3 5 = 8").verdict == Verdict::kRight);
  CHECK(cpu_seconds() - begin < 2 * kSlowdown);
}

TEST_CASE("every solution that the search finds is right, and no other target's is") {
  const tasks::CountdownOptions options{.num_numbers = 4, .operations = "+-*/"};
  for (uint64_t index = 0; index < 20; ++index) {
    const auto instance = tasks::make_countdown(options, tasks::Split::kAll, 3, index);
    tasks::CountdownKey key{.numbers = {instance.numbers.begin(), instance.numbers.end()},
                            .target = instance.target,
                            .operations = options.operations};
    key = tasks::parse_key(tasks::format_key(key)).value();
    for (const auto& answer : tasks::solve_countdown(instance.numbers, instance.target, options)) {
      REQUIRE(check_countdown(answer, key).verdict == Verdict::kRight);
      auto other = key;
      ++other.target;
      REQUIRE(check_countdown(answer, other).verdict == Verdict::kWrong);
    }
  }
}

TEST_CASE("the countdown reward reads the answer block") {
  const CountdownReward reward({});
  const Prompt prompt{.task = "countdown", .answer = "2 3 5 = 17"};
  const auto score = [&](std::string_view text) { return reward.score(prompt, text, FinishReason::kStop); };
  CHECK(score("<think>3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 yes</think><answer>(3*5)+2</answer>").value == 1);
  CHECK(score("<answer>(3*5)+2</answer>").value == 1);
  CHECK(score("So \\boxed{3*5+2}").value == 1);
  CHECK(score("<answer>2+3+5</answer><answer>(3*5)+2</answer>").value == 1);
  CHECK(score("<answer>(3*5)+2</answer><answer>2+3+5</answer>").value == 0);
  CHECK(score("<think><answer>(3*5)+2</answer></think>").value == 0);
  CHECK(score("(3*5)+2").value == 0);
  CHECK(score("<answer>(3*5)+2").detail == "there is no answer");
  CHECK(score("").verdict == Verdict::kWrong);
}

TEST_CASE("an unreadable answer key is undecided, whatever the answer") {
  const CountdownReward reward({});
  for (const char* key : {"", "17", "a b = 17", "2 3 5 17"}) {
    const auto score = reward.score({.answer = key}, "<answer>17</answer>", FinishReason::kStop);
    CHECK(score.verdict == Verdict::kUndecided);
    CHECK(score.value == 0);
    CHECK_FALSE(score.detail.empty());
  }
}
