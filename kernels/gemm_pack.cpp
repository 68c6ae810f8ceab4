#include "kernels/gemm_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/bf16.h"
#include "kernels/cpu.h"
#include "kernels/gemm_tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace r1::kernels::gemm_detail {
namespace {

constexpr int64_t kStripDepth = 64;  // of the float32 strip that bf16 panels are rounded from

#if defined(__x86_64__)

// out[k * 16 + row] = in[row * ld + k] for 8 rows and 8 k.
[[gnu::target("avx2,fma"), gnu::always_inline]] inline void transpose_8x8(const float* in, int64_t ld, float* out) {
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
[[gnu::target("avx2,fma")]] int64_t pack_rows_avx2(const float* in, int64_t ld, int64_t depth, float* panel) {
  const int64_t whole = depth / 8 * 8;
  for (int64_t k = 0; k < whole; k += 8) {
    transpose_8x8(in + k, ld, panel + k * kPanelWidth);
    transpose_8x8(in + 8 * ld + k, ld, panel + k * kPanelWidth + 8);
  }
  return whole;
}

#endif

// `source` holds the panel's rows as rows.
void pack_rows(const float* in, int64_t ld, int64_t num_rows, int64_t depth, float* panel) {
  int64_t k = 0;
#if defined(__x86_64__)
  if (num_rows == kPanelWidth && active_isa() == Isa::kAvx2) k = pack_rows_avx2(in, ld, depth, panel);
#endif
  for (; k < depth; ++k) {
    for (int64_t j = 0; j < num_rows; ++j) panel[k * kPanelWidth + j] = in[j * ld + k];
    std::fill(panel + k * kPanelWidth + num_rows, panel + (k + 1) * kPanelWidth, 0.0f);
  }
}

// `source` holds the panel's rows as columns.
void pack_columns(const float* in, int64_t ld, int64_t num_rows, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; ++k, in += ld, panel += kPanelWidth) {
    if (num_rows == kPanelWidth) {
      std::memcpy(panel, in, kPanelWidth * sizeof(float));
      continue;
    }
    std::copy(in, in + num_rows, panel);
    std::fill(panel + num_rows, panel + kPanelWidth, 0.0f);
  }
}

void pack_f32(const Source& source, int64_t row, int64_t num_rows, int64_t k, int64_t depth, float* panel) {
  const auto pack = source.transpose == Transpose::kNo ? pack_rows : pack_columns;
  pack(source.at(row, k), source.ld, num_rows, depth, panel);
}

void round_strip(const float* strip, int64_t depth, uint32_t* panel) {
  for (int64_t k = 0; k < depth; ++k, strip += kPanelWidth, panel += kPanelWidth / 2) {
    for (int j = 0; j < kPanelWidth / 2; ++j) {
      panel[j] = pair_bf16(to_bf16(strip[j]), to_bf16(strip[j + kPanelWidth / 2]));
    }
  }
}

}  // namespace

int64_t panel_bytes(int64_t k, Element element) {
  return k * kPanelWidth * static_cast<int64_t>(element == Element::kF32 ? sizeof(float) : sizeof(uint16_t));
}

void pack_panel(const Source& source, int64_t row, int64_t num_rows, int64_t k, int64_t depth, Element element,
                void* panel) {
  if (element == Element::kF32) {
    pack_f32(source, row, num_rows, k, depth, static_cast<float*>(panel));
    return;
  }
  float strip[kStripDepth * kPanelWidth];
  for (int64_t done = 0; done < depth; done += kStripDepth) {
    const int64_t strip_depth = std::min(kStripDepth, depth - done);
    pack_f32(source, row, num_rows, k + done, strip_depth, strip);
    round_strip(strip, strip_depth, static_cast<uint32_t*>(panel) + done * kPanelWidth / 2);
  }
}

void pack_tile(const Source& source, int64_t row, int64_t num_rows, int64_t k, int64_t depth, float* tile) {
  for (int64_t i = 0; i < depth; ++i, tile += kTileRows) {
    if (source.transpose == Transpose::kYes && num_rows == kTileRows) {
      std::memcpy(tile, source.at(row, k + i), kTileRows * sizeof(float));
      continue;
    }
    for (int64_t r = 0; r < num_rows; ++r) tile[r] = *source.at(row + r, k + i);
  }
}

}  // namespace r1::kernels::gemm_detail
