#pragma once
// Rewards by the name of a prompt's task, and the reward that RL uses by default. A new kind of task is one row in
// registry.cpp.
//
//   [rewards]
//   format_weight = 1.0
//   format = "strict"           # rewards/shaping.h has the settings of the other parts

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "rewards/alarms.h"
#include "rewards/choice.h"
#include "rewards/code/code_reward.h"
#include "rewards/composite.h"
#include "rewards/countdown.h"
#include "rewards/format.h"
#include "rewards/math_reward.h"
#include "rewards/number.h"
#include "rewards/puzzle_rewards.h"
#include "rewards/reward.h"
#include "rewards/shaping.h"
#include "rewards/text_match.h"

namespace r1::rewards {

struct RewardOptions {
  double accuracy_weight = 1;
  double format_weight = 1;  // 0 leaves the format out
  FormatOptions format;
  CountdownOptions countdown;
  NumberOptions number;  // for the tasks "number" and "arithmetic"
  TextOptions text;
  math::MathOptions math;
  ChoiceOptions choice;
  PuzzleOptions puzzle;
  ShapingOptions shaping;  // the other parts, and weights by task, data set and step
  AlarmOptions alarms;
  CodeOptions code;
};

void validate(const RewardOptions& options);
RewardOptions read_reward_options(const ConfigTable& table, RewardOptions defaults = {});

// "arithmetic", "choice", "code", "countdown", "cryptarithm", "json", "knights_knaves", "math", "number", "puzzle24",
// "text", "zebra"
std::vector<std::string> known_tasks();

// Throws Error at `where` that lists the known tasks and names the nearest, unless `task` is one.
void require_known_task(std::string_view task, const std::string& where);

// What checks the answers of one task. Throws Error for an unknown one.
std::unique_ptr<Reward> make_accuracy(std::string_view task, const RewardOptions& options);

// accuracy_weight * (what make_accuracy gives for the prompt's own task) + format_weight * format + the parts of
// options.shaping, as parts "accuracy", "format", "language", ... A prompt of an unknown task is undecided. `more`:
// parts that need what this folder does not have, such as a model that scores preferences; rules weigh them by their
// names.
std::unique_ptr<Composite> make_reward(const RewardOptions& options, std::vector<Part> more = {});

}  // namespace r1::rewards
