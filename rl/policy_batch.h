#pragma once
// Completions of a rollout phase as packed tensors for the trainer, and their log-probs under a model.
//
// Shape letters: T = packed tokens (prompts and completions), K = completion tokens, N = completions.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/types.h"
#include "nn/causal_lm.h"

namespace r1::rl {

// One completion to learn from; the pointers stay valid during the step.
struct Experience {
  const Prompt* prompt = nullptr;
  const Sample* sample = nullptr;
  double advantage = 0;
  std::vector<float> old_logprobs;  // empty: the sample's own
  std::vector<float> ref_logprobs;  // empty: no reference
};

// Some completions, packed: one micro-batch.
struct MicroBatch {
  std::vector<int32_t> members;  // indices into the experiences
  nn::PackedTokens tokens;       // T rows; completions of a prompt share its rows
  at::Tensor predictors;         // [K] int64: rows whose next token is a completion token
  at::Tensor targets;            // [K] int32
  std::vector<int64_t> offsets;  // N + 1, into K
};

// Cuts experiences into micro-batches of at most `max_tokens` packed tokens (train/packing.h). Completions that point to the
// same prompt share its rows, as many as fit together.
std::vector<MicroBatch> make_micro_batches(std::span<const Experience> experiences, int64_t max_tokens);

// Per-token log-probs (and entropies) of the micro-batch's completions under `model` at `temperature`, [K].
nn::TokenLogProbs completion_log_probs(nn::CausalLm& model, const MicroBatch& batch, double temperature);

// Values of one field of every member, end to end: [K] float32.
at::Tensor gather(std::span<const Experience> experiences, const MicroBatch& batch,
                  std::span<const float> (*field)(const Experience&));

}  // namespace r1::rl
