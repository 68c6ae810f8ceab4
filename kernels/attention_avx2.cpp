#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/attention_tiles.h"
#include "kernels/vector_math.h"

#if defined(__x86_64__)

// Only what is defined between push and pop may use AVX2; it all has internal linkage, so that no other file can end up
// with a copy of it.
#pragma GCC push_options
#pragma GCC target("avx2,fma")

#include "kernels/attention_tiles_impl.h"
// Builds on the templates of attention_tiles_impl.h.
#include "kernels/attention_backward_impl.h"

namespace r1::kernels::attn {
namespace {

struct Avx2 {
  using Reg = __m256;
  static Reg load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Reg v) { _mm256_storeu_ps(x, v); }
  static Reg set(float x) { return _mm256_set1_ps(x); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  static Reg exp(Reg x) { return simd::exp8(x); }
  static float max_lanes(Reg x) {
    __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    y = _mm_max_ps(y, _mm_movehl_ps(y, y));
    return _mm_cvtss_f32(_mm_max_ss(y, _mm_shuffle_ps(y, y, 1)));
  }
  static float sum_lanes(Reg low, Reg high) { return simd::sum_lanes(low, high); }
};

constexpr Tiles kAvx2Tiles{forward<Avx2>, backward_queries<Avx2>, backward_keys<Avx2>};

}  // namespace
}  // namespace r1::kernels::attn

#pragma GCC pop_options

const r1::kernels::attn::Tiles& r1::kernels::attn::avx2_tiles() { return kAvx2Tiles; }

#else

const r1::kernels::attn::Tiles& r1::kernels::attn::avx2_tiles() { return portable_tiles(); }

#endif
