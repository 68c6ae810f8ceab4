#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/attention_tiles.h"
#include "kernels/vector_math.h"
// The templates below need what is above.
#include "kernels/attention_tiles_impl.h"
// Builds on the templates of attention_tiles_impl.h.
#include "kernels/attention_backward_impl.h"

namespace r1::kernels::attn {
namespace {

// Not inlined: the tiles unroll their loops for the sake of registers that this form does not have.
struct Portable {
  struct Reg {
    float lane[8];
  };

  template <class F>
  static Reg each(F f) {
    Reg y;
    for (int i = 0; i < 8; ++i) y.lane[i] = f(i);
    return y;
  }
  [[gnu::noinline]] static Reg load(const float* x) {
    return each([&](int i) { return x[i]; });
  }
  [[gnu::noinline]] static void store(float* x, const Reg& v) { std::copy_n(v.lane, 8, x); }
  [[gnu::noinline]] static Reg set(float x) {
    return each([&](int) { return x; });
  }
  [[gnu::noinline]] static Reg fma(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static Reg add(const Reg& a, const Reg& b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Reg sub(const Reg& a, const Reg& b) {
    return each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  [[gnu::noinline]] static Reg mul(const Reg& a, const Reg& b) {
    return each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Reg div(const Reg& a, const Reg& b) {
    return each([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  static Reg max(const Reg& a, const Reg& b) {
    return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  [[gnu::noinline]] static Reg exp(const Reg& x) {
    return each([&](int i) { return simd::exp1(x.lane[i]); });
  }
  static float max_lanes(const Reg& x) { return *std::max_element(x.lane, x.lane + 8); }
  static float sum_lanes(const Reg& low, const Reg& high) {
    float lanes[16];
    store(lanes, low);
    store(lanes + 8, high);
    return simd::sum_lanes(lanes);
  }
};

constexpr Tiles kPortableTiles{forward<Portable>, backward_queries<Portable>, backward_keys<Portable>};

}  // namespace

const Tiles& portable_tiles() { return kPortableTiles; }

}  // namespace r1::kernels::attn
