#pragma once
// FP8 matrices (kernels/fp8.h) as tensors, on any device, for at::_scaled_mm. Private to nn/.

#include <ATen/core/Tensor.h>

#include "kernels/fp8.h"

namespace r1::nn {

// A matrix [R, K] in e4m3 with a scale for each 1 x 128 of it. Padded with zeros: R' is a multiple of 16 and K' one of
// 128, and at least 256, since at::_scaled_mm would take a single scale a row for its row-wise kind.
struct AtenFp8 {
  at::Tensor values;  // [R', K'] e4m3
  at::Tensor scales;  // [K' / 128, R'] float32
  int64_t rows = 0, cols = 0;

  at::Tensor dequantised() const;  // [R, K] float32
};

// x [R, K] float32 in tiles of 1 x 128, or in blocks of 128 x 128 whose scale then stands at each of their rows: the
// same values as kernels::quantise_fp8.
AtenFp8 aten_quantise(const at::Tensor& x, const kernels::Fp8Rounding& rounding);

// a [M, K] b [N, K]^T -> [M, N] float32.
at::Tensor aten_fp8_product(const AtenFp8& a, const AtenFp8& b);

}  // namespace r1::nn
