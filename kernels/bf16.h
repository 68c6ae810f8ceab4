#pragma once
// bfloat16 as its 16 bits: the upper half of a float32.

#include <bit>
#include <cstdint>

namespace r1::kernels {

// Rounds to nearest, ties to even; a NaN stays one.
constexpr uint16_t to_bf16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  return static_cast<uint16_t>(is_nan ? (bits >> 16) | 0x40 : rounded);
}

constexpr float from_bf16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

}  // namespace r1::kernels
