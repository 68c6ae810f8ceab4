// The K types: super-blocks of 256 values in sub-blocks of 16 or 32, whose scales are integers times a scale of the
// whole.

#include <cstring>

#include "formats/dequantize.h"

namespace r1::formats {
namespace {

constexpr int kSuper = 256;

float half_at(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  return f16_to_f32(bits);
}

const uint8_t* as_bytes(const std::byte* p) { return reinterpret_cast<const uint8_t*>(p); }

// Scale and minimum of sub-block b of Q4_K and Q5_K: twice eight 6-bit numbers in 12 bytes.
struct ScaleMin {
  float scale, min;
};
ScaleMin scale_min(const uint8_t* packed, int b) {
  if (b < 4) return {static_cast<float>(packed[b] & 63), static_cast<float>(packed[b + 4] & 63)};
  const int scale = (packed[b + 4] & 15) | (packed[b - 4] >> 6) << 4;
  const int min = (packed[b + 4] >> 4) | (packed[b] >> 6) << 4;
  return {static_cast<float>(scale), static_cast<float>(min)};
}

// Q4_K, and Q5_K if `high` is not null: bit b of high[l] is then the fifth bit of value l of sub-block b.
void four_or_five_bits(const uint8_t* block, const uint8_t* high, const uint8_t* low, float* out) {
  const float d = half_at(block), dmin = half_at(block + 2);
  for (int b = 0; b < 8; ++b) {
    const auto [scale, min] = scale_min(block + 4, b);
    const float step = d * scale, offset = dmin * min;
    const uint8_t* run = low + b / 2 * 32;
    for (int l = 0; l < 32; ++l) {
      int q = b % 2 == 0 ? run[l] & 15 : run[l] >> 4;
      if (high != nullptr) q |= (high[l] >> b & 1) << 4;
      out[b * 32 + l] = step * static_cast<float>(q) - offset;
    }
  }
}

// Scale of sub-block i (of 16) of Q3_K: 4 low bits in scales[0..7], 2 high bits in scales[8..11], less 32.
int q3_scale(const uint8_t* packed, int i) {
  const int low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
  const int high = packed[8 + i % 4] >> (2 * (i / 4)) & 3;
  return (low | high << 4) - 32;
}

}  // namespace

void dequantize_q2_k(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t n = 0; n < num_blocks; ++n, out += kSuper) {
    const uint8_t* block = as_bytes(in) + n * 84;  // scales[16], qs[64], d, dmin
    const uint8_t* qs = block + 16;
    const float d = half_at(block + 80), dmin = half_at(block + 82);
    for (int i = 0; i < kSuper; ++i) {
      const float step = d * static_cast<float>(block[i / 16] & 15),
                  offset = dmin * static_cast<float>(block[i / 16] >> 4);
      const int q = qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
      out[i] = step * static_cast<float>(q) - offset;
    }
  }
}

void dequantize_q3_k(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t n = 0; n < num_blocks; ++n, out += kSuper) {
    const uint8_t* block = as_bytes(in) + n * 110;  // hmask[32], qs[64], scales[12], d
    const uint8_t* qs = block + 32;
    const float d = half_at(block + 108);
    for (int i = 0; i < kSuper; ++i) {
      const float step = d * static_cast<float>(q3_scale(block + 96, i / 16));
      const int q = qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
      const int less = (block[i % 32] >> (i / 32) & 1) != 0 ? 0 : 4;  // the mask's bit is the third bit
      out[i] = step * static_cast<float>(q - less);
    }
  }
}

void dequantize_q4_k(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t n = 0; n < num_blocks; ++n, out += kSuper) {
    const uint8_t* block = as_bytes(in) + n * 144;  // d, dmin, scales[12], qs[128]
    four_or_five_bits(block, nullptr, block + 16, out);
  }
}

void dequantize_q5_k(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t n = 0; n < num_blocks; ++n, out += kSuper) {
    const uint8_t* block = as_bytes(in) + n * 176;  // d, dmin, scales[12], qh[32], qs[128]
    four_or_five_bits(block, block + 16, block + 48, out);
  }
}

void dequantize_q6_k(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t n = 0; n < num_blocks; ++n, out += kSuper) {
    const uint8_t* block = as_bytes(in) + n * 210;  // ql[128], qh[64], scales i8[16], d
    const float d = half_at(block + 208);
    for (int i = 0; i < kSuper; ++i) {
      const int half = i / 128, l = i % 32, quarter = i % 128 / 32;  // each half: four runs of 32
      const uint8_t low = block[half * 64 + l + quarter % 2 * 32];
      const int q = (quarter < 2 ? low & 15 : low >> 4) | (block[128 + half * 32 + l] >> (quarter * 2) & 3) << 4;
      const float step = d * static_cast<float>(static_cast<int8_t>(block[192 + i / 16]));
      out[i] = step * static_cast<float>(q - 32);
    }
  }
}

}  // namespace r1::formats
