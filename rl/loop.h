#pragma once
// The RL loop: sample, score, advantages, update, new weights; with the database, metrics, evaluation, checkpoints and the
// reference policy beside it. DeepSeek-R1 (arXiv:2501.12948v2) section 2.

#include <filesystem>
#include <memory>
#include <vector>

#include "core/types.h"
#include "model/decoder.h"
#include "nn/causal_lm.h"
#include "rewards/alarms.h"
#include "rewards/reward.h"
#include "rl/config.h"
#include "rl/evaluation.h"
#include "rl/policy_batch.h"
#include "rl/rollout_phase.h"
#include "rollout/database.h"
#include "rollout/engine.h"
#include "tasks/dataset.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/optimizer.h"

namespace r1::rl {

// What a loop works with; everything outlives it.
struct LoopParts {
  nn::CausalLm& policy;
  model::Decoder& decoder;  // over the policy's weights, in place
  rollout::Engine& engine;
  tasks::PromptSource& prompts;
  const std::vector<Prompt>& eval_prompts;
  const rewards::Reward& reward;
  rewards::AlarmOptions alarms;
  rollout::RolloutWriter& database;
  train::MetricsWriter& metrics;
  const train::CheckpointStore& checkpoints;
  std::filesystem::path tokenizer_files;  // copied into saved models
};

enum class LoopEnd { kFinished, kStopped };

class RlLoop {
 public:
  RlLoop(const RlConfig& config, const LoopParts& parts);

  // Goes on from the newest checkpoint if there is one, and runs to the last step or to a requested stop, which leaves a
  // checkpoint. A resumed run makes the same samples, rows and weights, bit for bit, as one that never stopped.
  LoopEnd run();

 private:
  void resume();
  bool step();  // false: stopped before anything was learnt
  bool evaluate_policy();
  void hand_weights_over();
  void refresh_reference();
  std::vector<Experience> learn_from(PhaseResult& phase);
  void record(const PhaseResult& phase, std::map<std::string, double> metrics, double seconds);
  void raise_alarms(const rewards::StepStatistics& statistics);
  void save();

  const RlConfig& config_;
  LoopParts parts_;
  train::AdamW optimizer_;
  rewards::AlarmWatch alarms_;
  std::unique_ptr<nn::CausalLm> reference_;  // only with a KL term
  int64_t step_ = 0;                         // steps done
  double compute_seconds_ = 0;               // of all sessions up to here
};

}  // namespace r1::rl
