#include "rewards/extract.h"

#include <string>

#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1::rewards;
using Views = std::vector<std::string_view>;

TEST_CASE("boxed_contents finds every complete box, inner ones too") {
  struct Row {
    std::string_view why, text;
    Views boxes;
  };
  const auto row = GENERATE(values<Row>({
      {"none", "12", {}},
      {"one", "is \\boxed{12}.", {"12"}},
      {"two", "\\boxed{1} and \\boxed{2}", {"1", "2"}},
      {"braces within", "\\boxed{\\frac{1}{2}}", {"\\frac{1}{2}"}},
      {"a box in a box", "\\boxed{a\\boxed{b}c}", {"a\\boxed{b}c", "b"}},
      {"an escaped brace within", "\\boxed{\\{1\\}}", {"\\{1\\}"}},
      {"an unclosed box", "\\boxed{12", {}},
      {"an unclosed box around a closed one", "\\boxed{1 \\boxed{2}", {"2"}},
      {"an unclosed brace before", "{ \\boxed{2}", {"2"}},
      {"a closing brace before", "} \\boxed{2}", {"2"}},
      {"an empty box", "\\boxed{}", {""}},
      {"a box without braces", "\\boxed 2", {}},
      {"a blank before the brace", "\\boxed {2}", {}},
      {"another command", "\\fbox{2}", {}},
      {"an escaped backslash is none", "\\\\boxed{2}", {}},
      {"a backslash at the end", "\\boxed{2}\\", {"2"}},
  }));
  INFO(row.why);
  CHECK(boxed_contents(row.text) == row.boxes);
}

TEST_CASE("last_answer_block takes the last complete block") {
  CHECK(last_answer_block("<answer>1</answer><answer>2</answer>") == "2");
  CHECK(last_answer_block("<answer>1</answer><answer>2") == "1");
  CHECK(last_answer_block("<answer>1<answer>2</answer>") == "2");
  CHECK(last_answer_block("<answer></answer>") == "");
  CHECK_FALSE(last_answer_block("</answer><answer>"));
  CHECK_FALSE(last_answer_block("<answer>1"));
  CHECK_FALSE(last_answer_block(""));
}

TEST_CASE("drafts in the reasoning are no answers") {
  CHECK(after_thinking("<think>a</think>b") == "b");
  CHECK(after_thinking("a</think>b</think>c") == "c");
  CHECK(after_thinking("abc") == "abc");
  CHECK_FALSE(find_answer("<think><answer>1</answer></think>2", AnswerPlace::kTagOrBoxed));
}

TEST_CASE("answers are trimmed") {
  CHECK(trimmed(" \t\r\n a b \n") == "a b");
  CHECK(trimmed("  ").empty());
  CHECK(find_answer("<answer>\n 12 </answer>", AnswerPlace::kTag) == "12");
  CHECK(find_answer("<answer> \\boxed{ 12 } </answer>", AnswerPlace::kTag) == "12");
}

TEST_CASE("extraction takes linear time in any text") {
  const double begin = cpu_seconds();
  for (const std::string_view part : {"\\boxed{", "{", "}", "\\", "<answer>", "</answer>", "</think>", "\\boxed{}"}) {
    std::string text;
    while (text.size() < 2'000'000) text += part;
    for (const auto place : {AnswerPlace::kTagOrBoxed, AnswerPlace::kAnywhere}) {
      const auto found = find_answer(text, place);
      CHECK((!found || found->size() <= text.size()));
    }
  }
  CHECK(cpu_seconds() - begin < 5 * kSlowdown);
}
