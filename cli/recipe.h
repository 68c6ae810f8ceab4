#pragma once
// A recipe file as the commands see it: every table is read whichever command runs, so a misspelt key is found at once.

#include <string>
#include <vector>

#include "core/config.h"
#include "model/config.h"
#include "rewards/registry.h"
#include "rl/config.h"
#include "rollout/engine.h"
#include "sft/pretrain.h"
#include "tasks/config.h"

namespace r1::cli {

// [tokenizer] of a model made from nothing: a byte-level BPE trained on its own documents, in which the integers
// 0 .. max_integer are single tokens.
struct TokenizerRecipe {
  std::string path;              // an existing tokenizer instead; then the rest has no effect
  int64_t vocab_size = 512;
  int64_t max_integer = 0;
  int64_t num_documents = 20000;  // to train on
};

// [model]
struct ModelRecipe {
  std::string path;         // an existing model; empty: made from the fields below with random weights
  model::ModelConfig fresh;  // vocab_size comes from the tokenizer
  std::string precision = "f32";     // of training: f32, bf16, or for DeepSeek-V3 in pretraining fp8
  bool recomputes_layers = false;    // activation checkpointing
};

struct Recipe {
  ModelRecipe model;
  TokenizerRecipe tokenizer;
  sft::PretrainConfig pretrain;
  tasks::TraceOptions traces;
  std::vector<tasks::SetConfig> task_sets;
  tasks::PromptStyle prompt;
  rewards::RewardOptions rewards;
  rollout::EngineConfig engine;
  rl::RlConfig rl;
};

// Throws Error for unknown keys and values of the wrong type; what a command needs it validates itself.
Recipe read_recipe(const Config& config);

}  // namespace r1::cli
