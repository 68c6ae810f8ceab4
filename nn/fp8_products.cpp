#include "nn/fp8_products.h"

#include <vector>

#include "core/thread_pool.h"
#include "kernels/fp8.h"
#include "kernels/gemm.h"

namespace r1::nn {
namespace {

using kernels::Accumulate;
using kernels::Fp8BlockShape;
using kernels::Fp8Matrix;

constexpr Fp8BlockShape kTile{1, kernels::kFp8Block}, kBlock{kernels::kFp8Block, kernels::kFp8Block};

Fp8Matrix quantise(const float* x, int64_t rows, int64_t cols, Fp8BlockShape block, int64_t ld = 0) {
  return kernels::quantise_fp8(compute_pool(), x, rows, cols, block, kernels::Fp8Scale::kFloat, ld);
}

// x [rows, cols] with row stride ld, transposed and in tiles along the rows: 128 x 1 of x.
Fp8Matrix quantise_columns(const float* x, int64_t rows, int64_t cols, int64_t ld) {
  std::vector<float> transposed(static_cast<size_t>(rows * cols));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) transposed[static_cast<size_t>(c * rows + r)] = x[r * ld + c];
  }
  return quantise(transposed.data(), cols, rows, kTile);
}

}  // namespace

void fp8_forward(const Fp8Linear& l, float* y) {
  const auto x = quantise(l.x, l.t, l.k, kTile);
  int64_t row = 0;
  for (const int64_t rows : l.parts) {
    kernels::fp8_gemm(compute_pool(), x, quantise(l.w + row * l.k, rows, l.k, kBlock), y + row, l.n, Accumulate::kNo);
    row += rows;
  }
}

void fp8_backward(const Fp8Linear& l, const float* d_y, float* d_x, float* d_w) {
  const auto x_seen = kernels::dequantise_fp8(compute_pool(), quantise(l.x, l.t, l.k, kTile));
  const auto x_columns = quantise_columns(x_seen.data(), l.t, l.k, l.k);
  int64_t row = 0;
  for (const int64_t rows : l.parts) {
    const auto w = kernels::transpose(quantise(l.w + row * l.k, rows, l.k, kBlock));
    kernels::fp8_gemm(compute_pool(), quantise(d_y + row, l.t, rows, kTile, l.n), w, d_x, l.k,
                      row == 0 ? Accumulate::kNo : Accumulate::kYes);
    kernels::fp8_gemm(compute_pool(), quantise_columns(d_y + row, l.t, rows, l.n), x_columns, d_w + row * l.k, l.k,
                      Accumulate::kYes);
    row += rows;
  }
}

}  // namespace r1::nn
