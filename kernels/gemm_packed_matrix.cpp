#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/gemm_panels.h"
#include "kernels/gemm_tiles.h"
#include "kernels/weight_memory.h"

namespace r1::kernels {
namespace {

using gemm_detail::kPanelWidth;
using gemm_detail::multiply_panels;
using gemm_detail::pack_panels;

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
  char* panels = static_cast<char*>(panels_.get());
  const int64_t stride = gemm_detail::panel_bytes(k_, element_);
  pool.parallel_for(num_panels(n_), 4, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kPanelWidth, last = std::min(n_, end * kPanelWidth);
    pack_panels({.data = weight_NK, .ld = k_}, {first, last, 0, k_}, element_, panels + begin * stride);
  });
}

void PackedMatrix::multiply(ThreadPool& pool, const float* x, int64_t m, int64_t ldx, const float* bias, float* y,
                            int64_t ldy) const {
  if (m < 0 || (m > 1 && (ldx < k_ || ldy < n_))) {
    throw Error("PackedMatrix::multiply",
                fmt::format("m {}, ldx {}, ldy {} for a weight of [{}, {}]", m, ldx, ldy, n_, k_),
                "pass row strides of at least the number of columns");
  }
  multiply_panels(pool, {.a = {.data = x, .ld = ldx},
                         .m = m,
                         .n = n_,
                         .k = k_,
                         .panels = panels_.get(),
                         .element = element_,
                         .bias = bias,
                         .c = y,
                         .ldc = ldy});
}

size_t PackedMatrix::bytes() const {
  return static_cast<size_t>(num_panels(n_) * gemm_detail::panel_bytes(k_, element_));
}

}  // namespace r1::kernels
