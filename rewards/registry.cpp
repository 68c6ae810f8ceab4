#include "rewards/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"

namespace r1::rewards {
namespace {

struct Row {
  std::string_view task;
  std::unique_ptr<Reward> (*make)(const RewardOptions& options);
};

std::unique_ptr<Reward> make_number(const RewardOptions& options) {
  return std::make_unique<NumberReward>(options.number);
}
std::unique_ptr<Reward> make_countdown(const RewardOptions& options) {
  return std::make_unique<CountdownReward>(options.countdown);
}
std::unique_ptr<Reward> make_math(const RewardOptions& options) { return std::make_unique<MathReward>(options.math); }
std::unique_ptr<Reward> make_choice(const RewardOptions& options) {
  return std::make_unique<ChoiceReward>(options.choice);
}
template <std::unique_ptr<Reward> (*make)(const PuzzleOptions&)>
std::unique_ptr<Reward> make_puzzle(const RewardOptions& options) {
  return make(options.puzzle);
}
std::unique_ptr<Reward> make_code(const RewardOptions& options) { return std::make_unique<CodeReward>(options.code); }
std::unique_ptr<Reward> make_text(const RewardOptions& options) { return std::make_unique<TextReward>(options.text); }

constexpr Row kRows[]{
    {"arithmetic", make_number},
    {"choice", make_choice},
    {"code", make_code},
    {"countdown", make_countdown},
    {"cryptarithm", make_puzzle<make_cryptarithm>},
    {"json", make_puzzle<make_exact_json>},
    {"knights_knaves", make_puzzle<make_knights>},
    {"math", make_math},
    {"number", make_number},
    {"puzzle24", make_puzzle<make_game24>},
    {"text", make_text},
    {"zebra", make_puzzle<make_zebra>},
};

// Each prompt by its own task.
class ByTask : public Reward {
 public:
  explicit ByTask(const RewardOptions& options) {
    for (const auto& row : kRows) rewards_.emplace(row.task, row.make(options));
  }

  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override {
    const auto found = rewards_.find(prompt.task);
    if (found != rewards_.end()) return found->second->score(prompt, completion, finish);
    return to_score({Verdict::kUndecided, fmt::format("no reward is known for the task '{}'", prompt.task)});
  }

 private:
  std::map<std::string, std::unique_ptr<const Reward>, std::less<>> rewards_;
};

template <typename Choice>
Choice get_choice(const ConfigTable& table, std::string_view key, Choice fallback,
                  const std::vector<std::string>& names) {
  const auto name = table.get_choice(key, names.at(static_cast<size_t>(fallback)), names);
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Choice>(i);
  }
  return fallback;
}

void require_weight(std::string_view key, double weight) {
  if (std::isfinite(weight) && weight >= 0) return;
  throw Error(std::string(key), fmt::format("must be at least 0, got {}", weight), "use a weight such as 1");
}

}  // namespace

void validate(const RewardOptions& options) {
  require_weight("rewards.accuracy_weight", options.accuracy_weight);
  require_weight("rewards.format_weight", options.format_weight);
  validate(options.shaping);
  if (options.format.min_think_chars < 0) {
    throw Error("rewards.format_min_think_chars",
                fmt::format("must be at least 0, got {}", options.format.min_think_chars), "0 allows an empty block");
  }
  if (!(options.format.partial_credit >= 0 && options.format.partial_credit < 1)) {
    throw Error("rewards.format_partial_credit",
                fmt::format("must lie in [0, 1), got {}", options.format.partial_credit),
                "use 0 for none; the whole form is worth 1");
  }
  if (options.accuracy_weight + options.format_weight > 0 || options.shaping.has_effect()) return;
  throw Error("rewards.accuracy_weight", "is 0, and format_weight too: every reward would be 0", "raise one of them");
}

RewardOptions read_reward_options(const ConfigTable& table, RewardOptions o) {
  o.accuracy_weight = table.get_double("accuracy_weight", o.accuracy_weight);
  o.format_weight = table.get_double("format_weight", o.format_weight);
  o.format.structure = get_choice(table, "format_structure", o.format.structure, {"think_answer", "think_summary"});
  o.format.min_think_chars = table.get_int("format_min_think_chars", o.format.min_think_chars);
  o.format.partial_credit = table.get_double("format_partial_credit", o.format.partial_credit);
  o.format.strictness = get_choice(table, "format", o.format.strictness, {"strict", "lenient"});
  o.format.opening = get_choice(table, "think_opening", o.format.opening, {"reply", "prompt", "from_prompt"});
  const auto place = get_choice(table, "answer_place", o.number.place, {"tag_or_boxed", "tag", "boxed", "anywhere"});
  if (place != AnswerPlace::kTagOrBoxed) o.math.place = place;
  o.number.place = o.countdown.place = o.text.place = o.choice.place = o.puzzle.place = place;
  o.countdown.spelling = get_choice(table, "countdown_spelling", o.countdown.spelling, {"ascii", "lenient"});
  o.countdown.trailing_equals =
      get_choice(table, "countdown_trailing_equals", o.countdown.trailing_equals, {"refused", "allowed"});
  o.number.reading = get_choice(table, "number_reading", o.number.reading, {"exact", "last_number"});
  o.number.several_boxes = get_choice(table, "several_boxes", o.number.several_boxes, {"last", "all_agree"});
  o.text.letter_case = get_choice(table, "letter_case", o.text.letter_case, {"exact", "ignored"});
  o.shaping = read_shaping_options(table, o.shaping);
  o.alarms = read_alarm_options(table.table("alarms"), o.alarms);
  o.code = read_code_options(table, o.code);
  validate(o);
  return o;
}

std::vector<std::string> known_tasks() {
  std::vector<std::string> names;
  for (const auto& row : kRows) names.emplace_back(row.task);
  return names;
}

void require_known_task(std::string_view task, const std::string& where) {
  const auto names = known_tasks();
  for (const auto& name : names) {
    if (name == task) return;
  }
  const auto near = nearest(task, names);
  throw Error(where, fmt::format("no reward is known for the task '{}'", task),
              fmt::format("use one of {}{}", fmt::join(names, ", "), near ? fmt::format("; perhaps {}", *near) : ""));
}

std::unique_ptr<Reward> make_accuracy(std::string_view task, const RewardOptions& options) {
  require_known_task(task, "rewards");
  for (const auto& row : kRows) {
    if (row.task == task) return row.make(options);
  }
  return nullptr;  // not reached: require_known_task has thrown
}

std::unique_ptr<Composite> make_reward(const RewardOptions& options, std::vector<Part> more) {
  validate(options);
  std::vector<Part> parts;
  parts.push_back({"accuracy", options.accuracy_weight, std::make_unique<ByTask>(options)});
  if (options.format_weight > 0 || options.shaping.has_rule("format")) {
    parts.push_back({"format", options.format_weight, std::make_unique<FormatReward>(options.format)});
  }
  add_shaping_parts(options.shaping, parts);
  for (auto& part : more) parts.push_back(std::move(part));
  return std::make_unique<Composite>(std::move(parts), options.shaping.rules);
}

}  // namespace r1::rewards
