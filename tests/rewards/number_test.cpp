#include "rewards/number.h"

#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

using std::string_literals::operator""s;

struct Row {
  std::string_view why;
  std::string answer;
  std::string gold;
};

const Row kRight[]{
    {"an integer", "12", "12"},
    {"blanks around", " 12\n", "12"},
    {"leading zeros", "0012", "12"},
    {"a plus sign", "+12", "12"},
    {"a negative number", "-12", "-12"},
    {"a minus of U+2212",
     "\xE2\x88\x92"
     "12",
     "-12"},
    {"a blank after the sign", "- 12", "-12"},
    {"minus zero", "-0", "0"},
    {"closing zeros", "12.00", "12"},
    {"a point without digits", "12.", "12"},
    {"no digit before the point", ".5", "0.5"},
    {"thousands", "1,234,567", "1234567"},
    {"thousands in LaTeX", "1{,}234", "1234"},
    {"thousands with thin spaces", "1\\,234\\,567", "1234567"},
    {"thousands and decimals", "1,234.50", "1234.5"},
    {"a fraction", "3/4", "0.75"},
    {"a fraction not in lowest terms", "6/8", "3/4"},
    {"a negative fraction", "-3/4", "-0.75"},
    {"blanks around the bar", "3 / 4", "3/4"},
    {"a fraction of decimals", "1.5/2", "3/4"},
    {"a fraction that is whole", "8/4", "2"},
    {"frac", "\\frac{3}{4}", "0.75"},
    {"dfrac", "\\dfrac{3}{4}", "3/4"},
    {"frac without braces", "\\frac34", "3/4"},
    {"signs in a frac", "\\frac{-3}{-4}", "3/4"},
    {"a sign before a frac", "-\\frac{3}{4}", "-3/4"},
    {"a negative denominator", "\\frac{3}{-4}", "-3/4"},
    {"thirds are exact", "\\frac{1}{3}", "2/6"},
    {"scientific notation", "1.5e3", "1500"},
    {"a negative exponent", "25E-2", "1/4"},
    {"a plus in the exponent", "1e+20", "100000000000000000000"},
    {"dollars", "$12$", "12"},
    {"double dollars", "$$ 12 $$", "12"},
    {"LaTeX parentheses", "\\(12\\)", "12"},
    {"LaTeX brackets", "\\[ 12 \\]", "12"},
    {"bold", "**12**", "12"},
    {"a full stop", "12.5.", "12.5"},
    {"a full stop behind bold mathematics", "**$12$**.", "12"},
    {"more digits than a double holds", "123456789012345678901234567890", "123456789012345678901234567890"},
    {"0.1 + 0.2", "0.3", "0.30000000000000000000000000000000000000000"},
    {"percent where the key has it", "25%", "25%"},
    {"percent in LaTeX", "25\\%", "25%"},
    {"percent after a blank", "25 %", "25%"},
    {"percent as a share", "0.25", "25%"},
    {"percent as a fraction", "1/4", "25%"},
    {"percent without its sign", "25", "25\\%"},
};

const Row kWrong[]{
    {"another number", "13", "12"},
    {"the other sign", "12", "-12"},
    {"a digit more", "123", "12"},
    {"rounded", "0.333", "1/3"},
    {"rounded far out", "0.33333333333333333333333333333333333", "1/3"},
    {"nearly, beyond a double", "0.30000000000000000000000000000000000000001", "0.3"},
    {"nearly, as a large integer", "123456789012345678901234567891", "123456789012345678901234567890"},
    {"nothing", "", "12"},
    {"a word", "twelve", "12"},
    {"a unit", "12 apples", "12"},
    {"a unit in LaTeX", "12\\text{ cm}", "12"},
    {"currency", "$12", "12"},
    {"an equation", "x = 12", "12"},
    {"an expression", "10+2", "12"},
    {"a power", "12^1", "12"},
    {"two numbers", "12 13", "12"},
    {"two numbers on two lines", "12\n13", "12"},
    {"the same number twice", "12 12", "12"},
    {"a list", "12, 13", "12"},
    {"a choice", "12 or 13", "12"},
    {"a range", "12-13", "12"},
    {"two signs", "--12", "12"},
    {"plus and minus", "+-12", "-12"},
    {"plus or minus", "\\pm 12", "12"},
    {"two points", "1.2.3", "1.2"},
    {"only a point", ".", "0"},
    {"only a sign", "-", "0"},
    {"commas in wrong places", "12,34", "1234"},
    {"a group of two", "1,23", "123"},
    {"a group of four", "1,2345", "12345"},
    {"a first group of four", "1234,567", "1234567"},
    {"a comma first", ",123", "123"},
    {"mixed separators", "1,234{,}567", "1234567"},
    {"decimal comma", "1.234,5", "1234.5"},
    {"division by zero", "1/0", "0"},
    {"zero by zero", "0/0", "0"},
    {"a frac over zero", "\\frac{1}{0}", "0"},
    {"two bars", "1/2/3", "1/6"},
    {"a mixed number", "1 1/2", "3/2"},
    {"a frac without its second part", "\\frac{1}", "1"},
    {"an unclosed frac", "\\frac{1}{2", "1/2"},
    {"fracs in a frac", "\\frac{\\frac{1}{2}}{3}", "1/6"},
    {"infinity", "inf", "12"},
    {"LaTeX infinity", "\\infty", "12"},
    {"not a number", "nan", "12"},
    {"hexadecimal", "0xC", "12"},
    {"digit separators of code", "1_2", "12"},
    {"an exponent that is cut off", "12e", "12"},
    {"an exponent that is huge", "1e999999999", "12"},
    {"full-width digits", "\xEF\xBC\x91\xEF\xBC\x92", "12"},
    {"Arabic digits", "\xD9\xA1\xD9\xA2", "12"},
    {"a NUL byte", "12\0"s, "12"},
    {"invalid UTF-8", "12\xFF", "12"},
    {"an escape", "\x1b[1m12", "12"},
    {"percent that the key does not have", "12%", "12"},
    {"percent that the key does not have, as a share", "50%", "0.5"},
    {"a permille", "25\xE2\x80\xB0", "25%"},
    {"percent of percent", "0.25%", "25%"},
    {"unbalanced dollars", "12$", "12"},
    {"only delimiters", "$$", "0"},
    {"the key's text within a sentence", "it is not 12", "12"},
};

}  // namespace

TEST_CASE("equal numbers are right in every usual spelling") {
  const auto row = GENERATE(from_range(std::begin(kRight), std::end(kRight)));
  INFO(row.why << ": " << row.answer << " for " << row.gold);
  const auto judgement = check_number(row.answer, row.gold);
  INFO(judgement.detail);
  CHECK(judgement.verdict == Verdict::kRight);
}

TEST_CASE("nothing else is right, and each is told why") {
  const auto row = GENERATE(from_range(std::begin(kWrong), std::end(kWrong)));
  INFO(row.why << ": " << row.answer << " for " << row.gold);
  const auto judgement = check_number(row.answer, row.gold);
  CHECK(judgement.verdict == Verdict::kWrong);
  CHECK_FALSE(judgement.detail.empty());
  for (const unsigned char c : judgement.detail) REQUIRE((c >= 0x20 && c != 0x7F));  // fit for a terminal
}

TEST_CASE("an answer key that is no number is undecided, whatever the answer") {
  for (const char* gold : {"", "twelve", "x+1", "1/0", "12 apples", "nan"}) {
    for (const char* answer : {"12", gold}) {
      INFO(gold << " " << answer);
      CHECK(check_number(answer, gold).verdict == Verdict::kUndecided);
    }
    const NumberReward reward({});
    for (const char* completion : {"", "<answer>12</answer>"}) {
      const auto score = reward.score({.answer = gold}, completion, FinishReason::kStop);
      CHECK(score.verdict == Verdict::kUndecided);
      CHECK(score.value == 0);
    }
  }
}

TEST_CASE("huge numbers are compared exactly up to a bound, and refused above it, quickly") {
  const double begin = cpu_seconds();
  const std::string nines(10'000, '9'), more(10'001, '9'), megabytes(5'000'000, '9');
  CHECK(check_number(nines, nines).verdict == Verdict::kRight);
  CHECK(check_number(nines.substr(1) + "8", nines).verdict == Verdict::kWrong);
  CHECK(check_number(nines + "/" + nines, "1").verdict == Verdict::kRight);
  CHECK(check_number(more, "9").verdict == Verdict::kWrong);
  CHECK(check_number(megabytes, "9").verdict == Verdict::kWrong);
  CHECK(check_number("1e10000/1e-10000", "1e10000").verdict == Verdict::kWrong);
  CHECK(check_number(std::string(1'000'000, '-') + "9", "9").verdict == Verdict::kWrong);
  CHECK(cpu_seconds() - begin < 5 * kSlowdown);
}

TEST_CASE("the last number of a text counts, if asked") {
  const Row row = GENERATE(values<Row>({
      {"a sentence", "The answer is 12.", "12"},
      {"a unit", "12 apples", "12"},
      {"an equation", "3 + 9 = 12", "12"},
      {"a negative number", "so it is -12", "-12"},
      {"a minus of U+2212",
       "so it is \xE2\x88\x92"
       "12",
       "-12"},
      {"a subtraction", "(15)-3", "3"},
      {"thousands", "about 1,234 m", "1234"},
      {"a list", "1, 2, 3", "3"},
      {"a fraction", "it is 3/4 of it", "0.75"},
      {"a frac", "it is \\frac{3}{4}, then", "0.75"},
      {"a decimal at the end", "It is 12.5.", "12.5"},
      {"dots", "It is 12...", "12"},
      {"a word behind a bar", "12 / person", "12"},
      {"an ordinal is none", "12 is the 3rd", "12"},
      {"a name is none", "12 of x2", "12"},
      {"a version is none", "12 in 1.2.3", "12"},
      {"a power is none", "12 in 10^2", "10"},
      {"a superscript is none", "12 in 10\xC2\xB2", "12"},
      {"Chinese punctuation",
       "\xE7\xAD\x94\xE6\xA1\x88\xE6\x98\xAF"
       "12\xE3\x80\x82",
       "12"},
  }));
  INFO(row.why << ": " << row.answer);
  const auto judgement = check_number(row.answer, row.gold, Reading::kLastNumber);
  INFO(judgement.detail);
  CHECK(judgement.verdict == Verdict::kRight);
}

TEST_CASE("no number in a text is no answer") {
  for (const char* text : {"", "none", "x2", "3rd", "1/0", "\\frac{1}{0}"}) {
    INFO(text);
    CHECK(check_number(text, "1", Reading::kLastNumber).verdict == Verdict::kWrong);
  }
}

TEST_CASE("looking for the last number takes linear time in any text") {
  const double begin = cpu_seconds();
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    return text;
  };
  for (const std::string_view part :
       {"1,111", "1e-9999 ", "9", "1/", "\\frac{", "-", "1.", ".", "1 ", "\\", " ", "1e", ",111"}) {
    INFO(part);
    check_number(repeated(part), "12", Reading::kLastNumber);
    CHECK(check_number(repeated(part) + " = 12", "12", Reading::kLastNumber).verdict == Verdict::kRight);
  }
  CHECK(cpu_seconds() - begin < 10 * kSlowdown);
}

TEST_CASE("the number reward finds the answer where it is told to look") {
  struct Case {
    std::string_view why;
    AnswerPlace place;
    std::string completion;
    double value;
  };
  const auto row = GENERATE(values<Case>({
      {"an answer block", AnswerPlace::kTagOrBoxed, "<think>4*3</think><answer>12</answer>", 1},
      {"a box", AnswerPlace::kTagOrBoxed, "It is \\boxed{12}.", 1},
      {"a block before a box", AnswerPlace::kTagOrBoxed, "<answer>12</answer> \\boxed{13}", 1},
      {"a box in the block", AnswerPlace::kTagOrBoxed, "<answer>It is \\boxed{12}</answer>", 1},
      {"a sentence in the block", AnswerPlace::kTagOrBoxed, "<answer>It is 12</answer>", 0},
      {"a block where only boxes count", AnswerPlace::kBoxed, "<answer>12</answer>", 0},
      {"a box where only blocks count", AnswerPlace::kTag, "\\boxed{12}", 0},
      {"a box in a block where only boxes count", AnswerPlace::kBoxed, "<answer>\\boxed{12}</answer>", 1},
      {"a draft in the reasoning", AnswerPlace::kTagOrBoxed, "<think>\\boxed{12}</think> so it is 13", 0},
      {"nothing marked", AnswerPlace::kTagOrBoxed, "12", 0},
      {"nothing marked, where that is fine", AnswerPlace::kAnywhere, "<think>13</think> 12 ", 1},
      {"an unclosed block", AnswerPlace::kTagOrBoxed, "<answer>12", 0},
      {"the last of two blocks", AnswerPlace::kTagOrBoxed, "<answer>13</answer><answer>12</answer>", 1},
      {"the first of two blocks", AnswerPlace::kTagOrBoxed, "<answer>12</answer><answer>13</answer>", 0},
  }));
  INFO(row.why << ": " << row.completion);
  const NumberReward reward({.place = row.place});
  CHECK(reward.score({.answer = "12"}, row.completion, FinishReason::kStop).value == row.value);
}

TEST_CASE("of several boxes the last counts, or all must be right") {
  const Prompt prompt{.answer = "12"};
  const NumberReward last({}), all({.several_boxes = SeveralBoxes::kAllAgree});
  const auto value = [&](const NumberReward& reward, std::string_view text) {
    return reward.score(prompt, text, FinishReason::kStop).value;
  };
  CHECK(value(last, "\\boxed{13} no, \\boxed{12}") == 1);
  CHECK(value(last, "\\boxed{12} no, \\boxed{13}") == 0);
  CHECK(value(all, "\\boxed{13} no, \\boxed{12}") == 0);
  CHECK(value(all, "\\boxed{12.0} that is \\boxed{12}") == 1);
  CHECK(value(all, "\\boxed{12}") == 1);
}
