// Length, repetition, and weights by task, data set and step.

#include "rewards/shaping.h"

#include <cmath>
#include <random>

#include "core/error.h"
#include "rewards/registry.h"
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

class Fixed : public Reward {
 public:
  explicit Fixed(Score score) : score_(std::move(score)) {}
  Score score(const Prompt&, std::string_view, FinishReason) const override { return score_; }

 private:
  Score score_;
};

Part part(std::string name, double weight, Score score) {
  return {std::move(name), weight, std::make_unique<Fixed>(std::move(score))};
}

Composite with_rules(std::vector<WeightRule> rules) {
  std::vector<Part> parts;
  parts.push_back(part("accuracy", 1, {.value = 1, .verdict = Verdict::kRight}));
  parts.push_back(part("preference", 0, {.value = 1, .verdict = Verdict::kRight}));
  return Composite(std::move(parts), std::move(rules));
}

double value_at(const Composite& reward, int64_t step, int64_t num_steps, const Prompt& prompt = {}) {
  return reward.score_reply(prompt, {.text = "", .context = {.step = step, .num_steps = num_steps}}).value;
}

RewardOptions options_of(const std::string& toml) {
  const auto config = Config::from_text(toml, "recipe.toml");
  auto options = read_reward_options(config.table("rewards"));
  config.check_all_used();
  return options;
}

}  // namespace

TEST_CASE("the soft overlong penalty falls linearly over the last tokens (DAPO, Eq. 13)") {
  struct Row {
    int64_t tokens;
    double value;
  };
  const auto row = GENERATE(values<Row>({{0, 0}, {80, 0}, {81, -0.05}, {90, -0.5}, {100, -1}, {5000, -1}}));
  CHECK(soft_overlong(row.tokens, 100, 20) == Approx(row.value));
  CHECK(soft_overlong(row.tokens, 100, 0) == 0);
}

TEST_CASE("the cosine reward runs between its bounds (arXiv:2502.03373, Eq. 1)") {
  const CosineOptions o;
  CHECK(cosine_length(0, 100, Verdict::kRight, o) == Approx(1.0));
  CHECK(cosine_length(50, 100, Verdict::kRight, o) == Approx(0.75));
  CHECK(cosine_length(100, 100, Verdict::kRight, o) == Approx(0.5));
  CHECK(cosine_length(900, 100, Verdict::kRight, o) == Approx(0.5));
  CHECK(cosine_length(0, 100, Verdict::kWrong, o) == Approx(-1.0));
  CHECK(cosine_length(25, 100, Verdict::kWrong, o) == Approx(-0.5 - 0.25 * (1 + std::cos(M_PI / 4))));
  CHECK(cosine_length(100, 100, Verdict::kWrong, o) == Approx(-0.5));
}

TEST_CASE("the cosine reward takes the verdict of the composite's first part, and punishes what was cut off") {
  std::vector<Part> parts;
  parts.push_back(part("accuracy", 1, {.value = 1, .verdict = Verdict::kRight}));
  parts.push_back({"cosine", 1, std::make_unique<CosineReward>(CosineOptions{})});
  const Composite reward(std::move(parts));
  const StepContext context{.max_new_tokens = 100};
  CHECK(reward.score_reply({}, {.num_tokens = 0, .context = context}).value == Approx(2));
  CHECK(reward.score_reply({}, {.num_tokens = 100, .context = context}).value == Approx(1.5));
  CHECK(reward.score_reply({}, {.finish = FinishReason::kLength, .num_tokens = 100, .context = context}).value ==
        Approx(0));
}

TEST_CASE("a length that nobody knows leaves its part out and says so") {
  RewardOptions o{.format_weight = 0};
  o.shaping.cosine_weight = 1;
  o.shaping.overlong_tokens = 10;
  const auto reward = make_reward(o);
  const Prompt prompt{.task = "number", .answer = "2"};
  const auto unknown = reward->score(prompt, "<answer>2</answer>", FinishReason::kStop);
  CHECK(unknown.value == 1);
  CHECK(unknown.parts.size() == 1);
  CHECK_THAT(unknown.detail, Catch::Contains("overlong: the length in tokens is unknown"));
  const auto known =
      reward->score_reply(prompt, {.text = "<answer>2</answer>", .num_tokens = 5, .context = {.max_new_tokens = 10}});
  CHECK(known.parts.size() == 3);
  CHECK(known.value == Approx(1 - 0.5 + 0.75));
}

TEST_CASE("repetition is the share of word n-grams that came before") {
  struct Row {
    std::string_view why, text;
    int64_t ngram;
    double share;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", "", 3, 0},
      {"no two n-grams", "a b c", 3, 0},
      {"all different", "a b c d e", 3, 0},
      {"a b twice", "a b a b", 2, 1.0 / 3},
      {"one word on and on", "no no no no no no", 1, 5.0 / 6},
      {"case does not matter", "Wait wait WAIT wait", 1, 3.0 / 4},
      {"Chinese by characters", "\xE5\xA5\xBD\xE5\xA5\xBD\xE5\xA5\xBD\xE5\xA5\xBD", 1, 3.0 / 4},
      {"signs are words", "!!!!", 1, 3.0 / 4},
  }));
  INFO(row.why);
  CHECK(repeated_share(row.text, row.ngram) == Approx(row.share));
}

TEST_CASE("loops are punished however they are written") {
  const RepetitionReward reward({});
  const auto value = [&](std::string_view unit, size_t times) {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += unit;
    return reward.score({}, text, FinishReason::kStop).value;
  };
  CHECK(value("wait, ", 500) < -0.9);
  CHECK(value("no", 2000) < -0.9);  // without blanks
  CHECK(value("\xE7\xAD\x89\xE7\xAD\x89", 500) < -0.9);
  CHECK(value("\xFF\xFE", 500) < -0.9);  // no UTF-8 at all
  CHECK(value("Let me check this step again. ", 100) < -0.9);
  CHECK(value("3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 yes", 1) == 0);
}

TEST_CASE("honest reasoning of a thousand words is not punished") {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 300; ++i) {
    const int a = static_cast<int>(random() % 1000), b = static_cast<int>(random() % 1000);
    text += fmt::format("{} + {} = {}, so let me try. ", a, b, a + b);
  }
  CHECK(RepetitionReward({.ngram = 8}).score({}, text, FinishReason::kStop).value == 0);
}

TEST_CASE("repetition is counted in linear time and space") {
  const double begin = cpu_seconds();
  for (const std::string_view part : {"a", "a ", "\xFF", "\xE5\xA5\xBD", "<think>"}) {
    std::string text;
    while (text.size() < 4'000'000) text += part;
    CHECK(repeated_share(text, 40) > 0.9);
  }
  CHECK(cpu_seconds() - begin < 20 * kSlowdown);
}

TEST_CASE("preference rewards count in the last 400 steps only (R1 v2, B.5)") {
  const auto reward = with_rules({{.part = "preference", .first_step = -400, .weight = 1}});
  CHECK(value_at(reward, 0, 1700) == 1);
  CHECK(value_at(reward, 1299, 1700) == 1);
  CHECK(value_at(reward, 1300, 1700) == 2);
  CHECK(value_at(reward, 1699, 1700) == 2);
  CHECK(value_at(reward, 5000, 0) == 1);  // the end is unknown
}

TEST_CASE("rules choose by task, data set and step; the last one that fits counts") {
  const auto reward =
      with_rules({{.part = "preference", .weight = 0.5},
                  {.part = "preference", .task = "math", .weight = 2},
                  {.part = "preference", .source = "gsm", .first_step = 10, .last_step = 19, .weight = 3},
                  {.part = "accuracy", .last_step = -1, .weight = 10}});
  CHECK(value_at(reward, 0, 100, {.task = "code"}) == 10.5);
  CHECK(value_at(reward, 0, 100, {.task = "math"}) == 12);
  CHECK(value_at(reward, 10, 100, {.task = "math", .source = "gsm"}) == 13);
  CHECK(value_at(reward, 20, 100, {.task = "math", .source = "gsm"}) == 12);
}

TEST_CASE("a ramp goes linearly from the weight before the rule") {
  const auto reward = with_rules(
      {{.part = "preference", .weight = 1}, {.part = "preference", .first_step = 10, .weight = 3, .ramp_steps = 4}});
  CHECK(value_at(reward, 9, 100) == 2);
  CHECK(value_at(reward, 10, 100) == 2.5);
  CHECK(value_at(reward, 12, 100) == 3.5);
  CHECK(value_at(reward, 13, 100) == 4);
  CHECK(value_at(reward, 99, 100) == 4);
}

TEST_CASE("a part without weight is not computed, and has no row") {
  const auto reward = with_rules({});
  const auto score = reward.score({}, "", FinishReason::kStop);
  CHECK(score.parts == std::vector<std::pair<std::string, double>>{{"accuracy", 1}});
}

TEST_CASE("the settings of every part are read, and make it") {
  const auto o = options_of(R"(
[rewards]
format_weight = 0.0
format_structure = "think_summary"
format_min_think_chars = 5
format_partial_credit = 0.25
language_weight = 0.1
language_target = "zh"
overlong_tokens = 100
overlong_weight = 2.0
cosine_weight = 0.5
cosine_right_long = 0.75
repetition_weight = 0.25
repetition_ngram = 10
repetition_free_share = 0.2
[[rewards.rules]]
part = "format"
source = "gsm"
first_step = -400
last_step = -1
ramp_steps = 10
weight = 1.0
)");
  CHECK(o.format.structure == FormatStructure::kThinkSummary);
  CHECK(o.format.min_think_chars == 5);
  CHECK(o.format.partial_credit == 0.25);
  CHECK(o.shaping.language.target == "zh");
  CHECK(o.shaping.cosine.right_long == 0.75);
  CHECK(o.shaping.repetition.ngram == 10);
  CHECK(o.shaping.repetition.free_share == 0.2);
  REQUIRE(o.shaping.rules.size() == 1);
  CHECK(o.shaping.rules[0].last_step == -1);
  CHECK(o.shaping.rules[0].ramp_steps == 10);
  const auto score = make_reward(o)->score_reply({.task = "number", .answer = "2", .source = "gsm"},
                                                 {.text = "<think>wait</think> 2",
                                                  .num_tokens = 1,
                                                  .context = {.step = 99, .num_steps = 100, .max_new_tokens = 200}});
  std::vector<std::string> names;
  for (const auto& [name, value] : score.parts) names.push_back(name);
  CHECK(names == std::vector<std::string>{"accuracy", "format", "language", "overlong", "cosine", "repetition"});
}

TEST_CASE("settings that cannot work name their key") {
  struct Row {
    std::string_view why;
    std::string text, says;
  };
  const auto row = GENERATE(values<Row>({
      {"a negative penalty", "repetition_weight = -1.0\n", "rewards.repetition_weight"},
      {"an unknown language", "language_target = 'xx'\n", "rewards.language_target"},
      {"bounds that pay for a wrong answer", "cosine_wrong_long = 0.6\n", "rewards.cosine_right_long"},
      {"bounds the wrong way", "cosine_right_long = 2.0\n", "rewards.cosine_right_short"},
      {"bounds that pay for being cut off", "cosine_exceeded = 0.0\n", "rewards.cosine_exceeded"},
      {"bounds that are no number", "cosine_right_short = nan\n", "must be finite"},
      {"n-grams of no word", "repetition_ngram = 0\n", "rewards.repetition_ngram"},
      {"all may repeat", "repetition_free_share = 1.0\n", "rewards.repetition_free_share"},
      {"tokens below 0", "overlong_tokens = -1\n", "rewards.overlong_tokens"},
      {"the whole form for a part", "format_partial_credit = 1.0\n", "rewards.format_partial_credit"},
      {"reasoning below nothing", "format_min_think_chars = -1\n", "rewards.format_min_think_chars"},
      {"a rule without a part", "[[rules]]\nweight = 1.0\n", "part"},
      {"a rule without a weight", "[[rules]]\npart = 'format'\n", "weight"},
      {"a rule that ends before it begins", "[[rules]]\npart = 'format'\nweight = 1.0\nfirst_step = 5\nlast_step = 4\n",
       "never holds"},
      {"a ramp backwards", "[[rules]]\npart = 'format'\nweight = 1.0\nramp_steps = -4\n", "ramp_steps"},
  }));
  INFO(row.why);
  const auto config = Config::from_text(row.text, "recipe.toml");
  CHECK_THROWS_WITH(read_reward_options(config.root()), Catch::Contains(row.says));
}

TEST_CASE("a rule for a part that is not there names the nearest") {
  RewardOptions o;
  o.shaping.rules = {{.part = "formt", .weight = 1}};
  CHECK_THROWS_WITH(make_reward(o),
                    Catch::Contains("no part of this reward is named 'formt'") && Catch::Contains("perhaps format"));
}
