#include "rewards/format.h"

#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

using std::string_literals::operator""s;

struct Row {
  std::string_view why;
  std::string reply;
  bool is_strict, is_lenient;
};

const Row kRows[]{
    {"the template itself", "<think>1+1</think><answer>2</answer>", true, true},
    {"blanks around and between the blocks", " \n<think>1+1</think>\r\n\t<answer>2</answer>\n", true, true},
    {"empty blocks", "<think></think><answer></answer>", true, true},
    {"other tags within", "<think><b>1</b></think><answer><i>2</i></answer>", true, true},
    {"text before", "Sure. <think>1+1</think><answer>2</answer>", false, true},
    {"text between", "<think>1+1</think> so <answer>2</answer>", false, true},
    {"text after", "<think>1+1</think><answer>2</answer> done", false, true},
    {"a NUL byte after", "<think>1+1</think><answer>2</answer>\0"s, false, true},
    {"a non-breaking space after", "<think>1+1</think><answer>2</answer>\xC2\xA0", false, true},
    {"nothing", "", false, false},
    {"no tags", "2", false, false},
    {"no answer block", "<think>1+1</think> 2", false, false},
    {"no think block", "<answer>2</answer>", false, false},
    {"cut off while thinking", "<think>1+1", false, false},
    {"cut off in the answer", "<think>1+1</think><answer>2", false, false},
    {"an unopened think block", "1+1</think><answer>2</answer>", false, false},
    {"an unopened answer block", "<think>1+1</think>2</answer>", false, false},
    {"the answer first", "<answer>2</answer><think>1+1</think>", false, false},
    {"the answer within the reasoning", "<think>1+1<answer>2</answer></think>", false, false},
    {"the reasoning within the answer", "<answer><think>1+1</think>2</answer>", false, false},
    {"blocks that cross", "<think>1<answer></think>2</answer>", false, false},
    {"an answer tag quoted in the reasoning", "<think>I write <answer> now</think><answer>2</answer>", false, false},
    {"a think block in a think block", "<think>a<think>b</think></think><answer>2</answer>", false, false},
    {"two think blocks", "<think>a</think><think>b</think><answer>2</answer>", false, false},
    {"two answers", "<think>a</think><answer>2</answer><answer>3</answer>", false, false},
    {"a closing tag too many", "<think>a</think></think><answer>2</answer>", false, false},
    {"a second opening after the answer", "<think>a</think><answer>2</answer><think>", false, false},
    {"closing before opening", "</think><think><answer>2</answer>", false, false},
    {"capital letters", "<THINK>1</THINK><ANSWER>2</ANSWER>", false, false},
    {"blanks in a tag", "<think >1</think><answer>2</answer>", false, false},
    {"an attribute", "<think id=1>1</think><answer>2</answer>", false, false},
    {"a self-closing tag", "<think/><answer>2</answer>", false, false},
    {"full-width brackets",
     "\xEF\xBC\x9Cthink\xEF\xBC\x9E"
     "1</think><answer>2</answer>",
     false, false},
    {"escaped entities", "&lt;think&gt;1&lt;/think&gt;<answer>2</answer>", false, false},
    {"a zero-width space in a tag", "<th\xE2\x80\x8Bink>1</think><answer>2</answer>", false, false},
};

}  // namespace

TEST_CASE("the format is one think block and one answer block, in this order, each tag once") {
  const auto row = GENERATE(from_range(std::begin(kRows), std::end(kRows)));
  INFO(row.why << ": " << row.reply);
  CHECK(parse_reply(row.reply).has_value() == row.is_strict);
  CHECK(parse_reply(row.reply, {.strictness = FormatStrictness::kLenient}).has_value() == row.is_lenient);
}

TEST_CASE("parse_reply returns both parts without their tags") {
  const auto reply = parse_reply("<think>1+1 </think> <answer>2</answer>");
  REQUIRE(reply);
  CHECK(reply->think == "1+1 ");
  CHECK(reply->answer == "2");
}

TEST_CASE("where the prompt opens the reasoning, the reply must not open it again") {
  const FormatOptions in_prompt{.opening = ThinkOpening::kInPrompt};
  const auto reply = parse_reply("1+1</think><answer>2</answer>", in_prompt);
  REQUIRE(reply);
  CHECK(reply->think == "1+1");
  CHECK_FALSE(parse_reply("<think>1+1</think><answer>2</answer>", in_prompt));
  CHECK_FALSE(parse_reply("<answer>2</answer>", in_prompt));
  CHECK_FALSE(parse_reply("1+1</think>", in_prompt));
}

TEST_CASE("the format reward looks at the prompt to see who opens the reasoning") {
  const FormatReward reward({});
  const Prompt open{.text = "Assistant: <think>\n"}, closed{.text = "Assistant:"};
  const auto value = [&](const Prompt& prompt, std::string_view reply) {
    return reward.score(prompt, reply, FinishReason::kStop).value;
  };
  CHECK(value(open, "1+1</think><answer>2</answer>") == 1);
  CHECK(value(open, "<think>1+1</think><answer>2</answer>") == 0);
  CHECK(value(closed, "1+1</think><answer>2</answer>") == 0);
  CHECK(value(closed, "<think>1+1</think><answer>2</answer>") == 1);
  const FormatReward fixed({.opening = ThinkOpening::kInReply});
  CHECK(fixed.score(open, "<think>1+1</think><answer>2</answer>", FinishReason::kStop).value == 1);
}

TEST_CASE("the format is read in linear time") {
  const double begin = cpu_seconds();
  for (const std::string_view part :
       {"<think>", "</think>", "<answer>", "<", " ", "<think", "<think></think><answer></answer>"}) {
    std::string text;
    while (text.size() < 4'000'000) text += part;
    CHECK_FALSE(parse_reply(text));
    CHECK_FALSE(parse_reply(text, {.strictness = FormatStrictness::kLenient}));
  }
  CHECK(cpu_seconds() - begin < 5 * kSlowdown);
}

TEST_CASE("R1's form is one think block and a summary that is not blank") {
  struct SummaryRow {
    std::string_view why, reply;
    bool is_strict, is_lenient;
  };
  const auto row = GENERATE(values<SummaryRow>({
      {"the form itself", "<think>1+1</think>\n\nIt is 2.", true, true},
      {"an answer block is a summary too", "<think>1+1</think><answer>2</answer>", true, true},
      {"text before", "Sure. <think>1+1</think>It is 2.", false, true},
      {"no summary", "<think>1+1</think> \n", false, false},
      {"cut off while thinking", "<think>1+1", false, false},
      {"no reasoning", "It is 2.", false, false},
      {"two think blocks", "<think>1</think>2<think>3</think>4", false, false},
      {"a tag in the summary", "<think>1</think>I used <think> here", false, false},
      {"blocks the wrong way", "</think>1<think>2", false, false},
  }));
  INFO(row.why);
  FormatOptions options{.structure = FormatStructure::kThinkSummary};
  CHECK(parse_reply(row.reply, options).has_value() == row.is_strict);
  options.strictness = FormatStrictness::kLenient;
  CHECK(parse_reply(row.reply, options).has_value() == row.is_lenient);
}

TEST_CASE("the summary is given trimmed, with the reasoning as it stands") {
  const auto reply = parse_reply("1+1 </think>\nIt is 2.\n",
                                 {.structure = FormatStructure::kThinkSummary, .opening = ThinkOpening::kInPrompt});
  REQUIRE(reply);
  CHECK(reply->think == "1+1 ");
  CHECK(reply->answer == "It is 2.");
}

TEST_CASE("reasoning shorter than asked for is not of the form") {
  const FormatOptions options{.min_think_chars = 3};
  CHECK(parse_reply("<think> 1 + 1 </think><answer>2</answer>", options));
  CHECK_FALSE(parse_reply("<think>12</think><answer>2</answer>", options));
  CHECK_FALSE(parse_reply("<think>1 \n\n\n\n 2</think><answer>2</answer>", options));
}

TEST_CASE("partial credit is the share of tags that stand once and in order, and less than the whole") {
  const FormatOptions options{.partial_credit = 0.5};
  struct CreditRow {
    std::string_view why, reply;
    double value;
  };
  const auto row = GENERATE(values<CreditRow>({
      {"the whole form", "<think>1</think><answer>2</answer>", 1},
      {"text around it", "so <think>1</think><answer>2</answer>", 0.5},
      {"no closing tag at the end", "<think>1</think><answer>2", 0.375},
      {"reasoning alone", "<think>1</think> 2", 0.25},
      {"cut off while thinking", "<think>1", 0.125},
      {"nothing", "2", 0},
      {"a tag twice earns nothing", "<think><think>1</think><answer>2</answer>", 0.375},
      {"tags poured out", "<think><think></think></think><answer><answer></answer></answer>", 0},
      {"the answer first", "<answer>2</answer><think>1</think>", 0.25},
      {"all the wrong way", "</answer><answer></think><think>", 0.125},
  }));
  INFO(row.why);
  CHECK(format_value(row.reply, options) == row.value);
  CHECK(format_value(row.reply, {}) == (row.value == 1 ? 1 : 0));
}

TEST_CASE("the prompt's own tag is no part of the credit") {
  const FormatOptions options{.opening = ThinkOpening::kInPrompt, .partial_credit = 0.3};
  CHECK(format_value("1</think> so <answer>2</answer>", options) == Approx(0.3));
  CHECK(format_value("1</think> 2", options) == Approx(0.1));
}

TEST_CASE("the reasoning is found whatever else is wrong with the reply") {
  CHECK(thinking_of("<think>a</think>b") == "a");
  CHECK(thinking_of("a</think>b") == "a");
  CHECK(thinking_of("<think>a") == "a");
  CHECK(thinking_of("a") == "a");
  CHECK(thinking_of("a</think><think>b") == "a");
  CHECK(thinking_of("") == "");
}
