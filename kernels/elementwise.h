#pragma once
// Row-wise kernels of a decoder layer, forward and backward, float32. A row's result depends on that row alone.
//
// Shape letters: T = rows (tokens), D = features, F = MLP width.

#include <cstdint>
#include <span>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

// y = x / sqrt(mean(x^2) + eps) * weight (arXiv:1910.07467). inv_rms [T] is kept for the backward pass (may be null).
void rms_norm(ThreadPool& pool, const float* x, const float* weight, int64_t t, int64_t d, float eps, float* y,
              float* inv_rms);
// d_x [T, D] is overwritten; d_weight [D] is overwritten with the sum over rows in a fixed order.
void rms_norm_backward(ThreadPool& pool, const float* x, const float* weight, const float* inv_rms, const float* d_y,
                       int64_t t, int64_t d, float* d_x, float* d_weight);

// x += y, elementwise over `count` floats.
void add_in_place(ThreadPool& pool, float* x, const float* y, int64_t count);

// SwiGLU: y[T, F] = silu(gate) * up, where gate_up [T, 2F] holds gate then up in each row.
void swiglu(ThreadPool& pool, const float* gate_up, int64_t t, int64_t f, float* y);
void swiglu_backward(ThreadPool& pool, const float* gate_up, const float* d_y, int64_t t, int64_t f, float* d_gate_up);

// How pairs of a rotary embedding lie: Llama and Qwen rotate (j, j + dim/2), DeepSeek's weights (2j, 2j + 1).
enum class RopeLayout { kHalfSplit, kInterleaved };
enum class RopeDirection { kForward, kBackward };  // backward rotates by the negative angle

// Rotates in place `num_heads` heads of `dim` floats that start at x + row * ldx + head * head_stride.
// cos, sin: [max_position, dim / 2].
struct RopeArgs {
  float* x = nullptr;
  int64_t ldx = 0;
  int num_heads = 0;
  int dim = 0;
  int64_t head_stride = 0;
  const float* cos = nullptr;
  const float* sin = nullptr;
  RopeLayout layout = RopeLayout::kHalfSplit;
  RopeDirection direction = RopeDirection::kForward;
};
void rope(ThreadPool& pool, const RopeArgs& args, std::span<const int32_t> positions);

// exp(x) to within 2 ulp, the same bits at every place in a vector; exp(-inf) = 0. In place allowed.
void vector_exp(const float* x, float* y, int64_t count);

}  // namespace r1::kernels
