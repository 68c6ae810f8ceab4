#pragma once
// exp, log and sums over 16 lanes, for the kernels: AVX2 forms and scalar twins that give the same bits lane by lane.
// Fused multiply-adds are spelled out, so nothing here changes with -ffp-contract.
//
// A row sum runs over 16 lanes (lane = index mod 16), held as two vectors of 8 (lanes 0-7 and 8-15), and ends in the
// tree of sum_lanes(). A row's tail is padded with what does not change the sum (0).

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace r1::kernels::simd {

constexpr int kLanes = 16;

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2) / 2; exp(r) = 1 + r + r^2 P(r) with a minimax P (relative
// error 2^-28). The two factors of 2^n keep denormal results right.
struct Exp {
  static constexpr float kMin = -104.0f;  // below: rounds to 0
  static constexpr float kMax = 89.0f;    // above: infinity
  static constexpr float kLog2E = 0x1.715476p+0f;
  static constexpr float kRound = 0x1.8p+23f;  // x + kRound has round(x) in its low bits
  static constexpr float kLn2High = 0x1.62e400p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kP0 = 0x1.fffffcp-2f, kP1 = 0x1.555492p-3f, kP2 = 0x1.5558f2p-5f, kP3 = 0x1.123a20p-7f,
                         kP4 = 0x1.6a23d0p-10f;
};

// exp(x) to 1 ulp; exp(-inf) = 0, exp(NaN) = NaN.
inline float exp1(float x) {
  x = Exp::kMin > x ? Exp::kMin : x;  // as maxps and minps: a NaN stays
  x = Exp::kMax < x ? Exp::kMax : x;
  const float rounded = std::fma(x, Exp::kLog2E, Exp::kRound);
  const float n = rounded - Exp::kRound;
  const float r = std::fma(n, -Exp::kLn2Low, std::fma(n, -Exp::kLn2High, x));
  float p = std::fma(Exp::kP4, r, Exp::kP3);
  p = std::fma(p, r, Exp::kP2);
  p = std::fma(p, r, Exp::kP1);
  p = std::fma(p, r, Exp::kP0);
  p = std::fma(p, r, 1.0f);
  p = std::fma(p, r, 1.0f);
  const int32_t exponent =
      static_cast<int32_t>(std::bit_cast<uint32_t>(rounded) - std::bit_cast<uint32_t>(Exp::kRound));
  const uint32_t half = static_cast<uint32_t>(exponent >> 1);
  const uint32_t rest = static_cast<uint32_t>(exponent) - half;
  return p * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((rest + 127) << 23);
}

// log(x) rounded from a double that is right to about 1e-15: log m = 2 atanh((m - 1) / (m + 1)) as a series.
inline float log1(float x) {
  if (!(x > 0) || x == std::numeric_limits<float>::infinity()) {
    return x == 0 ? -std::numeric_limits<float>::infinity() : x > 0 ? x : std::numeric_limits<float>::quiet_NaN();
  }
  constexpr uint64_t kSqrtHalf = 0x3FE6A09E667F3BCD;  // m lies in [sqrt(1/2), sqrt(2))
  const uint64_t bits = std::bit_cast<uint64_t>(static_cast<double>(x));
  const int64_t exponent = static_cast<int64_t>(bits - kSqrtHalf) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<uint64_t>(exponent) << 52));
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double series = 1.0 / 19;
  for (int odd = 17; odd >= 1; odd -= 2) {
    series = std::fma(series, z, 1.0 / odd);
  }
  return static_cast<float>(std::fma(static_cast<double>(exponent), 0x1.62e42fefa39efp-1, 2 * s * series));
}

// Sum of 16 lanes by halves: l and l + 8, then + 4, + 2, + 1.
inline float sum_lanes(const float* lanes) {
  float t[8];
  for (int i = 0; i < 8; ++i) t[i] = lanes[i] + lanes[i + 8];
  for (int i = 0; i < 4; ++i) t[i] += t[i + 4];
  return (t[0] + t[2]) + (t[1] + t[3]);
}

#if defined(__x86_64__)

[[gnu::target("avx2,fma"), gnu::always_inline]] inline __m256 exp8(__m256 x) {
  x = _mm256_max_ps(_mm256_set1_ps(Exp::kMin), x);
  x = _mm256_min_ps(_mm256_set1_ps(Exp::kMax), x);
  const __m256 round = _mm256_set1_ps(Exp::kRound);
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 rounded = _mm256_fmadd_ps(x, _mm256_set1_ps(Exp::kLog2E), round);
  const __m256 n = _mm256_sub_ps(rounded, round);
  const __m256 r =
      _mm256_fnmadd_ps(n, _mm256_set1_ps(Exp::kLn2Low), _mm256_fnmadd_ps(n, _mm256_set1_ps(Exp::kLn2High), x));
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(Exp::kP4), r, _mm256_set1_ps(Exp::kP3));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(Exp::kP2));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(Exp::kP1));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(Exp::kP0));
  p = _mm256_fmadd_ps(p, r, one);
  p = _mm256_fmadd_ps(p, r, one);
  const __m256i exponent = _mm256_sub_epi32(_mm256_castps_si256(rounded), _mm256_castps_si256(round));
  const __m256i half = _mm256_srai_epi32(exponent, 1);
  const __m256i rest = _mm256_sub_epi32(exponent, half);
  const __m256i bias = _mm256_set1_epi32(127);
  p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
  return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}

// The sum of lanes 0-7 in `low` and 8-15 in `high`, in the order of the scalar sum_lanes().
[[gnu::target("avx2,fma"), gnu::always_inline]] inline float sum_lanes(__m256 low, __m256 high) {
  const __m256 t = _mm256_add_ps(low, high);
  const __m128 u = _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
  const __m128 v = _mm_add_ps(u, _mm_movehl_ps(u, u));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}

// A mask for _mm256_maskload_ps and _mm256_maskstore_ps: the first `count` of 8 lanes (0 <= count; above 8 is 8).
[[gnu::target("avx2,fma"), gnu::always_inline]] inline __m256i first_lanes(int64_t count) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count < 8 ? count : 8)), index);
}

#endif

}  // namespace r1::kernels::simd
