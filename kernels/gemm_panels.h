#pragma once
// The product of a matrix with panels of 16 outputs, cut into tasks for the threads. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm.h"
#include "kernels/gemm_pack.h"

namespace r1::kernels::gemm_detail {

// C[M, N] (+)= A[M, K] B[K, N] (+ bias), B packed as [ceil(N / 16)][K][16]. K counts words.
struct PanelProduct {
  Source a;
  int64_t m = 0, n = 0, k = 0;
  const Word* panels = nullptr;
  Element element = Element::kF32;
  const float* bias = nullptr;  // [N] or null
  float* c = nullptr;
  int64_t ldc = 0;
  Accumulate accumulate = Accumulate::kNo;
};
void multiply_panels(ThreadPool& pool, const PanelProduct& product);

}  // namespace r1::kernels::gemm_detail
