#pragma once
// 16 floats in plain C++: the twin of lanes_avx2.h, with the same bits. A kernel is written once, in terms of `Lanes`,
// in an .inc file that is included in both namespaces.

#include <cmath>

#include "kernels/vector_math.h"

namespace r1::kernels::portable {

struct Lanes {
  float at[simd::kLanes];

  static Lanes all(float x) {
    return each([&](int) { return x; });
  }
  static Lanes load(const float* p) {
    return each([&](int i) { return p[i]; });
  }
  // The first `count` floats, then `rest`.
  static Lanes load_part(const float* p, int64_t count, float rest = 0) {
    return each([&](int i) { return i < count ? p[i] : rest; });
  }
  void store(float* p) const { store_part(p, simd::kLanes); }
  void store_part(float* p, int64_t count) const {
    for (int i = 0; i < simd::kLanes && i < count; ++i) p[i] = at[i];
  }
  // Lane i of the result is f(i).
  template <typename F>
  static Lanes each(F f) {
    Lanes result;
    for (int i = 0; i < simd::kLanes; ++i) result.at[i] = f(i);
    return result;
  }
};

inline Lanes operator+(const Lanes& a, const Lanes& b) {
  return Lanes::each([&](int i) { return a.at[i] + b.at[i]; });
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
  return Lanes::each([&](int i) { return a.at[i] - b.at[i]; });
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return Lanes::each([&](int i) { return a.at[i] * b.at[i]; });
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
  return Lanes::each([&](int i) { return a.at[i] / b.at[i]; });
}
// a * b + c, and c - a * b, rounded once.
inline Lanes fma(const Lanes& a, const Lanes& b, const Lanes& c) {
  return Lanes::each([&](int i) { return std::fma(a.at[i], b.at[i], c.at[i]); });
}
inline Lanes fnma(const Lanes& a, const Lanes& b, const Lanes& c) {
  return Lanes::each([&](int i) { return std::fma(-a.at[i], b.at[i], c.at[i]); });
}
// a > b ? a : b, so that a NaN in b stays.
inline Lanes max(const Lanes& a, const Lanes& b) {
  return Lanes::each([&](int i) { return a.at[i] > b.at[i] ? a.at[i] : b.at[i]; });
}
inline Lanes sqrt(const Lanes& a) {
  return Lanes::each([&](int i) { return std::sqrt(a.at[i]); });
}
inline Lanes exp(const Lanes& a) {
  return Lanes::each([&](int i) { return simd::exp1(a.at[i]); });
}
// Lanes 2j and 2j + 1 change places.
inline Lanes swap_pairs(const Lanes& a) {
  return Lanes::each([&](int i) { return a.at[i ^ 1]; });
}
// Lanes 2j and 2j + 1 are both p[j]; floats from `count` on are not read and count as 0.
inline Lanes load_twice(const float* p, int64_t count) {
  return Lanes::each([&](int i) { return i / 2 < count ? p[i / 2] : 0.0f; });
}
inline float sum(const Lanes& a) { return simd::sum_lanes(a.at); }
// The greatest lane, halves first; NaN as in max().
inline float greatest(const Lanes& a) {
  float m[simd::kLanes];
  a.store(m);
  for (int half = simd::kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) m[i] = m[i] > m[i + half] ? m[i] : m[i + half];
  }
  return m[0];
}

}  // namespace r1::kernels::portable
