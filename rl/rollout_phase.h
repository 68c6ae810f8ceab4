#pragma once
// The first half of a step: prompts in, scored groups out. Rewards run in worker threads while sampling goes on.

#include <cstdint>
#include <vector>

#include "core/types.h"
#include "rewards/reward.h"
#include "rewards/worker_pool.h"
#include "rl/config.h"
#include "rollout/backend.h"
#include "tasks/dataset.h"

namespace r1::rl {

struct PhaseResult {
  std::vector<Group> groups;       // to learn from: prompts_per_step of them, unless a stop was requested
  std::vector<Group> set_aside;    // drawn and put back by dynamic sampling: no signal; kept for the database
  double sample_seconds = 0;       // the engine's
  double reward_wait_seconds = 0;  // what the loop waited for rewards after sampling had ended
  bool was_stopped = false;
};

class RolloutPhase {
 public:
  RolloutPhase(rollout::Backend& backend, tasks::PromptSource& prompts, const rewards::Reward& reward, const RlConfig& config)
      : backend_(backend), prompts_(prompts), reward_(reward), config_(config) {}

  // The groups of step `step`; with dynamic sampling, groups without signal are set aside and new prompts drawn, for at
  // most max_rounds rounds, after which the newest of them fill up.
  PhaseResult run(int64_t step);

 private:
  std::vector<Group> sample_and_score(int64_t step, int64_t round, int64_t num_prompts, PhaseResult& result);

  rollout::Backend& backend_;
  tasks::PromptSource& prompts_;
  const rewards::Reward& reward_;
  const RlConfig& config_;
};

// Samples `prompts` and scores every completion as it ends. The options' context says which step it is; its
// max_new_tokens is taken from `params`.
std::vector<Group> generate_scored(rollout::Backend& backend, const rewards::Reward& reward, std::vector<Prompt> prompts,
                                   const SamplingParams& params, rewards::ScoreQueueOptions scoring, PhaseResult& timing);

// How rewards are computed at a step of this run.
rewards::ScoreQueueOptions scoring_at(const RlConfig& config, int64_t step);

// The reward that enters the advantage: the score's value; nothing if it is undecided, or filtered as overlong.
std::optional<double> effective_reward(const Sample& sample, const Score& score, const RlConfig& config);

}  // namespace r1::rl
