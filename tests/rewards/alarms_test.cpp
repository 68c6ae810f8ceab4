// Statistics of a step's rewards, and the alarms that they raise.

#include "rewards/alarms.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

// A group of samples with these parts: accuracy and format.
Group group_of(const std::vector<std::pair<double, double>>& parts, std::string task = "number") {
  Group group{.prompt = {.task = std::move(task)}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto [accuracy, format] = parts[i];
    group.samples.push_back({.index = static_cast<int>(i), .token_ids = {1, 2, 3}, .text = fmt::format("{}", i)});
    group.scores.push_back({.value = accuracy + format,
                            .verdict = accuracy > 0 ? Verdict::kRight : Verdict::kWrong,
                            .parts = {{"accuracy", accuracy}, {"format", format}}});
  }
  return group;
}

StepStatistics healthy(double noise = 0) {
  StepStatistics s{.num_samples = 64,
                   .reward = 1 + noise,
                   .reward_deviation = 0.5,
                   .accuracy = 0.5 + noise,
                   .tokens = 100 + 10 * noise};
  s.parts["accuracy"] = {.mean = 0.5 + noise, .signal = 0.8};
  s.parts["format"] = {.mean = 0.5, .signal = 0.2};
  return s;
}

std::vector<std::string> kinds(const std::vector<Alarm>& alarms) {
  std::vector<std::string> out;
  for (const auto& alarm : alarms) out.push_back(alarm.subject.empty() ? alarm.kind : alarm.kind + ":" + alarm.subject);
  return out;
}

// A watch that has seen `steps` steps of a run without trouble.
AlarmWatch calm_watch(int steps) {
  AlarmWatch watch{AlarmOptions{}};
  for (int i = 0; i < steps; ++i) CHECK(watch.observe(healthy(0.02 * (i % 3 - 1))).empty());
  return watch;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("statistics of a step: means, deviations, and each part's share of the signal") {
  const std::vector<Group> groups{group_of({{1, 0}, {0, 0}}), group_of({{0, 0.5}, {0, 0.5}}, "code")};
  const auto s = describe(groups);
  CHECK(s.num_samples == 4);
  CHECK(s.reward == 0.5);
  CHECK(s.accuracy == 0.25);
  CHECK(s.tokens == 3);
  CHECK(s.no_signal == 0.5);
  CHECK(s.identical == 0);
  CHECK(s.parts.at("accuracy").mean == 0.25);
  CHECK(s.parts.at("accuracy").signal == Approx(1));
  CHECK(s.parts.at("format").mean == 0.25);
  CHECK(s.parts.at("format").deviation == 0.25);
  CHECK(s.parts.at("format").highest == 0.5);
  CHECK(s.parts.at("format").signal == Approx(0));
  CHECK(s.accuracy_by_task == std::map<std::string, double>{{"code", 0}, {"number", 0.5}});
  const auto metrics = to_metrics(s);
  CHECK(metrics.at("reward_signal/accuracy") == Approx(1));
  CHECK(metrics.at("accuracy/number") == 0.5);
  CHECK(metrics.at("zero_signal_groups") == 0.5);
}

TEST_CASE("the shares of the signal add up to 1, whatever the parts") {
  const std::vector<Group> groups{group_of({{1, 0.3}, {0, 0.1}, {0, 0.9}}), group_of({{1, 0}, {1, 1}, {0, 0.4}})};
  const auto s = describe(groups);
  CHECK(s.parts.at("accuracy").signal + s.parts.at("format").signal == Approx(1));
}

TEST_CASE("undecided samples count as undecided and not as signal") {
  auto group = group_of({{1, 0}, {0, 0}});
  group.scores[1] = {.verdict = Verdict::kUndecided};
  const auto s = describe(std::vector{group});
  CHECK(s.undecided == 0.5);
  CHECK(s.no_signal == 1);
  CHECK(s.num_samples == 2);
  CHECK(s.accuracy == 1);  // of what was decided
  CHECK(s.reward == 1);
  CHECK(s.parts.at("accuracy").mean == 1);
  CHECK(describe({}).num_samples == 0);
}

TEST_CASE("a run without trouble raises nothing") { calm_watch(100); }

TEST_CASE("groups without signal are raised when they last, and once a window after that") {
  auto watch = calm_watch(10);
  auto flat = healthy();
  flat.no_signal = 0.95;
  Names seen;
  for (int i = 0; i < 25; ++i) {
    for (const auto& kind : kinds(watch.observe(flat))) seen.push_back(fmt::format("{} {}", i, kind));
  }
  CHECK(seen == Names{"2 no_signal", "22 no_signal"});
}

TEST_CASE("completions that are all the same are raised") {
  std::vector<Group> groups{group_of({{1, 0}, {0, 0}})};
  for (auto& sample : groups[0].samples) sample.text = "same";
  CHECK(describe(groups).identical == 1);
  auto watch = calm_watch(1);
  auto same = healthy();
  same.identical = 1;
  watch.observe(same);
  watch.observe(same);
  CHECK(kinds(watch.observe(same)) == Names{"identical"});
}

TEST_CASE("a part other than accuracy that makes the signal is raised: the policy farms it") {
  auto watch = calm_watch(10);
  auto farmed = healthy();
  farmed.parts["format"].signal = 0.9;
  farmed.parts["accuracy"].signal = 0.1;
  CHECK(watch.observe(farmed).empty());
  CHECK(watch.observe(farmed).empty());
  const auto alarms = watch.observe(farmed);
  REQUIRE(kinds(alarms) == Names{"dominance:format"});
  CHECK(alarms[0].value == 0.9);
  CHECK(alarms[0].limit == 0.8);
  CHECK_THAT(alarms[0].message, Catch::Contains("90 %") && Catch::Contains("format"));
}

TEST_CASE("length that grows without accuracy is raised; growth that pays is not") {
  for (const bool pays : {false, true}) {
    AlarmWatch watch{AlarmOptions{}};
    Names seen;
    for (int i = 0; i < 40; ++i) {
      auto s = healthy();
      s.tokens = 100 * std::pow(1.04, i);
      if (pays) s.accuracy = 0.3 + 0.01 * i;
      for (const auto& kind : kinds(watch.observe(s))) seen.push_back(kind);
    }
    INFO(pays);
    CHECK((std::ranges::count(seen, "length_drift:tokens") > 0) == !pays);
  }
}

TEST_CASE("a sudden jump is raised by the metric that jumped") {
  auto watch = calm_watch(20);
  auto jump = healthy();
  jump.parts["format"].mean = 1;
  jump.reward = 1.5;
  CHECK(kinds(watch.observe(jump)) == Names{"jump:reward", "jump:reward/format"});
  auto early = calm_watch(3);
  CHECK(early.observe(jump).empty());
}

TEST_CASE("answers that cannot be judged are raised at once") {
  auto watch = calm_watch(2);
  auto broken = healthy();
  broken.undecided = 0.4;
  CHECK(kinds(watch.observe(broken)) == Names{"undecided"});
}

TEST_CASE("a watch restored from its state raises what it would have raised") {
  auto watch = calm_watch(20);
  auto flat = healthy();
  flat.no_signal = 1;
  watch.observe(flat);
  AlarmWatch restored{AlarmOptions{}};
  restored.restore(json::parse(json::dump(watch.to_json()), "state"), "state");
  for (int i = 0; i < 5; ++i) {
    auto s = flat;
    if (i == 3) s.reward = 3;
    CHECK(kinds(watch.observe(s)) == kinds(restored.observe(s)));
  }
  CHECK_THROWS_WITH(restored.restore(json::bj::value(3), "state.json"), Catch::Contains("state.json"));
}

TEST_CASE("alarm settings that cannot work name their key") {
  const auto text =
      GENERATE(values<std::string_view>({"window = 3\n", "patience = 0\n", "no_signal = 0.0\n", "dominance = -1.0\n",
                                         "length_ratio = 1.0\n", "jump = 0.0\n", "undecided = nan\n"}));
  INFO(text);
  const auto config = Config::from_text(text, "recipe.toml");
  CHECK_THROWS_WITH(read_alarm_options(config.root()),
                    Catch::Contains("rewards.alarms." + std::string(text.substr(0, text.find(' ')))));
}
