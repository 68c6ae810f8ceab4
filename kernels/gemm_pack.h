#pragma once
// Rearranges matrices into the order in which gemm_tiles.h reads them. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm.h"

namespace r1::kernels::gemm_detail {

// A matrix as stored, or its transpose: element (row, k) lies at data[row * ld + k], or at data[k * ld + row].
struct Source {
  const float* data = nullptr;
  int64_t ld = 0;
  Transpose transpose = Transpose::kNo;

  const float* at(int64_t row, int64_t k) const {
    return transpose == Transpose::kNo ? data + row * ld + k : data + k * ld + row;
  }
};

// Bytes of one panel of 16 rows and depth `k`.
int64_t panel_bytes(int64_t k, Element element);

// Packs rows [row, row + num_rows) (at most 16; the rest of the panel is 0) and k in [k, k + depth) of `source` as one
// panel [depth][16].
void pack_panel(const Source& source, int64_t row, int64_t num_rows, int64_t k, int64_t depth, Element element,
                void* panel);

// Packs a tile of `num_rows` <= 6 rows as [depth][6]; columns past num_rows are not written.
void pack_tile(const Source& source, int64_t row, int64_t num_rows, int64_t k, int64_t depth, float* tile);

}  // namespace r1::kernels::gemm_detail
