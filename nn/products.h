#pragma once
// The three products of a linear layer, on the CPU's kernels. Private to nn/.
//
// Shape letters: T = rows, D = features in, N = features out. All tensors are contiguous float32; a parameter's element
// says what its products round to.

#include <ATen/core/Tensor.h>

#include "kernels/gemm.h"

namespace r1::nn {

// y[T, N] = x[T, D] W[N, D]^T
void multiply(const at::Tensor& x, const at::Tensor& weight, kernels::Element element, const at::Tensor& y);

// d_x[T, D] = d_y[T, N] W[N, D]
void input_grad(const at::Tensor& d_y, const at::Tensor& weight, kernels::Element element, const at::Tensor& d_x);

// d_w[N, D] += d_y[T, N]^T x[T, D]
void add_weight_grad(const at::Tensor& d_y, const at::Tensor& x, kernels::Element element, const at::Tensor& d_w);

}  // namespace r1::nn
