#pragma once
// Held-out prompts, always the same, under the policy as it stands.

#include <string>
#include <utility>
#include <vector>

#include "core/types.h"
#include "rewards/reward.h"
#include "rl/config.h"
#include "rl/estimators.h"
#include "rollout/backend.h"

namespace r1::rl {

struct EvalResult {
  std::vector<Group> groups;
  std::vector<std::pair<std::string, Estimate>> estimates;  // "avg@4", "pass@1", "pass@4", "cons@4"
  double mean_tokens = 0;
  double mean_waits = 0;  // of the word "wait", a completion
  bool was_stopped = false;
};

// `seed` names the draws: the same seed and weights give the same samples.
EvalResult evaluate(rollout::Backend& backend, const rewards::Reward& reward, const std::vector<Prompt>& prompts,
                    const RlConfig& config, int64_t step, uint64_t seed);

// Mean occurrences of "wait" (any case, whole word) in a sample's text.
double mean_waits(const std::vector<Group>& groups);
double mean_tokens(const std::vector<Group>& groups);

}  // namespace r1::rl
