#include "kernels/gemm_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu.h"
#include "kernels/gemm_tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace r1::kernels::gemm_detail {
namespace {

#if defined(__x86_64__)

// out[k * 16 + row] = in[row * ld + k] for 8 rows and 8 k.
[[gnu::target("avx2,fma"), gnu::always_inline]] inline void transpose_8x8(const Word* in, int64_t ld, Word* out) {
  __m256 pair[8], quad[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    const __m256 even = _mm256_loadu_ps(in + i * ld), odd = _mm256_loadu_ps(in + (i + 1) * ld);
    pair[i] = _mm256_unpacklo_ps(even, odd);
    pair[i + 1] = _mm256_unpackhi_ps(even, odd);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
    quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(out + i * kPanelWidth, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * kPanelWidth, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31));
  }
}

// Returns how many of `depth` k it has packed: all but a tail of less than 8.
[[gnu::target("avx2,fma")]] int64_t pack_rows_avx2(const Word* in, int64_t ld, int64_t depth, Word* panel) {
  const int64_t whole = depth / 8 * 8;
  for (int64_t k = 0; k < whole; k += 8) {
    transpose_8x8(in + k, ld, panel + k * kPanelWidth);
    transpose_8x8(in + 8 * ld + k, ld, panel + k * kPanelWidth + 8);
  }
  return whole;
}

#endif

// From a matrix that holds the panel's rows as rows.
void pack_rows(const Word* in, int64_t ld, int64_t num_rows, int64_t depth, Word* panel) {
  int64_t k = 0;
#if defined(__x86_64__)
  if (num_rows == kPanelWidth && active_isa() >= Isa::kAvx2) k = pack_rows_avx2(in, ld, depth, panel);
#endif
  for (; k < depth; ++k) {
    for (int64_t j = 0; j < num_rows; ++j) panel[k * kPanelWidth + j] = in[j * ld + k];
    std::fill(panel + k * kPanelWidth + num_rows, panel + (k + 1) * kPanelWidth, 0.0f);
  }
}

// From a matrix that holds the panels' rows as columns: each k's stretch of it is read once, for all panels.
void pack_columns(const Word* in, int64_t ld, int64_t num_rows, int64_t depth, Word* panels) {
  const int64_t whole = num_rows / kPanelWidth, rest = num_rows % kPanelWidth;
  for (int64_t k = 0; k < depth; ++k, in += ld) {
    Word* out = panels + k * kPanelWidth;
    for (int64_t p = 0; p < whole; ++p, out += depth * kPanelWidth) {
      std::memcpy(out, in + p * kPanelWidth, kPanelWidth * sizeof(float));
    }
    if (rest == 0) continue;
    std::copy_n(in + whole * kPanelWidth, rest, out);
    std::fill(out + rest, out + kPanelWidth, 0.0f);
  }
}

}  // namespace

void pack_panels(const Source& source, const Extent& e, Word* panels) {
  const Word* in = source.at(e.begin, e.k);
  const int64_t num_rows = e.end - e.begin;
  if (source.transpose == Transpose::kYes) return pack_columns(in, source.ld, num_rows, e.depth, panels);
  for (int64_t row = 0; row < num_rows; row += kPanelWidth) {
    const int64_t width = std::min<int64_t>(kPanelWidth, num_rows - row);
    pack_rows(in + row * source.ld, source.ld, width, e.depth, panels + row * e.depth);
  }
}

}  // namespace r1::kernels::gemm_detail
