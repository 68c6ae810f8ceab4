#pragma once
// A named tensor inside a file or a buffer: what safetensors and GGUF hand out and what models are loaded from.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace r1::formats {

// Storage types of both formats. Names as safetensors prints them, then GGUF's block types.
enum class DType {
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kC64,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kQ8_K,
};
inline constexpr int kNumDTypes = static_cast<int>(DType::kQ8_K) + 1;

const char* to_string(DType t);

// The smallest piece of a type that can be stored: `elements` values in `bits` bits. One element but for block types.
struct BlockLayout {
  int64_t elements = 1;
  int64_t bits = 8;
};
BlockLayout block_layout(DType t);

// Scales of an F8_E4M3 matrix in blocks (DeepSeek-V3's weight_scale_inv): element (i, j) is its e4m3 value times
// scale[i / block_rows][j / block_cols]. The grid is divided upwards; its last blocks may be partial.
struct BlockScales {
  std::span<const std::byte> bytes;  // F32 [ceil(rows / block_rows), ceil(cols / block_cols)]
  int64_t block_rows = 128, block_cols = 128;
  int64_t cols = 0;   // of the matrix
  int64_t begin = 0;  // element of the matrix that the view begins with
};

// Row-major; shape in torch's order (outermost first), also for GGUF. `bytes` points into the file's map.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::optional<BlockScales> scales;  // to_float32() multiplies by them

  int64_t num_elements() const;
};

// Elements [begin, begin + count) as a vector of their own; both must be multiples of the type's block.
TensorView slice(const TensorView& t, int64_t begin, int64_t count);

// All elements as float32: F32, F16, BF16, F64, F8 (both OCP kinds), integers and every block type above but Q8_K.
// Throws Error naming the tensor for types that cannot be read.
void to_float32(const TensorView& t, std::span<float> out);
std::vector<float> to_float32(const TensorView& t);

// The other way, to F32, F16 or BF16, rounded to nearest even; `out` has exactly the bytes. Too large for F16 becomes
// infinity.
void from_float32(std::span<const float> in, DType t, std::span<std::byte> out);

float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float value);  // round to nearest even
float bf16_to_f32(uint16_t bits);
uint16_t f32_to_bf16(float value);  // round to nearest even; NaN stays NaN

}  // namespace r1::formats
