#pragma once
// Products with weights that stay block-quantised in memory (GGUF's Q4_0, Q4_1, Q8_0): activations are quantised to
// int8 in blocks of 32 along k, products are exact in integers within a block, and blocks are summed in float32 in k
// order. A row's result does not depend on the other rows, on tiling, on threads or on the instruction set.
//
// The arithmetic, exactly (float32, every operation rounded to nearest even; fma is one rounding). For each row x and
// block b of 32 values, with amax = max |x_j|:
//   d_b = amax / 127,  q_j = round_half_even(x_j * (127 / amax)),  s_b = sum of q_j,  t_b = d_b * s_b;
//   amax < 2^-100: the block counts as zeros (d_b = 0, all q_j = 0);
//   some x_j infinite or NaN: d_b = t_b = NaN and all q_j = 0, so the row's outputs are NaN and no other row's.
// For each output n with weight blocks of scale dw (f16, widened), minimum mw (Q4_1 only) and integers w_j (Q4_0's
// less 8), the blocks b = 0, 1, 2, ... in turn do
//   dot = sum of w_j q_j;  acc = fma(float(dot), dw * d_b, acc);  Q4_1 then: acc = fma(mw, t_b, acc)
// from acc = 0, and y = acc, or y = acc + bias[n].
//
// Shape letters as in gemm.h. K is a multiple of 32.

#include <cstddef>
#include <cstdint>
#include <memory>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

enum class QuantType { kQ4_0, kQ4_1, kQ8_0 };

class QuantMatrix {
 public:
  QuantMatrix() = default;
  // `blocks`: N rows of K / 32 GGUF blocks (formats.md 6.1), copied and interleaved for the kernels.
  QuantMatrix(ThreadPool& pool, QuantType type, const void* blocks, int64_t n, int64_t k);
  // Quantises float32 weights by GGUF's own rule for `type`.
  static QuantMatrix quantize(ThreadPool& pool, QuantType type, const float* weight_NK, int64_t n, int64_t k);

  // y[M, N] = x[M, K] W^T + bias, activations quantised on the way (per row, blocks of 32, d = amax / 127).
  void multiply(ThreadPool& pool, const float* x, int64_t m, int64_t ldx, const float* bias, float* y,
                int64_t ldy) const;

  // Row `row` as float32 [K]: the embedding look-up of tied models.
  void dequantize_row(int64_t row, float* out) const;

  int64_t rows() const { return n_; }
  int64_t cols() const { return k_; }
  QuantType type() const { return type_; }
  size_t bytes() const;

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> data_;  // 64-byte aligned; panels of 16 rows (quant_panels.h), zero padded
  int64_t n_ = 0, k_ = 0;
  QuantType type_ = QuantType::kQ4_1;
};

}  // namespace r1::kernels
