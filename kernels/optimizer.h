#pragma once
// Optimizer arithmetic in one pass over memory, float32.

#include <cstdint>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

// AdamW (arXiv:1711.05101) as torch.optim.AdamW computes it:
//   w *= 1 - lr * weight_decay; m = lerp(m, g, 1 - beta1); v = beta2 v + (1 - beta2) g^2;
//   w -= lr / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + eps),  with g multiplied by grad_scale first.
struct AdamWArgs {
  double learning_rate = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  int64_t step = 1;       // counts from 1
  double grad_scale = 1;  // gradient clipping's factor
};
void adamw(ThreadPool& pool, const AdamWArgs& args, float* weight, float* m, float* v, const float* grad,
           int64_t count);

// Sum of squares in double, in fixed pieces: does not depend on threads.
double sum_of_squares(ThreadPool& pool, const float* x, int64_t count);

}  // namespace r1::kernels
