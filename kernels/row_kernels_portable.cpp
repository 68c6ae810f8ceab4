#include <cmath>
#include <limits>

#include "kernels/cpu.h"
#include "kernels/lanes_portable.h"
#include "kernels/row_kernels.h"

namespace r1::kernels {
namespace portable {
namespace {

#include "kernels/row_kernels_elementwise.inc"
#include "kernels/row_kernels_reduce.inc"

// Squares of floats are exact in double: only the order of the sums matters.
double sum_of_squares(const float* x, int64_t count) {
  double lanes[simd::kLanes] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i % simd::kLanes] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (int half = simd::kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace

extern const rows::Kernels kKernels;
const rows::Kernels kKernels{rms_norm,     rms_norm_backward, add,   swiglu,        swiglu_backward, rope, exp_all,
                             softmax_sums, softmax_backward,  adamw, sum_of_squares};

}  // namespace portable

namespace avx2 {
extern const rows::Kernels kKernels;
}

const rows::Kernels& rows::kernels() {
#if defined(__x86_64__)
  if (active_isa() >= Isa::kAvx2) return avx2::kKernels;
#endif
  return portable::kKernels;
}

}  // namespace r1::kernels
