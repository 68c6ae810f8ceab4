#include "kernels/gemm_tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace r1::kernels::gemm_detail {
namespace {

struct SingleF32 {
  [[gnu::target("avx512f"), gnu::always_inline]] static __m512 add(const Word* a, __m512 b, __m512 sum) {
    return _mm512_fmadd_ps(_mm512_set1_ps(*a), b, sum);
  }
};

// The instruction adds the upper halves' product first, then the lower halves', each as one fused multiply-add.
struct PairBF16 {
  [[gnu::target("avx512f,avx512bf16"), gnu::always_inline]] static __m512 add(const Word* a, __m512 b, __m512 sum) {
    const __m512i pair = _mm512_castps_si512(_mm512_set1_ps(*a));
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(pair), reinterpret_cast<__m512bh>(_mm512_castps_si512(b)));
  }
};

template <class Step, int kRows, int kPanels>
[[gnu::target("avx512f,avx512bf16")]] void tile(const Tile& t) {
  __m512 sum[kRows][kPanels];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const bool carry = t.accumulate == Accumulate::kYes;
      sum[r][p] = carry ? _mm512_loadu_ps(t.c + r * t.ldc + p * kPanelWidth) : _mm512_setzero_ps();
    }
  }
  const Word* a = t.a;
  const Word* b = t.b;
  const char* ahead = static_cast<const char*>(t.ahead);
  constexpr auto kHint = kRows <= 3 ? _MM_HINT_T0 : _MM_HINT_T1;  // high tiles need L1 for the panels at hand
  const int64_t a_row = t.a_row, a_k = t.a_k, panel_stride = t.panel_stride;
  for (int64_t k = t.depth; k > 0; --k) {
    __m512 panel[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      panel[p] = _mm512_loadu_ps(b + p * panel_stride);
      _mm_prefetch(ahead + p * panel_stride * static_cast<int64_t>(sizeof(Word)), kHint);
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) sum[r][p] = Step::add(a + r * a_row, panel[p], sum[r][p]);
    }
    b += kPanelWidth;
    a += a_k;
    ahead += t.ahead_step;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) _mm512_storeu_ps(t.c + r * t.ldc + p * kPanelWidth, sum[r][p]);
  }
}

template <class Step>
constexpr TileKernels kKernels = {{{tile<Step, 1, 1>, tile<Step, 1, 2>, tile<Step, 1, 3>, tile<Step, 1, 4>},
                                   {tile<Step, 2, 1>, tile<Step, 2, 2>, tile<Step, 2, 3>, tile<Step, 2, 4>},
                                   {tile<Step, 3, 1>, tile<Step, 3, 2>, tile<Step, 3, 3>, tile<Step, 3, 4>},
                                   {tile<Step, 4, 1>, tile<Step, 4, 2>, tile<Step, 4, 3>, tile<Step, 4, 4>},
                                   {tile<Step, 5, 1>, tile<Step, 5, 2>, tile<Step, 5, 3>, tile<Step, 5, 4>},
                                   {tile<Step, 6, 1>, tile<Step, 6, 2>, tile<Step, 6, 3>, tile<Step, 6, 4>}}};

}  // namespace

const TileKernels& avx512_tile_kernels() { return kKernels<SingleF32>; }
const TileKernels& avx512_bf16_tile_kernels() { return kKernels<PairBF16>; }

}  // namespace r1::kernels::gemm_detail

#endif
