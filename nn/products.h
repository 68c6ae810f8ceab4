#pragma once
// The three products of a linear layer, on the CPU's kernels, over row-major float32. Private to nn/.

#include <ATen/core/Tensor.h>

#include "kernels/gemm.h"

namespace r1::nn {

// A weight W[N, D] that meets T rows.
struct LinearShape {
  int64_t t = 0, n = 0, d = 0;
  kernels::Element element = kernels::Element::kF32;  // what both operands round to
};

// y[T, N] = x[T, D] W[N, D]^T
void multiply(const LinearShape& shape, const float* x, const float* weight, float* y);
// d_x[T, D] = d_y[T, N] W[N, D]
void input_grad(const LinearShape& shape, const float* d_y, const float* weight, float* d_x);
// d_w[N, D] += d_y[T, N]^T x[T, D]
void add_weight_grad(const LinearShape& shape, const float* d_y, const float* x, float* d_w);

// The same over contiguous tensors.
void multiply(const at::Tensor& x, const at::Tensor& weight, kernels::Element element, const at::Tensor& y);
void input_grad(const at::Tensor& d_y, const at::Tensor& weight, kernels::Element element, const at::Tensor& d_x);
void add_weight_grad(const at::Tensor& d_y, const at::Tensor& x, kernels::Element element, const at::Tensor& d_w);

}  // namespace r1::nn
