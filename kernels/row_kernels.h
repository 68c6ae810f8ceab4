#pragma once
// The inner loops behind elementwise.h, softmax.h and optimizer.h, for ranges of rows or elements, in one form for each
// instruction set. Private to those three: written once, in row_kernels_*.inc, and compiled for both.

#include <cstdint>

#include "kernels/elementwise.h"
#include "kernels/vector_math.h"

namespace r1::kernels::rows {

struct RmsNorm {
  const float *x, *weight;
  int64_t d;
  float eps;
  float *y, *inv_rms;  // inv_rms may be null
};

struct RmsNormBackward {
  const float *x, *weight, *inv_rms, *d_y;
  int64_t d;
  float* d_x;
};

struct Swiglu {
  const float* gate_up;
  int64_t f;
  float* y;
};

struct SwigluBackward {
  const float *gate_up, *d_y;
  int64_t f;
  float* d_gate_up;
};

// Of one row x scaled by 1 / temperature, with z_j = x_j - max: sum_j exp(z_j) and sum_j exp(z_j) z_j.
struct SoftmaxSums {
  float max = 0, exp_sum = 0, weighted_sum = 0;
};
enum class Weighted { kNo, kYes };  // without it weighted_sum stays 0; exp_sum has the same bits either way

struct SoftmaxBackward {
  float* row;  // scaled logits' sources in, gradients out; all but the target's are right
  int64_t v;
  float inv_temperature, max, log_sum, entropy, d_log_prob, d_entropy;
};

// AdamW's scalars, as torch rounds them to float32.
struct AdamW {
  float grad_scale, decay, one_minus_beta1, beta2, one_minus_beta2, step_size, bias2_sqrt, eps;
};
struct AdamWState {
  float *weight, *m, *v;
  const float* grad;
};

struct Kernels {
  void (*rms_norm)(const RmsNorm&, int64_t begin, int64_t end);
  void (*rms_norm_backward)(const RmsNormBackward&, int64_t begin, int64_t end, float* d_weight);  // adds to d_weight
  void (*add)(float* x, const float* y, int64_t count);
  void (*swiglu)(const Swiglu&, int64_t begin, int64_t end);
  void (*swiglu_backward)(const SwigluBackward&, int64_t begin, int64_t end);
  void (*rope)(const RopeArgs&, const int32_t* positions, int64_t begin, int64_t end);
  void (*exp)(const float* x, float* y, int64_t count);
  SoftmaxSums (*softmax_sums)(const float* row, int64_t v, float inv_temperature, Weighted);
  void (*softmax_backward)(const SoftmaxBackward&);
  void (*adamw)(const AdamW&, const AdamWState&, int64_t begin, int64_t end);
  double (*sum_of_squares)(const float* x, int64_t count);
};

// For the active instruction set.
const Kernels& kernels();

}  // namespace r1::kernels::rows
