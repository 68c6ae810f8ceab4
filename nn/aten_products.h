#pragma once
// The products of nn/products.h and nn/fp8_products.h composed of ATen operations, on any device. Private to nn/.
//
// Operands are rounded as the kernels round them and sums are float32. On a GPU bfloat16 goes to cuBLAS and FP8 to
// at::_scaled_mm (Hopper: a scale for each 1 x 128 of both operands); on a CPU, where ATen has neither, the rounded
// operands are multiplied in float32.

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/fp8_products.h"
#include "nn/parameters.h"

namespace r1::nn {

// linear() without bias: x [T, K], weight [N, K] -> [T, N]. Carries the gradient; the weight's is added to weight.grad.
at::Tensor aten_linear(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales = {});

// Rows sorted by expert.
struct ExpertRows {
  at::Tensor ends;              // [E] int32, on the rows' device: expert e's rows end before ends[e]
  std::vector<int64_t> counts;  // [E]
};
// Each expert's rows of x [S, K] by its share of a stack [E N, K] -> [S, N]. Carries the gradient. bfloat16 is one
// grouped product whatever the number of experts, and its outputs and gradients are bfloat16 too; otherwise there is a
// product for each expert that has rows.
at::Tensor aten_expert_linear(const at::Tensor& x, const Parameter& stack, const ExpertRows& rows,
                              const Fp8Scales& scales = {});

}  // namespace r1::nn
