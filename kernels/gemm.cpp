#include "kernels/gemm.h"

#include <algorithm>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/gemm_pairs.h"
#include "kernels/gemm_panels.h"
#include "kernels/gemm_tiles.h"
#include "kernels/scratch.h"

namespace r1::kernels {
namespace {

using gemm_detail::kPanelWidth;
using gemm_detail::multiply_panels;
using gemm_detail::pack_panels;
using gemm_detail::PanelProduct;
using gemm_detail::Source;
using gemm_detail::Word;

// B is packed in pieces of at most this depth and about this size, which a last-level cache holds.
constexpr int64_t kPieceDepth = 2048;
constexpr int64_t kPackGrain = 8;  // panels
constexpr int64_t kPieceWords = int64_t{1} << 21;

void check(const GemmArgs& g) {
  const int64_t least_lda = g.transpose_a == Transpose::kNo ? g.k : g.m;
  const int64_t least_ldb = g.transpose_b == Transpose::kNo ? g.n : g.k;
  if (g.m < 0 || g.n < 0 || g.k < 0 || g.lda < least_lda || g.ldb < least_ldb || g.ldc < g.n) {
    throw Error("gemm",
                fmt::format("m {}, n {}, k {} with lda {} (at least {}), ldb {} (at least {}), ldc {}", g.m, g.n, g.k,
                            g.lda, least_lda, g.ldb, least_ldb, g.ldc),
                "pass the row strides of the matrices as stored");
  }
}

void set_zero(const GemmArgs& g) {
  for (int64_t row = 0; row < g.m; ++row) std::fill_n(g.c + row * g.ldc, g.n, 0.0f);
}

// The operands in words, and the depth of the product in words. B's columns are the source's rows.
struct Operands {
  Source a, b;
  int64_t depth = 0;
};

Operands operands_of(ThreadPool& pool, const GemmArgs& g) {
  const Transpose as_rows = g.transpose_b == Transpose::kYes ? Transpose::kNo : Transpose::kYes;
  const Source a{.data = g.a, .ld = g.lda, .transpose = g.transpose_a};
  const Source b{.data = g.b, .ld = g.ldb, .transpose = as_rows};
  if (g.element == Element::kF32) return {a, b, g.k};
  static thread_local Scratch a_words, b_words;
  const int64_t depth = gemm_detail::words_of(g.k, g.element);
  return {gemm_detail::round_to_pairs(pool, a, g.m, g.k, a_words.floats(g.m * depth)),
          gemm_detail::round_to_pairs(pool, b, g.n, g.k, b_words.floats(g.n * depth)), depth};
}

// Columns [n, n + num_columns) of B at words [k, k + depth), as panels.
const Word* pack_b(ThreadPool& pool, const Source& columns, int64_t n, int64_t num_columns, int64_t k, int64_t depth) {
  static thread_local Scratch scratch;
  const int64_t panels = (num_columns + kPanelWidth - 1) / kPanelWidth;
  Word* packed = scratch.floats(panels * kPanelWidth * depth);
  pool.parallel_for(panels, kPackGrain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kPanelWidth, last = std::min(num_columns, end * kPanelWidth);
    pack_panels(columns, {n + first, n + last, k, depth}, packed + first * depth);
  });
  return packed;
}

}  // namespace

void gemm(ThreadPool& pool, const GemmArgs& g) {
  check(g);
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0 && g.accumulate == Accumulate::kNo) set_zero(g);
  const Operands o = operands_of(pool, g);
  const int64_t pieces = (o.depth + kPieceDepth - 1) / kPieceDepth;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t k = o.depth * piece / pieces, depth = o.depth * (piece + 1) / pieces - k;
    const int64_t most_columns = std::max<int64_t>(1, kPieceWords / depth / kPanelWidth) * kPanelWidth;
    for (int64_t n = 0; n < g.n; n += most_columns) {
      const int64_t columns = std::min(most_columns, g.n - n);
      multiply_panels(pool, {.a = {.data = o.a.at(0, k), .ld = o.a.ld, .transpose = o.a.transpose},
                             .m = g.m,
                             .n = columns,
                             .k = depth,
                             .panels = pack_b(pool, o.b, n, columns, k, depth),
                             .element = g.element,
                             .c = g.c + n,
                             .ldc = g.ldc,
                             .accumulate = k > 0 ? Accumulate::kYes : g.accumulate});
    }
  }
}

}  // namespace r1::kernels
