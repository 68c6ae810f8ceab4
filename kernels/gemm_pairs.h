#pragma once
// Float32 matrices as words of two bfloat16 that follow each other in k, the first in the upper half: what products of
// Element::kBF16 read. Private to kernels/gemm_*.

#include <cstdint>

#include "kernels/gemm_pack.h"

namespace r1::kernels::gemm_detail {

// `source` with `rows` rows and depth k, rounded to nearest even, in the same layout with words in place of floats
// along k: [rows][words] for rows as stored, [words][rows] for a transpose. Where k is odd the last word's lower half
// is 0. The result lies in `words`, of at least rows * words_of(k) elements.
Source round_to_pairs(ThreadPool& pool, const Source& source, int64_t rows, int64_t k, Word* words);

// The same for one row: `in` [k] -> [words_of(k)].
void round_row_to_pairs(const float* in, int64_t k, Word* words);

}  // namespace r1::kernels::gemm_detail
