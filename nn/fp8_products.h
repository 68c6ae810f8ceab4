#pragma once
// The three products of a linear layer through FP8 (arXiv:2412.19437v1 section 3.3): operands in e4m3 with block
// scales, sums in float32 (kernels/fp8.h). Row-major float32 in and out; master weights and gradients stay float32.
//
// Shape letters: T = rows, N = outputs, K = inputs.

#include <cstdint>
#include <span>

#include "kernels/fp8.h"

namespace r1::nn {

// How the tiles of the operands beside the weight are scaled: as powers of two where tiles of 1 x 128 become ones of
// 128 x 1 without rounding twice, and where they would be sent between machines (section 3.3.3).
struct Fp8Scales {
  kernels::Fp8Scale input = kernels::Fp8Scale::kFloat, output_grad = kernels::Fp8Scale::kFloat;
};

struct Fp8Linear {
  const float* x = nullptr;  // [T, K]
  const float* w = nullptr;  // [N, K]
  int64_t t = 0, n = 0, k = 0;
  // Rows of the matrices that w stacks (sum n): each has blocks of its own.
  std::span<const int64_t> parts;
  Fp8Scales scales;
};

// y [T, N]: x in tiles of 1 x 128, w in blocks of 128 x 128.
void fp8_forward(const Fp8Linear& linear, float* y);
// d_x [T, K] is overwritten: d_y in tiles of 1 x 128. d_w [N, K] is added to: d_y and the FP8 x of the forward pass in
// tiles of 128 x 1.
void fp8_backward(const Fp8Linear& linear, const float* d_y, float* d_x, float* d_w);

}  // namespace r1::nn
