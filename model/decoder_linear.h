#pragma once
// A decoder's weight matrix in whichever form the rollout wants it: packed float32 or bfloat16, or GGUF blocks.

#include <string>
#include <variant>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/gemm.h"
#include "kernels/quant.h"
#include "model/decoder.h"
#include "model/weights.h"

namespace r1::model {

class DecoderLinear {
 public:
  // Stacks the named weights by rows (q, k and v become one product; so do gate and up), and their biases if they have any.
  void load(ThreadPool& pool, const WeightSource& weights, const std::vector<std::string>& names, WeightFormat format);

  // x [T, K] -> y [T, N], N = rows of all stacked weights.
  void multiply(ThreadPool& pool, const float* x, int64_t t, float* y) const;

  int64_t rows() const;
  int64_t cols() const;
  size_t bytes() const;

 private:
  std::variant<kernels::PackedMatrix, kernels::QuantMatrix> matrix_;
  std::vector<float> bias_;  // empty: none
};

}  // namespace r1::model
