#include <bit>
#include <cstring>

#include "core/error.h"
#include "formats/tensor_view.h"

namespace r1::formats {
namespace {

// f32_to_bf16 without its branch, so that the compiler makes vectors of it.
[[gnu::optimize("O3")]] void to_bf16(const float* in, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(in[i]);
    const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    const uint32_t nan = bits >> 16 | 0x40u;
    const auto half = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
    std::memcpy(out + 2 * i, &half, sizeof half);
  }
}

void to_f16(const float* in, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint16_t half = f32_to_f16(in[i]);
    std::memcpy(out + 2 * i, &half, sizeof half);
  }
}

}  // namespace

void from_float32(std::span<const float> in, DType t, std::span<std::byte> out) {
  const bool is_known = t == DType::kF32 || t == DType::kF16 || t == DType::kBF16;
  if (!is_known || out.size() != in.size() * static_cast<size_t>(block_layout(t).bits / 8)) {
    throw Error("from_float32", fmt::format("{} floats to {} in {} bytes", in.size(), to_string(t), out.size()),
                "convert to F32, F16 or BF16, with room for each element");
  }
  if (in.empty()) return;
  if (t == DType::kF32) std::memcpy(out.data(), in.data(), out.size());
  if (t == DType::kF16) to_f16(in.data(), out.data(), in.size());
  if (t == DType::kBF16) to_bf16(in.data(), out.data(), in.size());
}

}  // namespace r1::formats
