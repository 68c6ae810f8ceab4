#include "rewards/math/answer.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

using r1::rewards::AnswerPlace;
using r1::rewards::math::find_math_answer;

TEST_CASE("the final answer is found by a declared precedence") {
  struct Case {
    std::string completion, answer, place, why;
  };
  const std::vector<Case> cases{
      {"\\boxed{3}", "3", "box", "a box"},
      {"\\boxed{\\frac{1}{2}}", "\\frac{1}{2}", "box", "nested braces"},
      {"\\boxed{1} ... wait, \\boxed{2}", "2", "box", "the last box"},
      {"\\boxed{1} and \\boxed{2}", "1, 2", "boxes", "boxes joined by a word"},
      {"$\\boxed{1}$, $\\boxed{2}$", "1, 2", "boxes", "boxes joined by a comma"},
      {"\\boxed{5}. So \\boxed{5}", "5", "box", "the same box twice"},
      {"\\boxed{1} no no no no no \\boxed{2}", "2", "box", "no joining words"},
      {"<think>\\boxed{1}</think> It is 7, \\boxed{2}", "2", "box", "drafts do not count"},
      {"<answer>4</answer> \\boxed{9}", "4", "answer tag", "the tag comes first"},
      {"<answer>so \\boxed{4}</answer>", "4", "box", "a box within the tag"},
      {"<answer>1</answer><answer>2</answer>", "2", "answer tag", "the last tag"},
      {"The answer is 12 apples. Bye.", "12 apples", "phrase", "a phrase, up to its full stop"},
      {"The answer is 3.5.", "3.5", "phrase", "a decimal point ends no sentence"},
      {"work\n#### 1,234", "1,234", "phrase", "GSM8K's mark"},
      {"**Final Answer:** $x^2$\nmore", "$x^2$", "phrase", "markdown"},
      {"First we add the numbers of both sides to get the sum $a+b$ and then we conclude that it is $c+d$", "c+d",
       "formula", "the last formula"},
      {"First we add the numbers of both sides, and then we conclude that there must be 42 of them", "42", "number",
       "the last number"},
      {"\\boxed{unclosed and then \\boxed{7}", "7", "box", "a box that never closes hides none"},
      {"\\fbox{8}", "8", "box", "fbox"},
      {"so it is \\\\boxed{\\\\frac12}.", "\\\\frac12", "box", "a text that was escaped twice"},
      {"not 10, it's 1,000.99m\xC2\xB2", "1,000.99", "number", "a short sentence is no formula"},
  };
  for (const auto& c : cases) {
    INFO(c.completion << ": " << c.why);
    const auto found = find_math_answer(c.completion, AnswerPlace::kAnywhere);
    REQUIRE(found);
    CHECK(found->text == c.answer);
    CHECK(found->place == c.place);
  }
}

TEST_CASE("an answer counts only in the places that the options allow") {
  CHECK_FALSE(find_math_answer("\\boxed{3}", AnswerPlace::kTag));
  CHECK_FALSE(find_math_answer("<answer>3", AnswerPlace::kTag));
  CHECK_FALSE(find_math_answer("the answer is 3", AnswerPlace::kTagOrBoxed));
  CHECK(find_math_answer("<answer>3</answer>", AnswerPlace::kTag)->text == "3");
  CHECK(find_math_answer("<answer>3</answer> \\boxed{4}", AnswerPlace::kBoxed)->text == "4");
  CHECK_FALSE(find_math_answer("", AnswerPlace::kAnywhere));
  CHECK_FALSE(find_math_answer("<think>\\boxed{3}</think>", AnswerPlace::kAnywhere));
}
