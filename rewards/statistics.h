#pragma once
// What the rewards of a step say in sum, part by part.

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "core/types.h"

namespace r1::rewards {

struct PartStatistics {
  double mean = 0, deviation = 0;  // over the samples that were decided
  double lowest = 0, highest = 0;
  // The part's share of what the policy is taught: its covariance with the reward within groups, over the reward's
  // variance within groups. The shares of all parts add up to 1; 0 where no group has any variance.
  double signal = 0;
};

struct StepStatistics {
  int64_t num_samples = 0;
  double reward = 0, reward_deviation = 0;  // over the decided samples, as all parts are
  double accuracy = 0;                      // share of the decided samples
  double undecided = 0, truncated = 0;      // shares of all samples
  double tokens = 0;                        // mean length
  double no_signal = 0;                     // share of groups whose decided rewards are all equal
  double identical = 0;                     // share of groups (of two samples or more) whose texts are all equal
  std::map<std::string, PartStatistics> parts;
  std::map<std::string, double> accuracy_by_task;
};

StepStatistics describe(std::span<const Group> groups);

// By the names in the database and in TensorBoard: reward, reward_std, accuracy, undecided, truncated, tokens,
// zero_signal_groups, identical_groups; reward/PART, reward_std/PART, reward_min/PART, reward_max/PART,
// reward_signal/PART; and accuracy/TASK where a step has several tasks.
std::map<std::string, double> to_metrics(const StepStatistics& statistics);

}  // namespace r1::rewards
