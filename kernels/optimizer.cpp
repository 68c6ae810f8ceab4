#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/row_kernels.h"
#include "kernels/scratch.h"

namespace r1::kernels {
namespace {

constexpr int64_t kPiece = 65536;

// torch computes these in double and rounds each once.
rows::AdamW scalars(const AdamWArgs& a) {
  const double step = static_cast<double>(a.step);
  const double bias1 = 1 - std::pow(a.beta1, step), bias2 = 1 - std::pow(a.beta2, step);
  return {.grad_scale = static_cast<float>(a.grad_scale),
          .decay = static_cast<float>(1 - a.learning_rate * a.weight_decay),
          .one_minus_beta1 = static_cast<float>(1 - a.beta1),
          .beta2 = static_cast<float>(a.beta2),
          .one_minus_beta2 = static_cast<float>(1 - a.beta2),
          .step_size = static_cast<float>(a.learning_rate / bias1),
          .bias2_sqrt = static_cast<float>(std::sqrt(bias2)),
          .eps = static_cast<float>(a.eps)};
}

}  // namespace

void adamw(ThreadPool& pool, const AdamWArgs& args, float* weight, float* m, float* v, const float* grad,
           int64_t count) {
  if (args.step < 1) {
    throw Error("adamw", fmt::format("step is {}, allowed are 1 and more", args.step), "count steps from 1");
  }
  const rows::Kernels& kernels = rows::kernels();
  const rows::AdamW constants = scalars(args);
  const rows::AdamWState state{.weight = weight, .m = m, .v = v, .grad = grad};
  pool.parallel_for(count, kPiece, [&](int64_t begin, int64_t end) { kernels.adamw(constants, state, begin, end); });
}

double sum_of_squares(ThreadPool& pool, const float* x, int64_t count) {
  static thread_local Scratch scratch;
  const rows::Kernels& kernels = rows::kernels();
  const int64_t num_pieces = (count + kPiece - 1) / kPiece;
  static_assert(sizeof(double) == 2 * sizeof(float));
  double* pieces = reinterpret_cast<double*>(scratch.floats(2 * num_pieces));
  pool.parallel_for(num_pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      pieces[p] = kernels.sum_of_squares(x + p * kPiece, std::min(kPiece, count - p * kPiece));
    }
  });
  double sum = 0;
  for (int64_t p = 0; p < num_pieces; ++p) sum += pieces[p];
  return sum;
}

}  // namespace r1::kernels
