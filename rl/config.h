#pragma once
// Settings of the RL stage: one table of a recipe file each. Keys carry the fields' names.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/types.h"
#include "rl/advantage.h"
#include "rl/loss.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace r1::rl {

// [rl.dynamic_sampling] DAPO, arXiv:2503.14476 section 3.2: groups that teach nothing are replaced by new prompts.
struct DynamicSamplingConfig {
  bool enabled = false;
  int64_t max_rounds = 4;  // of drawing anew before the step goes on with what it has
};

// [rl.overlong] what happens to completions that max_new_tokens cut off.
struct OverlongConfig {
  bool filter = false;  // they get no gradient (DAPO's overlong filtering); its soft penalty is rewards.overlong_tokens
};

// From step `step` on, completions may have `max_new_tokens` (R1-Zero: 32,768, from step 8,200 on 65,536).
struct LengthStage {
  int64_t step = 0;
  int64_t max_new_tokens = 256;
};

// [eval]
struct EvalConfig {
  int64_t every = 0;          // steps; 0: only at the start and the end
  int64_t num_prompts = 128;  // held-out prompts, always the same
  int64_t num_samples = 4;    // k of avg@k, pass@k, cons@k
  double temperature = 1.0;
  double top_p = 1.0;
  bool at_start = true;
};

// [rl]
struct RlConfig {
  int64_t steps = 0;              // rollout phases; required
  int64_t prompts_per_step = 32;  // R1: 512 (8,192 / 16)
  SamplingParams sampling;        // group_size (num_samples), temperature, top_p, top_k, min_p, stop
  std::vector<LengthStage> lengths = {{}};
  int64_t num_minibatches = 1;    // updates per rollout phase and epoch, each on an equal share of its prompts; R1: 16
  int64_t num_epochs = 1;
  int64_t micro_batch_tokens = 4096;  // tokens of one forward and backward pass
  int64_t reference_refresh_steps = 0;  // hard copy of the policy into the reference every so many steps; R1: 400; 0: never
  bool recompute_old_logprobs = false;  // otherwise the rollout's own log-probs are the old policy's: they are equal
  AdvantageConfig advantage;
  LossConfig loss;
  DynamicSamplingConfig dynamic_sampling;
  OverlongConfig overlong;
  train::ScheduleConfig schedule{.learning_rate = 1e-6};
  train::OptimizerConfig optimizer{.beta2 = 0.999};
  EvalConfig eval;
  int64_t checkpoint_every = 25;  // steps
  int64_t keep_checkpoints = 2;
  int64_t num_reward_threads = 1;
  uint64_t seed = 0;
};

// Reads [rl], [rl.*], [eval] and the seed.
RlConfig read_rl_config(const Config& config);
// Throws Error naming the first key that cannot work.
void validate(const RlConfig& config);

int64_t max_new_tokens_at(const RlConfig& config, int64_t step);

}  // namespace r1::rl
