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

// [pretrain]
struct PretrainConfig {
  int64_t steps = 0;                  // updates; required
  int64_t tokens_per_step = 16384;    // documents are drawn until their tokens reach this
  int64_t micro_batch_tokens = 4096;  // tokens of one forward and backward pass
  std::string data = "traces";        // "traces" (Countdown, [pretrain.traces]) or "files"
  std::vector<std::string> files;
  int64_t max_tokens = 1024;          // of a document
  LearnFrom learn_from = LearnFrom::kAll;
  double init_std = 0.02;
  train::ScheduleConfig schedule{.learning_rate = 1e-3, .warmup_steps = 0, .shape = train::ScheduleShape::kCosine};
  train::OptimizerConfig optimizer;
  int64_t checkpoint_every = 200;
  int64_t keep_checkpoints = 2;
  int64_t log_every = 20;
  uint64_t seed = 0;
};
PretrainConfig read_pretrain_config(const Config& config);
void validate(const PretrainConfig& config);

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
