#if defined(__x86_64__)

#include <cmath>
#include <limits>

#include "kernels/row_kernels.h"
#include "kernels/vector_math.h"

// To the end of the file, so that templates instantiated there are compiled for AVX2 too. No standard container or
// algorithm may be used below: the linker could keep this file's copy for everybody.
#pragma GCC target("avx2,fma")

#include "kernels/lanes_avx2.h"

namespace r1::kernels::avx2 {
namespace {

#include "kernels/row_kernels_elementwise.inc"
#include "kernels/row_kernels_reduce.inc"

inline void add_squares(__m128 four, __m256d& lanes) {
  const __m256d x = _mm256_cvtps_pd(four);
  lanes = _mm256_fmadd_pd(x, x, lanes);
}

// In the order of the portable form: 16 lanes, added by halves.
double sum_of_squares(const float* x, int64_t count) {
  __m256d lanes[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
  const auto add_lanes = [&](Lanes v) {
    add_squares(_mm256_castps256_ps128(v.low), lanes[0]);
    add_squares(_mm256_extractf128_ps(v.low, 1), lanes[1]);
    add_squares(_mm256_castps256_ps128(v.high), lanes[2]);
    add_squares(_mm256_extractf128_ps(v.high, 1), lanes[3]);
  };
  for_lanes(
      count, [&](int64_t i) { add_lanes(Lanes::load(x + i)); },
      [&](int64_t i, int64_t n) { add_lanes(Lanes::load_part(x + i, n)); });
  const __m256d t = _mm256_add_pd(_mm256_add_pd(lanes[0], lanes[2]), _mm256_add_pd(lanes[1], lanes[3]));
  const __m128d u = _mm_add_pd(_mm256_castpd256_pd128(t), _mm256_extractf128_pd(t, 1));
  return _mm_cvtsd_f64(_mm_add_sd(u, _mm_unpackhi_pd(u, u)));
}

}  // namespace

extern const rows::Kernels kKernels;
const rows::Kernels kKernels{rms_norm,     rms_norm_backward, add,   swiglu,        swiglu_backward, rope, exp_all,
                             softmax_sums, softmax_backward,  adamw, sum_of_squares};

}  // namespace r1::kernels::avx2

#endif
