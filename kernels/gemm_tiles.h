#pragma once
// The innermost loops of gemm.h: a tile of a few rows by one or more panels of 16 outputs. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm.h"

namespace r1::kernels::gemm_detail {

constexpr int kPanelWidth = 16;
constexpr int kTileRows = 6;       // 6 x 16 sums fill 12 of AVX2's 16 registers
constexpr int kMaxTilePanels = 4;  // 6 x 64 sums fill 24 of AVX-512's 32

// What operands are made of inside a product: a float32, or two bfloat16 that follow each other in k, the first in the
// upper half (gemm_pairs.h). Both are carried in a float, whose bits are only ever copied.
using Word = float;
constexpr int64_t words_of(int64_t k, Element element) { return element == Element::kF32 ? k : (k + 1) / 2; }

// C[rows, 16 * panels] (+)= A[rows, depth] B[depth, 16 * panels], one FMA chain per output in the order of k; depth
// counts words. A's word (r, k) is a[r * a_row + k * a_k]. B is panels of [k][16] words, `panel_stride` words apart.
struct Tile {
  const Word* a = nullptr;
  int64_t a_row = 0, a_k = 0;
  const Word* b = nullptr;
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

// The kernels of one instruction set and element type: for each number of rows up to most_panels(rows) panels.
struct TileKernels {
  TileKernel at[kTileRows][kMaxTilePanels] = {};
  TileKernel of(int64_t rows, int64_t panels) const { return at[rows - 1][panels - 1]; }
  int most_panels(int64_t rows) const {
    int panels = kMaxTilePanels;
    while (at[rows - 1][panels - 1] == nullptr) --panels;
    return panels;
  }
};

// For the active instruction set.
const TileKernels& tile_kernels(Element element);

const TileKernels& avx512_bf16_tile_kernels();  // of pairs
const TileKernels& avx512_tile_kernels();       // of float32
const TileKernels& avx2_tile_kernels(Element element);
const TileKernels& portable_tile_kernels(Element element);

}  // namespace r1::kernels::gemm_detail
