#pragma once
// One rollout phase's updates of the policy: mini-batches, micro-batches, loss, AdamW.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "nn/causal_lm.h"
#include "rl/advantage.h"
#include "rl/config.h"
#include "rl/policy_batch.h"
#include "train/optimizer.h"

namespace r1::rl {

// Fills old_logprobs (where the config asks for them to be computed again) and ref_logprobs (where there is a reference).
void fill_log_probs(std::span<Experience> experiences, const RlConfig& config, nn::CausalLm& policy, nn::CausalLm* reference);

// KlPlace::kReward: takes kl_coef times each completion's summed KL estimate off its reward. `rewards` has a value for just
// the completions among `experiences`, in their order.
void subtract_kl(std::span<const Experience> experiences, const RlConfig& config, std::vector<Rewards>& rewards);

// Updates the policy num_epochs x num_minibatches times. `experiences` come in prompt order; mini-batches are equal shares of
// them, shuffled anew each epoch by (seed, step). `num_updates` counts the updates before this phase, for the schedule.
// Returns metrics by name: loss, grad_norm, learning_rate, kl, entropy, ratio, clip_low, clip_high, rollout_gap_max (largest
// |log-prob of the rollout - log-prob of the trainer| in the first mini-batch, before any update), ...
std::map<std::string, double> update_policy(std::vector<Experience> experiences, const RlConfig& config, int64_t step,
                                            int64_t num_updates, nn::CausalLm& policy, train::AdamW& optimizer);

}  // namespace r1::rl
