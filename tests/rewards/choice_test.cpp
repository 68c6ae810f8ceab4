#include "rewards/choice.h"

#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

constexpr std::string_view kKey = R"({"letter": "B", "options": ["3 m", "4 m", "Between 3 m and 4 m", "A"]})";

std::optional<char> letter(std::string_view answer, std::string_view key) {
  const auto read = parse_choice_key(key);
  REQUIRE(read);
  return chosen_letter(answer, *read);
}

}  // namespace

TEST_CASE("an answer chooses by its letter") {
  const auto answer = GENERATE(values<std::string_view>({"B",
                                                         "b",
                                                         "(B)",
                                                         "(b)",
                                                         "[B]",
                                                         "B.",
                                                         "B)",
                                                         "B:",
                                                         " B\n",
                                                         "**B**",
                                                         "$B$",
                                                         "\\text{B}",
                                                         "$\\mathrm{(B)}$",
                                                         "\\boxed{B}",
                                                         "\"B\"",
                                                         "option B",
                                                         "Option (B)",
                                                         "Answer: B",
                                                         "the answer is B",
                                                         "The correct answer is (B).",
                                                         "Answer: **B**",
                                                         "The final answer is: B",
                                                         "choice B"}));
  INFO(answer);
  CHECK(letter(answer, "B") == 'B');
}

TEST_CASE("where the options are known, an answer may choose by content") {
  struct Row {
    std::string_view answer;
    std::optional<char> letter;
  };
  const auto row = GENERATE(values<Row>({
      {"4 m", 'B'},
      {"4  M.", 'B'},
      {"**4 m**", 'B'},
      {"B) 4 m", 'B'},
      {"(B) 4 m", 'B'},
      {"B. 4 m.", 'B'},
      {"B: 4 m", 'B'},
      {"between 3 m and 4 m", 'C'},
      {"A", 'D'},  // the content of D
      {"B) 3 m", {}},
      {"4", {}},
      {"4 m or 3 m", {}},
      {"E", {}},
      {"E) 4 m", {}},
  }));
  INFO(row.answer);
  CHECK(letter(row.answer, kKey) == row.letter);
}

TEST_CASE("what chooses none, several or another alphabet's letter chooses nothing") {
  const auto answer = GENERATE(values<std::string_view>(
      {"",         "A or B",       "A, B",     "A B",        "AB",        "ABCD",       "(A)(B)",
       "A/B",      "B and C",      "not B",    "B?",         "B because", "B) 4 m",     "option A or B",
       "\xD0\x92", "\xEF\xBC\xA2", "\xCE\x92", "1",          "2",         "the second", "B\nA",
       "A) B",     "(B",           "b.c",      "all of them"}));
  INFO(answer);
  CHECK_FALSE(letter(answer, "B"));
}

TEST_CASE("keys of choices") {
  CHECK(parse_choice_key("(C)")->letter == 'C');
  CHECK(parse_choice_key(" C ")->letter == 'C');
  CHECK(parse_choice_key("A", R"({"options": ["x", "y"]})")->options == std::vector<std::string>{"x", "y"});
  CHECK(parse_choice_key("B", R"({"choices": {"A": "x", "B": "y"}})")->options == std::vector<std::string>{"x", "y"});
  for (const std::string_view bad :
       {"", "c", "CD", "3", R"({"letter": "C", "options": ["x", "y"]})", R"({"options": ["x"]})",
        R"({"letter": "A", "options": ["x", "X."]})", R"({"letter": "A", "options": {"B": "x"}})"}) {
    INFO(bad);
    CHECK_FALSE(parse_choice_key(bad));
  }
}

TEST_CASE("the reward of a choice says which letter was chosen") {
  const ChoiceReward reward({});
  const Prompt prompt{.task = "choice", .answer = "B"};
  const auto right = reward.score(prompt, "A? no. <answer>(B)</answer>", FinishReason::kStop);
  CHECK(right.verdict == Verdict::kRight);
  CHECK(right.answer == "B");
  const auto wrong = reward.score(prompt, "\\boxed{\\text{C}}", FinishReason::kStop);
  CHECK(wrong.verdict == Verdict::kWrong);
  CHECK(wrong.answer == "C");
  CHECK(reward.score(prompt, "B", FinishReason::kStop).verdict == Verdict::kWrong);
  CHECK(reward.score({.answer = "?"}, "<answer>B</answer>", FinishReason::kStop).verdict == Verdict::kUndecided);
}
