#include "formats/tensor_view.h"

#include <array>

#include "core/error.h"
#include "formats/quote.h"

namespace r1::formats {
namespace {

struct DTypeInfo {
  const char* name;
  BlockLayout layout;
};

// In DType's order. Block types: formats.md 6.1 and ggml's block structs.
constexpr std::array<DTypeInfo, kNumDTypes> kInfo = {{
    {"BOOL", {1, 8}},         {"U8", {1, 8}},           {"I8", {1, 8}},           {"I16", {1, 16}},
    {"U16", {1, 16}},         {"I32", {1, 32}},         {"U32", {1, 32}},         {"I64", {1, 64}},
    {"U64", {1, 64}},         {"F16", {1, 16}},         {"BF16", {1, 16}},        {"F32", {1, 32}},
    {"F64", {1, 64}},         {"F8_E4M3", {1, 8}},      {"F8_E5M2", {1, 8}},      {"F8_E8M0", {1, 8}},
    {"F4", {1, 4}},           {"F6_E2M3", {1, 6}},      {"F6_E3M2", {1, 6}},      {"F8_E4M3FNUZ", {1, 8}},
    {"F8_E5M2FNUZ", {1, 8}},  {"C64", {1, 64}},         {"Q4_0", {32, 18 * 8}},   {"Q4_1", {32, 20 * 8}},
    {"Q5_0", {32, 22 * 8}},   {"Q5_1", {32, 24 * 8}},   {"Q8_0", {32, 34 * 8}},   {"Q2_K", {256, 84 * 8}},
    {"Q3_K", {256, 110 * 8}}, {"Q4_K", {256, 144 * 8}}, {"Q5_K", {256, 176 * 8}}, {"Q6_K", {256, 210 * 8}},
    {"Q8_K", {256, 292 * 8}},
}};

}  // namespace

const char* to_string(DType t) { return kInfo[static_cast<size_t>(t)].name; }

BlockLayout block_layout(DType t) { return kInfo[static_cast<size_t>(t)].layout; }

int64_t TensorView::num_elements() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

TensorView slice(const TensorView& t, int64_t begin, int64_t count) {
  const auto [elements, bits] = block_layout(t.dtype);
  const bool fits = begin >= 0 && count >= 0 && begin <= t.num_elements() && count <= t.num_elements() - begin;
  if (!fits || begin % elements != 0 || count % elements != 0 || begin / elements * bits % 8 != 0) {
    throw Error(
        fmt::format("slice of tensor {}", quote_name(t.name)),
        fmt::format("elements [{}, {} + {}) of {} {}", begin, begin, count, t.num_elements(), to_string(t.dtype)),
        fmt::format("cut at multiples of {} elements within the tensor", elements));
  }
  const auto first = static_cast<size_t>(begin / elements * bits / 8);
  const auto length = static_cast<size_t>(count / elements * bits / 8);
  TensorView part{t.name, t.dtype, {count}, t.bytes.subspan(first, length), t.scales};
  if (part.scales) part.scales->begin += begin;
  return part;
}

}  // namespace r1::formats
