#pragma once
// Single-precision matrix products whose results do not depend on batch size, tiling or threads: every output is ONE
// chain of fused multiply-adds over k = 0, 1, 2, ... in that order, starting from 0 (or from C when accumulating).
// Rollouts and training call the same code, so the log-probs of the same weights are equal bit for bit
// (docs/architecture.md 4).
//
// With Element::kBF16 both operands are rounded to bfloat16 on their way in (nearest even); sums stay float32, in the
// same chain. Values below float32's least normal number count as 0 there, operands and sums alike: so do the
// processors' products of bfloat16 pairs, and every instruction set gives their bits.
//
// Shape letters: M = rows (tokens), N = output features, K = input features. All matrices are row-major float32.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

enum class Transpose { kNo, kYes };
enum class Accumulate { kNo, kYes };
enum class Element { kF32, kBF16 };  // what the operands of a product are rounded to; sums are float32

// C[M, N] = op(A)[M, K] op(B)[K, N]  (+ C). lda, ldb, ldc are the row strides of the matrices as stored.
struct GemmArgs {
  Transpose transpose_a = Transpose::kNo, transpose_b = Transpose::kNo;
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  Accumulate accumulate = Accumulate::kNo;
  Element element = Element::kF32;
};
void gemm(ThreadPool& pool, const GemmArgs& args);

// A weight [N, K] repacked once for many products: panels of 16 outputs, k-major, so that a product with one row runs
// at memory bandwidth. kBF16 halves the memory.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(ThreadPool& pool, const float* weight_NK, int64_t n, int64_t k, Element element);
  PackedMatrix(PackedMatrix&&) noexcept = default;
  PackedMatrix& operator=(PackedMatrix&&) noexcept = default;

  // Overwrites the contents from new weights of the same shape.
  void repack(ThreadPool& pool, const float* weight_NK);

  // y[M, N] = x[M, K] W^T + bias. bias [N] may be null; it is added after the chain. Bit-equal to gemm() of the same
  // element for any M.
  void multiply(ThreadPool& pool, const float* x, int64_t m, int64_t ldx, const float* bias, float* y,
                int64_t ldy) const;

  int64_t rows() const { return n_; }
  int64_t cols() const { return k_; }
  size_t bytes() const;

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> panels_;  // 64-byte aligned; [ceil(N / 16)][words of K][16], zero padded
  int64_t n_ = 0, k_ = 0;
  Element element_ = Element::kF32;
};

}  // namespace r1::kernels
