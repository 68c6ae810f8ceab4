// GGUF's half-precision numbers and its own rules for quantising weights (formats.md 6.1, "Writers").

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/quant_panels.h"

namespace r1::kernels::quant {
namespace {

void put_half(std::byte* out, float value) {
  const uint16_t half = round_to_half(value);
  std::memcpy(out, &half, sizeof(half));
}

// 1 / d, with 0 where that is no number to multiply with: then all integers are 0 or the middle.
float inverse_or_zero(float d) {
  const float inverse = 1.0f / d;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

// Byte j holds value j in its low and value j + 16 in its high nibble.
void put_nibbles(std::byte* out, const uint8_t (&q)[kBlock]) {
  for (int j = 0; j < 16; ++j) out[j] = static_cast<std::byte>(q[j] | q[j + 16] << 4);
}

uint8_t to_nibble(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 15.0f)); }

void quantize_q4_0(const float* x, std::byte* out) {
  const float extreme = *std::max_element(x, x + kBlock, [](float a, float b) { return std::abs(a) < std::abs(b); });
  const float d = extreme / -8.0f, inverse = inverse_or_zero(d);
  uint8_t q[kBlock];
  for (int i = 0; i < kBlock; ++i) q[i] = to_nibble(x[i] * inverse + 8.5f);
  put_half(out, d);
  put_nibbles(out + 2, q);
}

void quantize_q4_1(const float* x, std::byte* out) {
  const auto [low, high] = std::minmax_element(x, x + kBlock);
  const float d = (*high - *low) / 15.0f, inverse = inverse_or_zero(d);
  uint8_t q[kBlock];
  for (int i = 0; i < kBlock; ++i) q[i] = to_nibble((x[i] - *low) * inverse + 0.5f);
  put_half(out, d);
  put_half(out + 2, *low);
  put_nibbles(out + 4, q);
}

void quantize_q8_0(const float* x, std::byte* out) {
  float amax = 0;
  for (int i = 0; i < kBlock; ++i) amax = std::max(amax, std::abs(x[i]));
  const float d = amax / 127.0f, inverse = inverse_or_zero(d);
  put_half(out, d);
  for (int i = 0; i < kBlock; ++i) {
    const float q = std::clamp(std::round(x[i] * inverse), -127.0f, 127.0f);  // halves go away from zero
    out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(q));
  }
}

}  // namespace

float widen_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  // Shifted into a float's fields the exponent is 112 too small; the product mends that, for subnormals too.
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112f));
}

uint16_t round_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and more
  if (magnitude < 0x38800000) {                       // below 2^-14: the sum's last bits are the subnormal's, rounded
    const float sum = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(sum) - 0x3f000000));
  }
  const uint32_t to_even = 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | (magnitude + to_even - 0x38000000) >> 13);
}

float half_at(const std::byte* block, int64_t index) {
  uint16_t half;
  std::memcpy(&half, block + 2 * index, sizeof(half));
  return widen_half(half);
}

int quant_at(QuantType type, const std::byte* quants, int64_t lane, int64_t k) {
  if (type == QuantType::kQ8_0) return static_cast<int8_t>(quants[k / 4 * 64 + 4 * lane + k % 4]);
  const int64_t j = k % 16;
  const int byte = static_cast<int>(quants[j / 4 * 64 + 4 * lane + j % 4]);
  return k < 16 ? byte & 15 : byte >> 4;
}

void quantize_gguf_block(QuantType type, const float* weights, std::byte* out) {
  switch (type) {
    case QuantType::kQ4_0:
      return quantize_q4_0(weights, out);
    case QuantType::kQ4_1:
      return quantize_q4_1(weights, out);
    case QuantType::kQ8_0:
      return quantize_q8_0(weights, out);
  }
}

}  // namespace r1::kernels::quant
