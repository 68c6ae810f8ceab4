#pragma once
// DeepSeekMoE for training (kernels/moe.h): tokens sorted by expert, one product for each expert that has tokens.
//
// Shape letters: T = tokens, E = experts, D = hidden size, F = an expert's width, B = segments.

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/moe.h"
#include "nn/functional.h"

namespace r1::nn {

// The routed experts of one layer.
struct MoeWeights {
  Parameter gate;     // [E, D], never rounded: the gate stays in float32 (section 3.3.1)
  at::Tensor bias;    // [E] e_score_correction_bias
  Parameter gate_up;  // [E * 2F, D]: expert by expert, gate then up
  Parameter down;     // [E * D, F]
};

struct MoeResult {
  at::Tensor output;   // [T, D]; carries the gradient
  at::Tensor balance;  // [B] sequence-wise balance losses, each times its tokens, without alpha; carries the gradient
  at::Tensor loads;    // [E] int64 choices of each expert; no gradient
};

// x [T, D]; offsets of the segments whose balance losses are wanted: rows offsets[s] .. offsets[s + 1], {0} for none.
MoeResult routed_experts(const at::Tensor& x, const MoeWeights& weights, const kernels::RouterShape& router,
                         const std::vector<int32_t>& offsets, Backend backend);

// max_i load_i / mean load - 1 of each row of loads [L, E] (Wang et al. 2024, arXiv:2408.15664): 0 is balance. [L]
// double.
at::Tensor max_violation(const at::Tensor& loads);

}  // namespace r1::nn
