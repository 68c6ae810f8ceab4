// Activations to int8 in blocks of 32 (quant.h).

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/quant_panels.h"

namespace r1::kernels::quant {
namespace {

constexpr float kTiniest = 0x1p-100f;  // below it 127 / amax would come near overflow
constexpr uint32_t kMagnitude = 0x7fffffff;
constexpr uint32_t kInfinity = 0x7f800000;  // magnitudes from here on are infinite or NaN

// What a block is whose values do not count: all zeros, or poisoned by a value that is not finite.
ActivationBlock special_block(uint32_t amax_bits) {
  ActivationBlock block{};
  if (amax_bits >= kInfinity) block.d = block.t = std::numeric_limits<float>::quiet_NaN();
  return block;
}

bool is_special(uint32_t amax_bits) { return amax_bits >= kInfinity || std::bit_cast<float>(amax_bits) < kTiniest; }

void set_scales(ActivationBlock& block, float amax, int32_t sum) {
  block.d = amax / 127.0f;
  block.t = block.d * static_cast<float>(sum);
  block.eight_sums = 8 * sum;
}

ActivationBlock quantize_block_portable(const float* x) {
  uint32_t amax_bits = 0;  // as integers, magnitudes order like floats with NaN on top
  for (int i = 0; i < kBlock; ++i) amax_bits = std::max(amax_bits, std::bit_cast<uint32_t>(x[i]) & kMagnitude);
  if (is_special(amax_bits)) return special_block(amax_bits);
  const float amax = std::bit_cast<float>(amax_bits), inverse = 127.0f / amax;
  ActivationBlock block;
  int32_t sum = 0;
  for (int i = 0; i < kBlock; ++i) {
    block.q[i] = static_cast<int8_t>(std::nearbyint(x[i] * inverse));
    sum += block.q[i];
  }
  set_scales(block, amax, sum);
  return block;
}

}  // namespace

void quantize_activations_portable(const float* x, int64_t num_blocks, ActivationBlock* out) {
  for (int64_t b = 0; b < num_blocks; ++b) out[b] = quantize_block_portable(x + b * kBlock);
}

#if defined(__x86_64__)
namespace {

[[gnu::target("avx2,fma")]] uint32_t max_magnitude(const __m256 (&x)[4]) {
  const __m256i mask = _mm256_set1_epi32(kMagnitude);
  __m256i m[4];
  for (int i = 0; i < 4; ++i) m[i] = _mm256_and_si256(_mm256_castps_si256(x[i]), mask);
  const __m256i m8 = _mm256_max_epi32(_mm256_max_epi32(m[0], m[1]), _mm256_max_epi32(m[2], m[3]));
  const __m128i m4 = _mm_max_epi32(_mm256_castsi256_si128(m8), _mm256_extracti128_si256(m8, 1));
  const __m128i m2 = _mm_max_epi32(m4, _mm_shuffle_epi32(m4, 0x4e));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_max_epi32(m2, _mm_shuffle_epi32(m2, 0xb1))));
}

[[gnu::target("avx2,fma")]] int32_t sum_bytes(__m256i q) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), q);
  const __m256i s8 = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  const __m128i s4 = _mm_add_epi32(_mm256_castsi256_si128(s8), _mm256_extracti128_si256(s8, 1));
  const __m128i s2 = _mm_add_epi32(s4, _mm_shuffle_epi32(s4, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s2, _mm_shuffle_epi32(s2, 0xb1)));
}

[[gnu::target("avx2,fma")]] void quantize_block_avx2(const float* values, ActivationBlock& block) {
  __m256 x[4];
  for (int i = 0; i < 4; ++i) x[i] = _mm256_loadu_ps(values + 8 * i);
  const uint32_t amax_bits = max_magnitude(x);
  if (is_special(amax_bits)) {
    block = special_block(amax_bits);
    return;
  }
  const float amax = std::bit_cast<float>(amax_bits);
  const __m256 inverse = _mm256_set1_ps(127.0f / amax);
  __m256i q[4];
  for (int i = 0; i < 4; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x[i], inverse));
  // The packs work within 128-bit lanes and leave groups of four values in the order 0 2 4 6 1 3 5 7.
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
  const __m256i bytes = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  std::memcpy(block.q, &bytes, sizeof(block.q));
  set_scales(block, amax, sum_bytes(bytes));
}

}  // namespace

void quantize_activations_avx2(const float* x, int64_t num_blocks, ActivationBlock* out) {
  for (int64_t b = 0; b < num_blocks; ++b) quantize_block_avx2(x + b * kBlock, out[b]);
}
#endif

}  // namespace r1::kernels::quant
