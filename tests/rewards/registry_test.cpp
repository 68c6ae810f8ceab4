#include "rewards/registry.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "rewards/composite.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

constexpr std::string_view kGood = "<think>1+1</think><answer>2</answer>";

// Says the same of everything.
class Fixed : public Reward {
 public:
  Fixed(double value, Verdict verdict, std::string detail = "")
      : score_{.value = value, .verdict = verdict, .parts = {}, .detail = std::move(detail)} {}
  Score score(const Prompt&, std::string_view, FinishReason) const override { return score_; }

 private:
  Score score_;
};

std::vector<Part> parts(double a, double b) {
  std::vector<Part> made;
  made.push_back({"accuracy", a, std::make_unique<Fixed>(1, Verdict::kRight)});
  made.push_back({"format", b, std::make_unique<Fixed>(1, Verdict::kWrong, "untidy")});
  return made;
}

}  // namespace

TEST_CASE("the default reward is accuracy plus format with equal weights") {
  const auto reward = make_reward({});
  const Prompt prompt{.task = "number", .answer = "2"};
  struct Row {
    std::string_view why, text;
    double value, accuracy, format;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"right and in form", kGood, 2, 1, 1, Verdict::kRight},
      {"right only", "<answer>2</answer>", 1, 1, 0, Verdict::kRight},
      {"in form only", "<think>1+1</think><answer>3</answer>", 1, 0, 1, Verdict::kWrong},
      {"neither", "2", 0, 0, 0, Verdict::kWrong},
  }));
  INFO(row.why);
  const auto score = reward->score(prompt, row.text, FinishReason::kStop);
  CHECK(score.value == row.value);
  CHECK(score.verdict == row.verdict);
  CHECK(score.parts == std::vector<std::pair<std::string, double>>{{"accuracy", row.accuracy}, {"format", row.format}});
}

TEST_CASE("each prompt is judged by its own task") {
  const auto reward = make_reward({.format_weight = 0});
  struct Row {
    std::string_view task, answer, text;
    double value;
  };
  const auto row = GENERATE(values<Row>({
      {"number", "2", "<answer>4/2</answer>", 1},
      {"arithmetic", "2", "<answer>2.0</answer>", 1},
      {"text", "2", "<answer>2.0</answer>", 0},
      {"text", "Yes", "<answer> Yes\n</answer>", 1},
      {"text", "Yes", "<answer>yes</answer>", 0},
      {"text", "a b", "<answer>ab</answer>", 0},
      {"countdown", "3 5 = 8", "<answer>3+5</answer>", 1},
      {"countdown", "3 5 = 8", "<answer>8</answer>", 0},
  }));
  INFO(row.task << " " << row.text);
  const Prompt prompt{.task = std::string(row.task), .answer = std::string(row.answer)};
  const auto score = reward->score(prompt, row.text, FinishReason::kStop);
  CHECK(score.value == row.value);
  CHECK(score.parts.size() == 1);
}

TEST_CASE("a prompt of an unknown task, or without a key, is undecided and worth nothing") {
  const auto reward = make_reward({});
  for (const auto& prompt : {Prompt{.task = "chess", .answer = "2"}, Prompt{.task = "number", .answer = "two"},
                             Prompt{.task = "text", .answer = " "}, Prompt{.task = "countdown", .answer = "2"}}) {
    const auto score = reward->score(prompt, kGood, FinishReason::kStop);
    INFO(prompt.task);
    CHECK(score.verdict == Verdict::kUndecided);
    CHECK(score.value == 0);
    CHECK_FALSE(score.detail.empty());
  }
}

TEST_CASE("a cancelled sample is undecided, and one cut by its length is judged") {
  const auto reward = make_reward({});
  const Prompt prompt{.task = "number", .answer = "2"};
  CHECK(reward->score(prompt, kGood, FinishReason::kCancelled).verdict == Verdict::kUndecided);
  CHECK(reward->score(prompt, kGood, FinishReason::kLength).value == 2);
}

TEST_CASE("letters' case is ignored in text answers if asked, in ASCII only") {
  CHECK(texts_match(" YES ", "yes", LetterCase::kIgnored));
  CHECK_FALSE(texts_match("YES", "yes", LetterCase::kExact));
  CHECK_FALSE(texts_match("\xC3\x89", "\xC3\xA9", LetterCase::kIgnored));
  CHECK_FALSE(texts_match("yes!", "yes", LetterCase::kIgnored));
}

TEST_CASE("parts add up by their weights, and the first one's verdict is the whole's") {
  const auto score = Composite(parts(2, -0.5)).score({}, "", FinishReason::kStop);
  CHECK(score.value == 1.5);
  CHECK(score.parts == std::vector<std::pair<std::string, double>>{{"accuracy", 2}, {"format", -0.5}});
  CHECK(score.verdict == Verdict::kRight);
  CHECK(score.detail == "format: untidy");
}

TEST_CASE("a composite that cannot work is refused") {
  CHECK_THROWS_WITH(Composite({}), Catch::Contains("no parts"));
  CHECK_THROWS_WITH(Composite(parts(1, std::nan(""))), Catch::Contains("rewards.format_weight"));
  auto twice = parts(1, 1);
  twice[1].name = "accuracy";
  CHECK_THROWS_WITH(Composite(std::move(twice)), Catch::Contains("two parts"));
}

TEST_CASE("tasks are known by name") {
  const auto tasks = known_tasks();
  for (const std::string_view task : {"arithmetic", "choice", "code", "countdown", "cryptarithm", "json",
                                      "knights_knaves", "math", "number", "puzzle24", "text", "zebra"}) {
    INFO(task);
    CHECK(std::ranges::count(tasks, task) == 1);
  }
  CHECK_NOTHROW(require_known_task("countdown", "f:1"));
  CHECK_THROWS_WITH(require_known_task("countdwon", "f:1"),
                    Catch::Contains("f:1") && Catch::Contains("perhaps countdown"));
  CHECK(make_accuracy("number", {})->score({.answer = "2"}, kGood, FinishReason::kStop).value == 1);
  CHECK_THROWS_AS(make_accuracy("chess", {}), Error);
}

TEST_CASE("reward settings are read from their table") {
  const auto config = Config::from_text(
      "[rewards]\nformat_weight = 0.5\nformat = 'lenient'\nanswer_place = 'boxed'\nnumber_reading = 'last_number'\n"
      "several_boxes = 'all_agree'\nletter_case = 'ignored'\ncountdown_spelling = 'ascii'\n"
      "countdown_trailing_equals = 'allowed'\nthink_opening = 'prompt'\n",
      "recipe.toml");
  const auto o = read_reward_options(config.table("rewards"));
  CHECK(o.accuracy_weight == 1);
  CHECK(o.format_weight == 0.5);
  CHECK(o.format.strictness == FormatStrictness::kLenient);
  CHECK(o.format.opening == ThinkOpening::kInPrompt);
  CHECK(o.number.place == AnswerPlace::kBoxed);
  CHECK(o.countdown.place == AnswerPlace::kBoxed);
  CHECK(o.number.reading == Reading::kLastNumber);
  CHECK(o.number.several_boxes == SeveralBoxes::kAllAgree);
  CHECK(o.text.letter_case == LetterCase::kIgnored);
  CHECK(o.countdown.spelling == Spelling::kAscii);
  CHECK(o.countdown.trailing_equals == TrailingEquals::kAllowed);
  CHECK_NOTHROW(config.check_all_used());
}

TEST_CASE("reward settings that cannot work name their key") {
  struct Row {
    std::string_view why;
    std::string text, says;
  };
  const auto row = GENERATE(values<Row>({
      {"an unknown word", "format = 'strickt'\n", "strict"},
      {"a negative weight", "format_weight = -1.0\n", "rewards.format_weight"},
      {"an infinite weight", "accuracy_weight = inf\n", "rewards.accuracy_weight"},
      {"nothing to reward", "format_weight = 0.0\naccuracy_weight = 0.0\n", "every reward would be 0"},
  }));
  INFO(row.why);
  const auto config = Config::from_text(row.text, "recipe.toml");
  CHECK_THROWS_WITH(read_reward_options(config.root()), Catch::Contains(row.says));
}
