#pragma once
// Training on documents: next-token cross-entropy over packed tokens. Pretraining is this on plain text or traces.

#include <filesystem>
#include <string>
#include <vector>

#include "core/config.h"
#include "nn/causal_lm.h"
#include "sft/documents.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace r1::sft {

// [pretrain.moe], of DeepSeek-V3 (section 4.2); shares of the steps, as the paper's are of its tokens.
struct MoeTraining {
  double bias_update_speed = 1e-3;  // gamma of the auxiliary-loss-free balancing; 0: the biases stay
  double bias_frozen_from = 1.0;    // share of the steps after which they stay (the paper: 0.966)
  double balance_alpha = 1e-4;      // of the sequence-wise balance loss
};
// [pretrain.mtp]
struct MtpTraining {
  double weight = 0.3;       // lambda
  double late_weight = 0.1;  // from share late_from of the steps on (the paper: 10T of 14.8T tokens)
  double late_from = 0.676;
};

// [pretrain]
struct PretrainConfig {
  int64_t steps = 0;                  // updates; required
  int64_t tokens_per_step = 16384;    // documents are drawn until their tokens reach this
  int64_t first_tokens_per_step = 0;  // the batch grows linearly from this to tokens_per_step ...
  int64_t ramp_steps = 0;             // ... over these steps; 0: it does not
  int64_t micro_batch_tokens = 4096;  // tokens of one forward and backward pass
  std::string data = "traces";        // "traces" (Countdown, [pretrain.traces]) or "files"
  std::vector<std::string> files;
  int64_t max_tokens = 1024;          // of a document
  LearnFrom learn_from = LearnFrom::kAll;
  double init_std = 0.02;
  train::ScheduleConfig schedule{.learning_rate = 1e-3, .warmup_steps = 0, .shape = train::ScheduleShape::kCosine};
  train::OptimizerConfig optimizer;
  MoeTraining moe;
  MtpTraining mtp;
  int64_t checkpoint_every = 200;
  int64_t keep_checkpoints = 2;
  int64_t log_every = 20;
  uint64_t seed = 0;
};
PretrainConfig read_pretrain_config(const Config& config);
void validate(const PretrainConfig& config);

// Of update `step` (from 0).
int64_t tokens_at(const PretrainConfig& config, int64_t step);
double mtp_weight_at(const PretrainConfig& config, int64_t step);
double bias_speed_at(const PretrainConfig& config, int64_t step);

struct PretrainParts {
  nn::CausalLm& model;
  const DocumentSet& documents;
  train::MetricsWriter& metrics;
  const train::CheckpointStore& checkpoints;
  std::filesystem::path tokenizer_files;  // copied into saved models
};

struct PretrainResult {
  double final_loss = 0;       // mean over the last steps of a log line
  double compute_seconds = 0;  // of all sessions
  bool was_stopped = false;
};

// Goes on from the newest checkpoint, bit for bit; stops cleanly when asked to.
PretrainResult pretrain(const PretrainConfig& config, const PretrainParts& parts);

}  // namespace r1::sft
