// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: blocks of 32 values. Each loop is compiled twice, for AVX2 and for any machine. AVX2
// without FMA: a fused multiply-add would round differently from gguf-py and from the other loop.

#include "formats/dequantize.h"

#include <bit>
#include <cstring>

namespace r1::formats {
namespace {

constexpr int kBlock = 32;

template <typename T>
[[gnu::always_inline]] inline T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

[[gnu::always_inline]] inline float load_half(const std::byte* p) {
  // f16_to_f32 for the values that quantisers write; the rest takes the call.
  const uint32_t bits = load<uint16_t>(p);
  const uint32_t exponent = bits >> 10 & 31u;
  if (exponent == 0 || exponent == 31) return f16_to_f32(static_cast<uint16_t>(bits));
  return std::bit_cast<float>((bits & 0x8000u) << 16 | (((bits & 0x7fffu) << 13) + (112u << 23)));
}

struct Q4_0 {
  static constexpr int kBytes = 18;
  [[gnu::always_inline]] static void block(const std::byte* in, float* out) {
    const float d = load_half(in);
    const auto* q = reinterpret_cast<const uint8_t*>(in + 2);
    for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>((q[j] & 15) - 8);
    for (int j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>((q[j] >> 4) - 8);
  }
};

struct Q4_1 {
  static constexpr int kBytes = 20;
  [[gnu::always_inline]] static void block(const std::byte* in, float* out) {
    const float d = load_half(in), m = load_half(in + 2);
    const auto* q = reinterpret_cast<const uint8_t*>(in + 4);
    for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>(q[j] & 15) + m;
    for (int j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>(q[j] >> 4) + m;
  }
};

struct Q5_0 {
  static constexpr int kBytes = 22;
  [[gnu::always_inline]] static void block(const std::byte* in, float* out) {
    const float d = load_half(in);
    const uint32_t high = load<uint32_t>(in + 2);  // bit i is the fifth bit of value i
    const auto* q = reinterpret_cast<const uint8_t*>(in + 6);
    for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>(int((q[j] & 15) | (high >> j & 1) << 4) - 16);
    for (int j = 0; j < 16; ++j)
      out[j + 16] = d * static_cast<float>(int((q[j] >> 4) | (high >> (j + 16) & 1) << 4) - 16);
  }
};

struct Q5_1 {
  static constexpr int kBytes = 24;
  [[gnu::always_inline]] static void block(const std::byte* in, float* out) {
    const float d = load_half(in), m = load_half(in + 2);
    const uint32_t high = load<uint32_t>(in + 4);
    const auto* q = reinterpret_cast<const uint8_t*>(in + 8);
    for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>(int((q[j] & 15) | (high >> j & 1) << 4)) + m;
    for (int j = 0; j < 16; ++j)
      out[j + 16] = d * static_cast<float>(int((q[j] >> 4) | (high >> (j + 16) & 1) << 4)) + m;
  }
};

struct Q8_0 {
  static constexpr int kBytes = 34;
  [[gnu::always_inline]] static void block(const std::byte* in, float* out) {
    const float d = load_half(in);
    const auto* q = reinterpret_cast<const int8_t*>(in + 2);
    for (int j = 0; j < kBlock; ++j) out[j] = d * static_cast<float>(q[j]);
  }
};

template <typename Q>
[[gnu::always_inline]] inline void all_blocks(const std::byte* in, int64_t num_blocks, float* out) {
  for (int64_t i = 0; i < num_blocks; ++i) Q::block(in + i * Q::kBytes, out + i * kBlock);
}

template <typename Q>
[[gnu::optimize("O3")]] void portable(const std::byte* in, int64_t num_blocks, float* out) {
  all_blocks<Q>(in, num_blocks, out);
}

#if defined(__x86_64__)
template <typename Q>
[[gnu::target("avx2"), gnu::optimize("O3")]] void avx2(const std::byte* in, int64_t num_blocks, float* out) {
  all_blocks<Q>(in, num_blocks, out);
}
#endif

template <typename Q>
Dequantize best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &avx2<Q>;
#endif
  return &portable<Q>;
}

}  // namespace

Dequantize find_dequantize(DType t) {
  switch (t) {
    case DType::kQ4_0:
      return best<Q4_0>();
    case DType::kQ4_1:
      return best<Q4_1>();
    case DType::kQ5_0:
      return best<Q5_0>();
    case DType::kQ5_1:
      return best<Q5_1>();
    case DType::kQ8_0:
      return best<Q8_0>();
    case DType::kQ2_K:
      return &dequantize_q2_k;
    case DType::kQ3_K:
      return &dequantize_q3_k;
    case DType::kQ4_K:
      return &dequantize_q4_k;
    case DType::kQ5_K:
      return &dequantize_q5_k;
    case DType::kQ6_K:
      return &dequantize_q6_k;
    default:
      return nullptr;
  }
}

}  // namespace r1::formats
