#include "kernels/gemm_tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace r1::kernels::gemm_detail {
namespace {

struct PanelF32 {
  using Scalar = float;
  [[gnu::target("avx2,fma"), gnu::always_inline]] static void load(const float* b, __m256& low, __m256& high) {
    low = _mm256_loadu_ps(b);
    high = _mm256_loadu_ps(b + 8);
  }
};

struct PanelBF16 {
  using Scalar = uint16_t;
  [[gnu::target("avx2,fma"), gnu::always_inline]] static void load(const uint16_t* b, __m256& low, __m256& high) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    low = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
    high = _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(static_cast<int32_t>(0xFFFF0000))));
  }
};

template <class Panel, int kRows, int kPanels>
[[gnu::target("avx2,fma")]] void tile(const Tile& t) {
  using Scalar = typename Panel::Scalar;
  __m256 sum[kRows][kPanels][2];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const float* c = t.c + r * t.ldc + p * kPanelWidth;
      const bool carry = t.accumulate == Accumulate::kYes;
      sum[r][p][0] = carry ? _mm256_loadu_ps(c) : _mm256_setzero_ps();
      sum[r][p][1] = carry ? _mm256_loadu_ps(c + 8) : _mm256_setzero_ps();
    }
  }
  const auto* b = static_cast<const Scalar*>(t.b);
  const float* a = t.a;
  const char* ahead = static_cast<const char*>(t.ahead);
  constexpr auto kHint = kRows <= 3 ? _MM_HINT_T0 : _MM_HINT_T1;  // high tiles need L1 for the panel at hand
  const int64_t a_row = t.a_row, a_k = t.a_k, panel_stride = t.panel_stride;
  for (int64_t k = t.depth; k > 0; --k) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const Scalar* b_k = b + p * panel_stride;
      __m256 low, high;
      Panel::load(b_k, low, high);
      _mm_prefetch(ahead + p * panel_stride * static_cast<int64_t>(sizeof(Scalar)), kHint);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256 a_rk = _mm256_broadcast_ss(a + r * a_row);
        sum[r][p][0] = _mm256_fmadd_ps(a_rk, low, sum[r][p][0]);
        sum[r][p][1] = _mm256_fmadd_ps(a_rk, high, sum[r][p][1]);
      }
    }
    b += kPanelWidth;
    a += a_k;
    ahead += t.ahead_step;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      float* c = t.c + r * t.ldc + p * kPanelWidth;
      _mm256_storeu_ps(c, sum[r][p][0]);
      _mm256_storeu_ps(c + 8, sum[r][p][1]);
    }
  }
}

template <class Panel>
constexpr TileKernels kKernels = {{{tile<Panel, 1, 1>, tile<Panel, 1, 2>, tile<Panel, 1, 3>, tile<Panel, 1, 4>},
                                   {tile<Panel, 2, 1>, tile<Panel, 2, 2>},
                                   {tile<Panel, 3, 1>, tile<Panel, 3, 2>},
                                   {tile<Panel, 4, 1>},
                                   {tile<Panel, 5, 1>},
                                   {tile<Panel, 6, 1>}}};

}  // namespace

const TileKernels& avx2_tile_kernels(Element element) {
  return element == Element::kF32 ? kKernels<PanelF32> : kKernels<PanelBF16>;
}

}  // namespace r1::kernels::gemm_detail

#endif
