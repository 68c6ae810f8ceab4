#include <bit>
#include <cmath>

#include "kernels/cpu.h"
#include "kernels/gemm_tiles.h"

namespace r1::kernels::gemm_detail {
namespace {

struct PanelF32 {
  using Word = float;
  static constexpr int kWords = kPanelWidth;  // per k
  static float at(const float* b, int j) { return b[j]; }
};

struct PanelBF16 {
  using Word = uint32_t;
  static constexpr int kWords = kPanelWidth / 2;
  static float at(const uint32_t* b, int j) { return std::bit_cast<float>(j < 8 ? b[j] << 16 : b[j - 8] & 0xFFFF0000); }
};

template <class Panel>
void add_row(const float* a, int64_t a_k, const void* panel, int64_t depth, float* sum) {
  const auto* b = static_cast<const typename Panel::Word*>(panel);
  for (int64_t k = 0; k < depth; ++k) {
    for (int j = 0; j < kPanelWidth; ++j) {
      sum[j] = std::fma(a[k * a_k], Panel::at(b + k * Panel::kWords, j), sum[j]);
    }
  }
}

template <class Panel, int kRows, int kPanels>
void tile(const Tile& t) {
  const auto* b = static_cast<const typename Panel::Word*>(t.b);
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) {
      float* c = t.c + r * t.ldc + p * kPanelWidth;
      float sum[kPanelWidth] = {};
      for (int j = 0; j < kPanelWidth && t.accumulate == Accumulate::kYes; ++j) sum[j] = c[j];
      add_row<Panel>(t.a + r * t.a_row, t.a_k, b + p * t.panel_stride * Panel::kWords / kPanelWidth, t.depth, sum);
      for (int j = 0; j < kPanelWidth; ++j) c[j] = sum[j];
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

const TileKernels& portable_tile_kernels(Element element) {
  return element == Element::kF32 ? kKernels<PanelF32> : kKernels<PanelBF16>;
}

const TileKernels& tile_kernels(Element element) {
#if defined(__x86_64__)
  if (active_isa() == Isa::kAvx2) return avx2_tile_kernels(element);
#endif
  return portable_tile_kernels(element);
}

}  // namespace r1::kernels::gemm_detail
