#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/gemm_pairs.h"
#include "kernels/gemm_panels.h"
#include "kernels/gemm_tiles.h"
#include "kernels/scratch.h"
#include "kernels/weight_memory.h"

namespace r1::kernels {
namespace {

using gemm_detail::kPanelWidth;
using gemm_detail::multiply_panels;
using gemm_detail::pack_panels;
using gemm_detail::round_row_to_pairs;
using gemm_detail::round_to_pairs;
using gemm_detail::Source;
using gemm_detail::Word;
using gemm_detail::words_of;

int64_t num_panels(int64_t n) { return n / kPanelWidth + (n % kPanelWidth != 0 ? 1 : 0); }

void check_shape(int64_t n, int64_t k) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 64;
  if (n < 0 || k < 0 || (k > 0 && num_panels(n) * kPanelWidth > kMost / k)) {
    throw Error("PackedMatrix",
                fmt::format("shape [{}, {}], allowed are 0 and more, of {} elements at most", n, k, kMost),
                "pass a weight's shape");
  }
}

}  // namespace

void PackedMatrix::Free::operator()(void* p) const { free_weights(p); }

PackedMatrix::PackedMatrix(ThreadPool& pool, const float* weight_NK, int64_t n, int64_t k, Element element) {
  check_shape(n, k);
  n_ = n;
  k_ = k;
  element_ = element;
  panels_.reset(allocate_weights(bytes()));
  repack(pool, weight_NK);
}

void PackedMatrix::repack(ThreadPool& pool, const float* weight_NK) {
  auto* panels = static_cast<Word*>(panels_.get());
  const int64_t depth = words_of(k_, element_);
  pool.parallel_for(num_panels(n_), 4, [&](int64_t begin, int64_t end) {
    static thread_local Scratch scratch;
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t first = panel * kPanelWidth, rows = std::min<int64_t>(kPanelWidth, n_ - first);
      Source source{.data = weight_NK + first * k_, .ld = k_};
      if (element_ == Element::kBF16) {
        Word* words = scratch.floats(rows * depth);
        for (int64_t r = 0; r < rows; ++r) round_row_to_pairs(source.at(r, 0), k_, words + r * depth);
        source = {.data = words, .ld = depth};
      }
      pack_panels(source, {0, rows, 0, depth}, panels + panel * depth * kPanelWidth);
    }
  });
}

void PackedMatrix::multiply(ThreadPool& pool, const float* x, int64_t m, int64_t ldx, const float* bias, float* y,
                            int64_t ldy) const {
  if (m < 0 || (m > 1 && (ldx < k_ || ldy < n_))) {
    throw Error("PackedMatrix::multiply",
                fmt::format("m {}, ldx {}, ldy {} for a weight of [{}, {}]", m, ldx, ldy, n_, k_),
                "pass row strides of at least the number of columns");
  }
  Source a{.data = x, .ld = ldx};
  if (element_ == Element::kBF16 && m > 0) {
    static thread_local Scratch scratch;
    a = round_to_pairs(pool, a, m, k_, scratch.floats(m * words_of(k_, element_)));
  }
  multiply_panels(pool, {.a = a,
                         .m = m,
                         .n = n_,
                         .k = words_of(k_, element_),
                         .panels = static_cast<const Word*>(panels_.get()),
                         .element = element_,
                         .bias = bias,
                         .c = y,
                         .ldc = ldy});
}

size_t PackedMatrix::bytes() const {
  return static_cast<size_t>(num_panels(n_) * kPanelWidth * words_of(k_, element_)) * sizeof(Word);
}

}  // namespace r1::kernels
