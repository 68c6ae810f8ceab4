#include "kernels/gemm_pairs.h"

#include <algorithm>
#include <bit>

#include "core/thread_pool.h"
#include "kernels/bf16.h"
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace r1::kernels::gemm_detail {
namespace {

constexpr int64_t kGrain = 16 * 1024;  // elements a task converts at least

Word pair_of(float first, float second) {
  return std::bit_cast<Word>(uint32_t{to_bf16(first)} << 16 | to_bf16(second));
}

#if defined(__x86_64__)

// The bfloat16 of each lane in its upper half; the lower half is noise.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i rounded(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  return _mm256_blendv_epi8(up, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
}

// Upper halves of `first`, and those of `second` in the lower ones.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i joined(__m256i first, __m256i second) {
  return _mm256_blend_epi16(_mm256_srli_epi32(second, 16), first, 0xAA);
}

// Returns how many words it wrote: all but a tail of less than 8.
[[gnu::target("avx2")]] int64_t round_row_avx2(const float* in, int64_t k, Word* words) {
  int64_t w = 0;
  for (; 2 * (w + 8) <= k; w += 8) {
    const __m256 low = _mm256_loadu_ps(in + 2 * w), high = _mm256_loadu_ps(in + 2 * w + 8);
    // Even and odd lanes apart: 0 2 8 10 | 4 6 12 14, whose 64-bit quarters are then put in order.
    const __m256 even = _mm256_shuffle_ps(low, high, 0x88), odd = _mm256_shuffle_ps(low, high, 0xDD);
    const __m256i pairs = joined(rounded(even), rounded(odd));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + w), _mm256_permute4x64_epi64(pairs, 0xD8));
  }
  return w;
}

[[gnu::target("avx2")]] int64_t join_rows_avx2(const float* first, const float* second, int64_t count, Word* words) {
  int64_t j = 0;
  for (; j + 8 <= count; j += 8) {
    const __m256i pairs = joined(rounded(_mm256_loadu_ps(first + j)), rounded(_mm256_loadu_ps(second + j)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + j), pairs);
  }
  return j;
}

#endif

// Two rows of a transpose, neighbours in k: words[j] holds first[j] and second[j]; `second` may be null for zeros.
void join_rows(const float* first, const float* second, int64_t count, Word* words) {
  int64_t j = 0;
#if defined(__x86_64__)
  if (second != nullptr && active_isa() >= Isa::kAvx2) j = join_rows_avx2(first, second, count, words);
#endif
  for (; j < count; ++j) words[j] = pair_of(first[j], second != nullptr ? second[j] : 0.0f);
}

}  // namespace

void round_row_to_pairs(const float* in, int64_t k, Word* words) {
  int64_t w = 0;
#if defined(__x86_64__)
  if (active_isa() >= Isa::kAvx2) w = round_row_avx2(in, k, words);
#endif
  for (; w < words_of(k, Element::kBF16); ++w) words[w] = pair_of(in[2 * w], 2 * w + 1 < k ? in[2 * w + 1] : 0.0f);
}

Source round_to_pairs(ThreadPool& pool, const Source& source, int64_t rows, int64_t k, Word* words) {
  const int64_t num_words = words_of(k, Element::kBF16);
  if (source.transpose == Transpose::kNo) {
    pool.parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, k)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) round_row_to_pairs(source.at(r, 0), k, words + r * num_words);
    });
    return {.data = words, .ld = num_words};
  }
  pool.parallel_for(num_words, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, rows)),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t w = begin; w < end; ++w) {
                        const float* second = 2 * w + 1 < k ? source.at(0, 2 * w + 1) : nullptr;
                        join_rows(source.at(0, 2 * w), second, rows, words + w * rows);
                      }
                    });
  return {.data = words, .ld = rows, .transpose = Transpose::kYes};
}

}  // namespace r1::kernels::gemm_detail
