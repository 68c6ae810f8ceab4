#pragma once
// 16 floats in two AVX2 registers. To be included, as what uses it, under #pragma GCC target("avx2,fma"); see
// lanes_portable.h for what each function does.

#include <immintrin.h>

#include "kernels/vector_math.h"

namespace r1::kernels::avx2 {

struct Lanes {
  __m256 low, high;

  static Lanes all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Lanes load_part(const float* p, int64_t count) {
    return {_mm256_maskload_ps(p, simd::first_lanes(count)), _mm256_maskload_ps(p + 8, simd::first_lanes(count - 8))};
  }
  static Lanes load_part(const float* p, int64_t count, float rest) {
    const Lanes loaded = load_part(p, count);
    const __m256 fill = _mm256_set1_ps(rest);
    return {_mm256_blendv_ps(fill, loaded.low, _mm256_castsi256_ps(simd::first_lanes(count))),
            _mm256_blendv_ps(fill, loaded.high, _mm256_castsi256_ps(simd::first_lanes(count - 8)))};
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  void store_part(float* p, int64_t count) const {
    _mm256_maskstore_ps(p, simd::first_lanes(count), low);
    _mm256_maskstore_ps(p + 8, simd::first_lanes(count - 8), high);
  }
};

inline Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
inline Lanes operator-(Lanes a, Lanes b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
inline Lanes fma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
inline Lanes fnma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
inline Lanes max(Lanes a, Lanes b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
inline Lanes sqrt(Lanes a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
inline Lanes exp(Lanes a) { return {simd::exp8(a.low), simd::exp8(a.high)}; }
inline Lanes swap_pairs(Lanes a) { return {_mm256_permute_ps(a.low, 0xB1), _mm256_permute_ps(a.high, 0xB1)}; }
inline Lanes load_twice(const float* p, int64_t count) {
  const __m256 values = _mm256_maskload_ps(p, simd::first_lanes(count));
  return {_mm256_permutevar8x32_ps(values, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)),
          _mm256_permutevar8x32_ps(values, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))};
}
inline float sum(Lanes a) { return simd::sum_lanes(a.low, a.high); }
inline float greatest(Lanes a) {
  const __m256 t = _mm256_max_ps(a.low, a.high);
  const __m128 u = _mm_max_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
  const __m128 v = _mm_max_ps(u, _mm_movehl_ps(u, u));
  return _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps(v, v, 1)));
}

}  // namespace r1::kernels::avx2
