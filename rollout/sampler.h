#pragma once
// From a row of logits to a token, its log-prob under the full policy and under the distribution it was drawn from. Pure
// functions of the row, the parameters and one uniform number.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"

namespace r1::rollout {

// Throws Error naming the first field that is out of range; `where` opens the message ("rl.sampling", "--top-p", ...).
void validate(const SamplingParams& params, const std::string& where);

struct Draw {
  int32_t token = 0;
  float logprob = 0;           // log softmax(logits / temperature)[token]; temperature 0 counts as 1
  float sampling_logprob = 0;  // under the distribution after top-k, then top-p, then min-p; 0 when greedy
};

// Buffers of a draw, kept by the caller between draws.
struct SamplerScratch {
  std::vector<float> probabilities;
  std::vector<int32_t> candidates;
};

// Draws with `uniform` in [0, 1). Greedy (temperature 0) takes the first of the largest logits. Throws Error if a logit is
// NaN or +infinity: the weights are damaged.
Draw draw(std::span<const float> logits, const SamplingParams& params, double uniform, SamplerScratch& scratch);

}  // namespace r1::rollout
