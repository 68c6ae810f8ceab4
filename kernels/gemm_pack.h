#pragma once
// Rearranges matrices into the order in which gemm_tiles.h reads them. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm_tiles.h"

namespace r1::kernels::gemm_detail {

// A matrix as stored, or its transpose: word (row, k) lies at data[row * ld + k], or at data[k * ld + row].
struct Source {
  const Word* data = nullptr;
  int64_t ld = 0;
  Transpose transpose = Transpose::kNo;

  const Word* at(int64_t row, int64_t k) const {
    return transpose == Transpose::kNo ? data + row * ld + k : data + k * ld + row;
  }
};

// Packs rows [begin, end) and words [k, k + depth) of `source` as panels [depth][16], one after the other. The last
// panel's missing rows are 0.
struct Extent {
  int64_t begin = 0, end = 0;  // rows
  int64_t k = 0, depth = 0;
};
void pack_panels(const Source& source, const Extent& extent, Word* panels);

}  // namespace r1::kernels::gemm_detail
