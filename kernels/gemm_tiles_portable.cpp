#include <bit>
#include <cmath>
#include <limits>

#include "kernels/cpu.h"
#include "kernels/gemm_tiles.h"

namespace r1::kernels::gemm_detail {
namespace {

struct SingleF32 {
  static float load(float sum) { return sum; }
  static float add(Word a, Word b, float sum) { return std::fma(a, b, sum); }
};

struct PairBF16 {
  static float flushed(float x) { return std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }
  static float upper(Word w) { return flushed(std::bit_cast<float>(std::bit_cast<uint32_t>(w) & 0xFFFF0000)); }
  static float lower(Word w) { return flushed(std::bit_cast<float>(std::bit_cast<uint32_t>(w) << 16)); }
  static float load(float sum) { return flushed(sum); }
  static float add(Word a, Word b, float sum) {
    sum = flushed(std::fma(upper(a), upper(b), sum));
    return flushed(std::fma(lower(a), lower(b), sum));
  }
};

template <class Step>
void add_row(const Word* a, int64_t a_k, const Word* b, int64_t depth, float* sum) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int j = 0; j < kPanelWidth; ++j) sum[j] = Step::add(a[k * a_k], b[k * kPanelWidth + j], sum[j]);
  }
}

template <class Step, int kRows, int kPanels>
void tile(const Tile& t) {
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) {
      float* c = t.c + r * t.ldc + p * kPanelWidth;
      float sum[kPanelWidth] = {};
      for (int j = 0; j < kPanelWidth && t.accumulate == Accumulate::kYes; ++j) sum[j] = Step::load(c[j]);
      add_row<Step>(t.a + r * t.a_row, t.a_k, t.b + p * t.panel_stride, t.depth, sum);
      for (int j = 0; j < kPanelWidth; ++j) c[j] = sum[j];
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

const TileKernels& portable_tile_kernels(Element element) {
  return element == Element::kF32 ? kKernels<SingleF32> : kKernels<PairBF16>;
}

const TileKernels& tile_kernels(Element element) {
#if defined(__x86_64__)
  const Isa isa = active_isa();
  if (isa >= Isa::kAvx512Bf16 && element == Element::kBF16) return avx512_bf16_tile_kernels();
  if (isa >= Isa::kAvx512 && element == Element::kF32) return avx512_tile_kernels();
  if (isa >= Isa::kAvx2) return avx2_tile_kernels(element);
#endif
  return portable_tile_kernels(element);
}

}  // namespace r1::kernels::gemm_detail
