// Any stored type as float32.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/error.h"
#include "formats/dequantize.h"
#include "formats/quote.h"
#include "formats/tensor_view.h"

namespace r1::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "both formats are little-endian; so is this reader");

// Files need not align their tensors, so elements are read through memcpy, which costs nothing.
template <typename T>
T element(const std::byte* p, int64_t i) {
  T value;
  std::memcpy(&value, p + i * static_cast<int64_t>(sizeof value), sizeof value);
  return value;
}

template <typename T>
void cast(const std::byte* in, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(element<T>(in, static_cast<int64_t>(i)));
}

[[gnu::optimize("O3")]] void from_bf16(const std::byte* in, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = std::bit_cast<float>(uint32_t{element<uint16_t>(in, i)} << 16);
}

#if defined(__x86_64__)
[[gnu::target("avx2,f16c")]] int64_t from_f16_by_eights(const std::byte* in, float* out, int64_t count) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 2 * i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
  }
  return i;
}
#endif

void from_f16(const std::byte* in, float* out, int64_t count) {
  int64_t i = 0;
#if defined(__clang__) && defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) i = from_f16_by_eights(in, out, count);  // clang 14 cannot ask for f16c, which avx2 has
#elif defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) i = from_f16_by_eights(in, out, count);
#endif
  for (; i < count; ++i) out[i] = f16_to_f32(element<uint16_t>(in, i));
}

// OCP 8-bit floats, E4M3: bias 7, no infinity, NaN is all ones but the sign.
float e4m3_to_f32(uint8_t bits) {
  const int exponent = bits >> 3 & 15;
  const int mantissa = bits & 7;
  if (exponent == 15 && mantissa == 7) return std::bit_cast<float>(0x7fc00000u | uint32_t{bits & 0x80u} << 24);
  const uint32_t magnitude = exponent == 0
                                 ? std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-9f)
                                 : static_cast<uint32_t>(exponent + 120) << 23 | static_cast<uint32_t>(mantissa) << 20;
  return std::bit_cast<float>(magnitude | uint32_t{bits & 0x80u} << 24);
}

// E5M2 is the top byte of a half.
float e5m2_to_f32(uint8_t bits) { return f16_to_f32(static_cast<uint16_t>(bits << 8)); }

void from_bytes(const std::byte* in, std::span<float> out, float (*convert)(uint8_t)) {
  std::array<float, 256> table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = convert(static_cast<uint8_t>(i));
  for (size_t i = 0; i < out.size(); ++i) out[i] = table[static_cast<uint8_t>(in[i])];
}

// Multiplies `out`, the elements from scales.begin on, by the scale of each one's block.
void multiply_scales(const BlockScales& s, std::span<float> out) {
  const int64_t grid_cols = (s.cols + s.block_cols - 1) / s.block_cols;
  const auto count = static_cast<int64_t>(out.size());
  for (int64_t i = 0; i < count;) {  // the run of elements that share a block and a row
    const int64_t row = (s.begin + i) / s.cols, col = (s.begin + i) % s.cols;
    const int64_t block_end = std::min(s.cols, (col / s.block_cols + 1) * s.block_cols);
    const int64_t end = std::min(count, i + block_end - col);
    const float scale = element<float>(s.bytes.data(), row / s.block_rows * grid_cols + col / s.block_cols);
    for (; i < end; ++i) out[static_cast<size_t>(i)] *= scale;
  }
}

void check_sizes(const TensorView& t, size_t out_size) {
  const auto [elements, bits] = block_layout(t.dtype);
  const auto count = static_cast<size_t>(t.num_elements());
  if (count == out_size && count % static_cast<size_t>(elements) == 0 &&
      t.bytes.size() == count / static_cast<size_t>(elements) * static_cast<size_t>(bits) / 8) {
    return;
  }
  throw Error(
      fmt::format("to_float32: tensor {}", quote_name(t.name)),
      fmt::format("{} elements of {} in {} bytes, for {} floats", count, to_string(t.dtype), t.bytes.size(), out_size),
      "pass the bytes of the whole tensor and room for each of its elements");
}

[[noreturn]] void refuse(const TensorView& t) {
  throw Error(fmt::format("to_float32: tensor {}", quote_name(t.name)),
              fmt::format("no conversion from {} to F32", to_string(t.dtype)),
              "store the weights as F32, F16, BF16 or one of GGUF's types Q4_0 to Q6_K");
}

}  // namespace

void to_float32(const TensorView& t, std::span<float> out) {
  check_sizes(t, out.size());
  const std::byte* in = t.bytes.data();
  const auto count = static_cast<int64_t>(out.size());
  if (count == 0) return;
  if (const Dequantize dequantize = find_dequantize(t.dtype)) {
    return dequantize(in, count / block_layout(t.dtype).elements, out.data());
  }
  switch (t.dtype) {
    case DType::kF32:
      std::memcpy(out.data(), in, t.bytes.size());
      return;
    case DType::kF16:
      return from_f16(in, out.data(), count);
    case DType::kBF16:
      return from_bf16(in, out.data(), count);
    case DType::kF64:
      return cast<double>(in, out);
    case DType::kF8E4M3:
      from_bytes(in, out, &e4m3_to_f32);
      if (t.scales) multiply_scales(*t.scales, out);
      return;
    case DType::kF8E5M2:
      return from_bytes(in, out, &e5m2_to_f32);
    case DType::kBool:
    case DType::kU8:
      return cast<uint8_t>(in, out);
    case DType::kI8:
      return cast<int8_t>(in, out);
    case DType::kI16:
      return cast<int16_t>(in, out);
    case DType::kU16:
      return cast<uint16_t>(in, out);
    case DType::kI32:
      return cast<int32_t>(in, out);
    case DType::kU32:
      return cast<uint32_t>(in, out);
    case DType::kI64:
      return cast<int64_t>(in, out);
    case DType::kU64:
      return cast<uint64_t>(in, out);
    default:
      refuse(t);
  }
}

std::vector<float> to_float32(const TensorView& t) {
  const auto [elements, bits] = block_layout(t.dtype);
  const auto stored = t.bytes.size() * 8 / static_cast<size_t>(bits) * static_cast<size_t>(elements);
  std::vector<float> out(stored);  // what the bytes hold, whatever the shape claims
  to_float32(t, out);
  return out;
}

}  // namespace r1::formats
