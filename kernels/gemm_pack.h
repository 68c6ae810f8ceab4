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

// Packs rows [begin, end) and k in [k, k + depth) of `source` as panels [depth][16], one after the other. The last
// panel's missing rows are 0.
struct Extent {
  int64_t begin = 0, end = 0;  // rows
  int64_t k = 0, depth = 0;
};
void pack_panels(const Source& source, const Extent& extent, Element element, void* panels);

}  // namespace r1::kernels::gemm_detail
