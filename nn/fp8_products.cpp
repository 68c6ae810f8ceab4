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

constexpr Fp8BlockShape kTile{1, kernels::kFp8Block}, kColumnTile{kernels::kFp8Block, 1};

// W's rows [row, row + rows): a published matrix with blocks of its own.
Fp8Matrix weight_part(const Fp8Linear& l, int64_t row, int64_t rows) {
  return kernels::quantise_fp8(compute_pool(), {l.w + row * l.k, rows, l.k}, {});
}

}  // namespace

void fp8_forward(const Fp8Linear& l, float* y) {
  const auto x = kernels::quantise_fp8(compute_pool(), {l.x, l.t, l.k}, {.block = kTile, .scale = l.scales.input});
  int64_t row = 0;
  for (const int64_t rows : l.parts) {
    kernels::fp8_gemm(compute_pool(), {x}, {weight_part(l, row, rows)}, y + row, l.n, Accumulate::kNo);
    row += rows;
  }
}

void fp8_backward(const Fp8Linear& l, const float* d_y, float* d_x, float* d_w) {
  auto& pool = compute_pool();
  const auto x_seen = kernels::dequantise_fp8(
      pool, kernels::quantise_fp8(pool, {l.x, l.t, l.k}, {.block = kTile, .scale = l.scales.input}));
  const auto x_columns =
      kernels::quantise_fp8(pool, {x_seen.data(), l.t, l.k}, {.block = kColumnTile, .scale = l.scales.input});
  const auto round = [&](const kernels::FloatMatrix& part, Fp8BlockShape tile) {
    return kernels::quantise_fp8(pool, part,
                                 {.block = tile, .scale = l.scales.output_grad, .least_amax = kernels::kGradientAmax});
  };
  int64_t row = 0;
  for (const int64_t rows : l.parts) {
    const kernels::FloatMatrix part{d_y + row, l.t, rows, l.n};
    kernels::fp8_gemm(pool, {round(part, kTile)}, {weight_part(l, row, rows), true}, d_x, l.k,
                      row == 0 ? Accumulate::kNo : Accumulate::kYes);
    kernels::fp8_gemm(pool, {round(part, kColumnTile), true}, {x_columns, true}, d_w + row * l.k, l.k,
                      Accumulate::kYes);
    row += rows;
  }
}

}  // namespace r1::nn
