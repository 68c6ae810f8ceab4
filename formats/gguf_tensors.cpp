#include "formats/gguf_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "formats/quote.h"

namespace r1::formats {
namespace {

constexpr uint64_t kMinRowBytes = 8 + 1 + 4 + 4 + 8;  // a name of one letter, no dimensions, type, offset

struct GgmlType {
  uint32_t number;
  const char* name;
  std::optional<DType> dtype;  // nothing: known, but not read
};

constexpr std::array kTypes = {
    GgmlType{0, "F32", DType::kF32},    GgmlType{1, "F16", DType::kF16},
    GgmlType{2, "Q4_0", DType::kQ4_0},  GgmlType{3, "Q4_1", DType::kQ4_1},
    GgmlType{6, "Q5_0", DType::kQ5_0},  GgmlType{7, "Q5_1", DType::kQ5_1},
    GgmlType{8, "Q8_0", DType::kQ8_0},  GgmlType{9, "Q8_1", {}},
    GgmlType{10, "Q2_K", DType::kQ2_K}, GgmlType{11, "Q3_K", DType::kQ3_K},
    GgmlType{12, "Q4_K", DType::kQ4_K}, GgmlType{13, "Q5_K", DType::kQ5_K},
    GgmlType{14, "Q6_K", DType::kQ6_K}, GgmlType{15, "Q8_K", DType::kQ8_K},
    GgmlType{16, "IQ2_XXS", {}},        GgmlType{17, "IQ2_XS", {}},
    GgmlType{18, "IQ3_XXS", {}},        GgmlType{19, "IQ1_S", {}},
    GgmlType{20, "IQ4_NL", {}},         GgmlType{21, "IQ3_S", {}},
    GgmlType{22, "IQ2_S", {}},          GgmlType{23, "IQ4_XS", {}},
    GgmlType{24, "I8", DType::kI8},     GgmlType{25, "I16", DType::kI16},
    GgmlType{26, "I32", DType::kI32},   GgmlType{27, "I64", DType::kI64},
    GgmlType{28, "F64", DType::kF64},   GgmlType{29, "IQ1_M", {}},
    GgmlType{30, "BF16", DType::kBF16}, GgmlType{34, "TQ1_0", {}},
    GgmlType{35, "TQ2_0", {}},          GgmlType{39, "MXFP4", {}},
};

DType read_dtype(GgufCursor& cursor) {
  const auto number = cursor.read<uint32_t>();
  const auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const GgmlType& t) { return t.number == number; });
  if (it != kTypes.end() && it->dtype) return *it->dtype;
  cursor.refuse(
      fmt::format("type {}{}; read are F32, F16, BF16, F64, I8 to I64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q8_K",
                  number, it == kTypes.end() ? " is unknown" : fmt::format(" ({}) is not read", it->name)));
}

// Dimensions stand fastest first; torch's order is the reverse.
std::vector<int64_t> read_shape(GgufCursor& cursor) {
  const auto num_dims = cursor.read<uint32_t>();
  if (num_dims > kGgufMaxDims)
    cursor.refuse(fmt::format("{} dimensions; at most {} are allowed", num_dims, kGgufMaxDims));
  std::vector<int64_t> shape(num_dims);
  uint64_t elements = 1;
  for (uint32_t i = 0; i < num_dims; ++i) {
    const auto size = cursor.read<uint64_t>();
    if (size == 0 || size > uint64_t{INT64_MAX}) cursor.refuse(fmt::format("dimension {} is {}", i, size));
    if (__builtin_mul_overflow(elements, size, &elements) || elements > uint64_t{INT64_MAX}) {
      cursor.refuse("more elements than 63 bits can count");
    }
    shape[num_dims - 1 - i] = static_cast<int64_t>(size);
  }
  return shape;
}

uint64_t stored_bytes(const GgufCursor& cursor, const TensorView& t) {
  const auto [elements, bits] = block_layout(t.dtype);
  const int64_t row = t.shape.empty() ? 1 : t.shape.back();
  if (row % elements != 0) {
    cursor.refuse(fmt::format("rows of {} elements; {} stores blocks of {}", row, to_string(t.dtype), elements));
  }
  uint64_t bytes;
  if (__builtin_mul_overflow(static_cast<uint64_t>(t.num_elements() / elements), static_cast<uint64_t>(bits / 8),
                             &bytes)) {
    cursor.refuse("more bytes than 64 bits can count");
  }
  return bytes;
}

}  // namespace

std::vector<GgufTensorInfo> read_gguf_tensors(GgufCursor& cursor, uint64_t count) {
  cursor.enter("tensor table");
  cursor.require_elements(count, kMinRowBytes, kGgufMaxTensors, "tensors");
  std::vector<GgufTensorInfo> tensors(count);
  for (uint64_t i = 0; i < count; ++i) {
    cursor.enter(fmt::format("tensor {} of {}", i + 1, count));
    GgufTensorInfo& info = tensors[i];
    const std::string_view name = cursor.read_string(kGgufMaxNameLength, "a name");
    const bool is_ascii = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 127; });
    if (name.empty() || !is_ascii)
      cursor.refuse(fmt::format("the name {} is empty or not plain ASCII", quote_name(name)));
    cursor.enter(fmt::format("tensor {}", quote_name(name)));
    info.view.name = name;
    info.view.shape = read_shape(cursor);
    info.view.dtype = read_dtype(cursor);
    info.size = stored_bytes(cursor, info.view);
    info.offset = cursor.read<uint64_t>();
  }
  return tensors;
}

}  // namespace r1::formats
