#include "kernels/gemm_tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace r1::kernels::gemm_detail {
namespace {

struct SingleF32 {
  struct Mode {};
  [[gnu::target("avx2,fma"), gnu::always_inline]] static void add(__m256 a, __m256 low, __m256 high, __m256* sum) {
    sum[0] = _mm256_fmadd_ps(a, low, sum[0]);
    sum[1] = _mm256_fmadd_ps(a, high, sum[1]);
  }
};

struct PairBF16 {
  // Values below the least normal number are read and written as 0 while it lives.
  class Mode {
   public:
    Mode() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero); }
    ~Mode() { _mm_setcsr(saved_); }
    Mode(const Mode&) = delete;
    Mode& operator=(const Mode&) = delete;

   private:
    static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
    unsigned saved_;
  };
  [[gnu::target("avx2,fma"), gnu::always_inline]] static __m256 upper(__m256 w) {
    return _mm256_and_ps(w, _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int32_t>(0xFFFF0000))));
  }
  [[gnu::target("avx2,fma"), gnu::always_inline]] static __m256 lower(__m256 w) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(w), 16));
  }
  [[gnu::target("avx2,fma"), gnu::always_inline]] static void add(__m256 a, __m256 low, __m256 high, __m256* sum) {
    sum[0] = _mm256_fmadd_ps(upper(a), upper(low), sum[0]);
    sum[1] = _mm256_fmadd_ps(upper(a), upper(high), sum[1]);
    sum[0] = _mm256_fmadd_ps(lower(a), lower(low), sum[0]);
    sum[1] = _mm256_fmadd_ps(lower(a), lower(high), sum[1]);
  }
};

template <class Step, int kRows, int kPanels>
[[gnu::target("avx2,fma")]] void tile(const Tile& t) {
  [[maybe_unused]] const typename Step::Mode mode;
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
  const Word* a = t.a;
  const Word* b = t.b;
  const char* ahead = static_cast<const char*>(t.ahead);
  constexpr auto kHint = kRows <= 3 ? _MM_HINT_T0 : _MM_HINT_T1;  // high tiles need L1 for the panel at hand
  const int64_t a_row = t.a_row, a_k = t.a_k, panel_stride = t.panel_stride;
  for (int64_t k = t.depth; k > 0; --k) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const Word* b_k = b + p * panel_stride;
      const __m256 low = _mm256_loadu_ps(b_k), high = _mm256_loadu_ps(b_k + 8);
      _mm_prefetch(ahead + p * panel_stride * static_cast<int64_t>(sizeof(Word)), kHint);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) Step::add(_mm256_broadcast_ss(a + r * a_row), low, high, sum[r][p]);
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

template <class Step>
constexpr TileKernels kKernels = {{{tile<Step, 1, 1>, tile<Step, 1, 2>, tile<Step, 1, 3>, tile<Step, 1, 4>},
                                   {tile<Step, 2, 1>, tile<Step, 2, 2>},
                                   {tile<Step, 3, 1>, tile<Step, 3, 2>},
                                   {tile<Step, 4, 1>},
                                   {tile<Step, 5, 1>},
                                   {tile<Step, 6, 1>}}};

}  // namespace

const TileKernels& avx2_tile_kernels(Element element) {
  return element == Element::kF32 ? kKernels<SingleF32> : kKernels<PairBF16>;
}

}  // namespace r1::kernels::gemm_detail

#endif
