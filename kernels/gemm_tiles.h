#pragma once
// The innermost loops of gemm.h: a tile of a few rows by one or more panels of 16 outputs. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm.h"

namespace r1::kernels::gemm_detail {

constexpr int kPanelWidth = 16;
constexpr int kTileRows = 6;       // 6 x 16 sums fill 12 of AVX2's 16 registers
constexpr int kMaxTilePanels = 4;  // of one-row tiles: enough independent chains to hide the latency of an FMA

// C[rows, 16 * panels] (+)= A[rows, depth] B[depth, 16 * panels], one FMA chain per output in the order of k.
// A's element (r, k) is a[r * a_row + k * a_k]. B is panels of [k][16] elements, `panel_stride` elements apart.
struct Tile {
  const float* a = nullptr;
  int64_t a_row = 0, a_k = 0;
  const void* b = nullptr;
  int64_t panel_stride = 0;
  int64_t depth = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  Accumulate accumulate = Accumulate::kNo;
  // What of B to fetch into the caches meanwhile: for each k one line of each panel, `ahead_step` bytes further on.
  const void* ahead = nullptr;
  int64_t ahead_step = 0;
};
using TileKernel = void (*)(const Tile&);

// The kernels of one instruction set and element type. A null entry does not exist: tiles of 4 rows and more take one
// panel, of 2 and 3 rows up to two, of one row up to four.
struct TileKernels {
  TileKernel at[kTileRows][kMaxTilePanels] = {};
  TileKernel of(int rows, int panels) const { return at[rows - 1][panels - 1]; }
};
constexpr int max_tile_panels(int64_t rows) { return rows >= 4 ? 1 : rows >= 2 ? 2 : 4; }

// For the active instruction set.
const TileKernels& tile_kernels(Element element);

const TileKernels& avx2_tile_kernels(Element element);
const TileKernels& portable_tile_kernels(Element element);

// A bf16 panel holds 8 words for each k: word j has output j's bits in its lower half and output j + 8's in its upper,
// so that a shift and a mask widen it.
constexpr uint32_t pair_bf16(uint16_t low, uint16_t high) { return uint32_t{high} << 16 | low; }

}  // namespace r1::kernels::gemm_detail
