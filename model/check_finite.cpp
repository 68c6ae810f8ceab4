// NaN and infinity in stored weights, found without converting them: an exponent of all ones, in the elements or in the
// scales of a block.

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/thread_pool.h"
#include "formats/quote.h"
#include "model/weights.h"

namespace r1::model {
namespace {

using formats::DType;
using formats::TensorView;

constexpr int64_t kAllFinite = -1;
constexpr int64_t kChunk = 1 << 14;

template <typename T>
[[gnu::optimize("O3")]] bool has_exponent(const std::byte* in, int64_t count, T mask) {
  T any = 0;
  for (int64_t i = 0; i < count; ++i) {
    T bits;
    std::memcpy(&bits, in + i * static_cast<int64_t>(sizeof bits), sizeof bits);
    any |= static_cast<T>((bits & mask) == mask);
  }
  return any != 0;
}

// Index of the first element whose bits under `mask` are all ones.
template <typename T>
int64_t find_exponent(std::span<const std::byte> bytes, T mask) {
  const auto count = static_cast<int64_t>(bytes.size() / sizeof(T));
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const std::byte* chunk = bytes.data() + begin * static_cast<int64_t>(sizeof(T));
    const int64_t length = std::min(kChunk, count - begin);
    if (!has_exponent(chunk, length, mask)) continue;
    for (int64_t i = 0; i < length; ++i) {
      if (has_exponent(chunk + i * static_cast<int64_t>(sizeof(T)), 1, mask)) return begin + i;
    }
  }
  return kAllFinite;
}

// Where a block keeps its one or two half-precision scales; integers times a finite half are finite.
std::array<int, 2> scale_places(DType t) {
  switch (t) {
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K:
      return {0, 2};
    case DType::kQ2_K:
      return {80, 82};
    case DType::kQ3_K:
      return {108, 108};
    case DType::kQ6_K:
      return {208, 208};
    default:
      return {0, 0};
  }
}

int64_t find_block(const TensorView& t) {
  const auto [elements, bits] = block_layout(t.dtype);
  const int64_t block_bytes = bits / 8, num_blocks = static_cast<int64_t>(t.bytes.size()) / block_bytes;
  const auto places = scale_places(t.dtype);
  for (int64_t block = 0; block < num_blocks; ++block) {
    for (const int place : places) {
      if (has_exponent<uint16_t>(t.bytes.data() + block * block_bytes + place, 1, 0x7c00)) return block * elements;
    }
  }
  return kAllFinite;
}

// e4m3 has no infinity; NaN is all ones but the sign.
int64_t find_e4m3_nan(std::span<const std::byte> bytes) {
  const auto bad =
      std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return (b & std::byte{0x7f}) == std::byte{0x7f}; });
  return bad == bytes.end() ? kAllFinite : bad - bytes.begin();
}

int64_t find_non_finite(const TensorView& t) {
  switch (t.dtype) {
    case DType::kF8E4M3:
      return find_e4m3_nan(t.bytes);
    case DType::kF32:
      return find_exponent<uint32_t>(t.bytes, 0x7f800000u);
    case DType::kF16:
      return find_exponent<uint16_t>(t.bytes, 0x7c00);
    case DType::kBF16:
      return find_exponent<uint16_t>(t.bytes, 0x7f80);
    case DType::kF64:
      return find_exponent<uint64_t>(t.bytes, 0x7ff0000000000000u);
    default:
      return find_block(t);
  }
}

// Tensors that files hold twice must be equal: this program keeps one.
void check_copies(const LoadedModel& model) {
  for (const auto& copy : model.config.stored_copies()) {
    if (!model.weights->has(copy.name)) continue;
    const auto a = model.weights->get(copy.name), b = model.weights->get(copy.source);
    if (std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end())) continue;
    throw Error(model.weights->describe(),
                fmt::format("tensor {} differs from {}, of which it is a copy in published models",
                            formats::quote_name(copy.name), formats::quote_name(copy.source)),
                "fetch the file again; an MTP module with an embedding or head of its own is not supported");
  }
}

}  // namespace

void check_finite(const LoadedModel& model) {
  const auto parameters = model.config.parameters();
  std::vector<int64_t> found(parameters.size(), kAllFinite);
  compute_pool().parallel_for(static_cast<int64_t>(parameters.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      found[static_cast<size_t>(i)] = find_non_finite(model.weights->get(parameters[static_cast<size_t>(i)].name));
    }
  });
  const auto bad = std::find_if(found.begin(), found.end(), [](int64_t index) { return index != kAllFinite; });
  if (bad == found.end()) return check_copies(model);
  const std::string& name = parameters[static_cast<size_t>(bad - found.begin())].name;
  throw Error(model.weights->describe(),
              fmt::format("tensor {}: element {} is not a finite number", formats::quote_name(name), *bad),
              "use an earlier checkpoint, or fetch the file again");
}

}  // namespace r1::model
