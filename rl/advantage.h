#pragma once
// Rewards of a group of completions -> advantages: DeepSeek-R1 (arXiv:2501.12948v2) Eq. 3 and its descendants. Plain numbers,
// no tensors.

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace r1::rl {

// How a completion's reward becomes its advantage. The papers leave population or sample deviation open (recipe facts,
// section 12); `deviation` chooses.
enum class AdvantageKind {
  kGroupStd,     // (r - mean) / (std + eps) within the group: GRPO, arXiv:2402.03300 section 4.1.2
  kGroupMean,    // r - mean: Dr. GRPO, arXiv:2503.20783
  kBatchStd,     // (r - group mean) / (std over the batch + eps): REINFORCE++ with baseline, arXiv:2501.03262
  kLeaveOneOut,  // r - mean of the others: RLOO, arXiv:2402.14740
};
enum class Deviation { kPopulation, kSample };

struct AdvantageConfig {
  AdvantageKind kind = AdvantageKind::kGroupStd;
  Deviation deviation = Deviation::kSample;
  double eps = 1e-4;  // added to the deviation
};

// One reward per completion; nothing where the verdict is undecided: such a completion gets advantage 0 and does not count
// in its group's mean and deviation. A group with fewer than two rewards, or with equal ones, gets zeros.
using Rewards = std::vector<std::optional<double>>;
std::vector<std::vector<double>> advantages(std::span<const Rewards> groups, const AdvantageConfig& config);

// Whether a group teaches something: at least two different rewards (DAPO's dynamic sampling, arXiv:2503.14476 Eq. 11).
bool has_signal(const Rewards& group);

}  // namespace r1::rl
