#include "formats/gguf_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "formats/quote.h"

namespace r1::formats {
namespace {

// Value types by their numbers in the file.
enum class Type : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
constexpr uint32_t kNumTypes = 13;
constexpr std::array<uint64_t, kNumTypes> kMinBytes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
constexpr uint64_t kMinPairBytes = 8 + 1 + 4 + 1;  // a key of one letter, a type, a byte

Type read_type(GgufCursor& cursor, const char* what) {
  const auto number = cursor.read<uint32_t>();
  if (number >= kNumTypes) cursor.refuse(fmt::format("{} {}; the types are 0 to {}", what, number, kNumTypes - 1));
  return static_cast<Type>(number);
}

bool read_bool(GgufCursor& cursor) {
  const auto byte = cursor.read<uint8_t>();
  if (byte > 1) cursor.refuse(fmt::format("a bool of {}; 0 and 1 are allowed", byte));
  return byte == 1;
}

// Elements are checked against the end of the file once, together, so that a vocabulary costs no check a byte.
template <typename T, typename Out>
std::vector<Out> read_numbers(GgufCursor& cursor, uint64_t count) {
  const auto bytes = cursor.take(count * sizeof(T));
  std::vector<Out> values(count);
  for (uint64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<Out>(value);
  }
  return values;
}

std::vector<std::string> read_strings(GgufCursor& cursor, uint64_t count) {
  std::vector<std::string> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.emplace_back(cursor.read_string(kGgufMaxHeaderBytes, "a string"));
  return values;
}

std::vector<int64_t> read_u64s(GgufCursor& cursor, uint64_t count) {
  auto values = read_numbers<uint64_t, int64_t>(cursor, count);
  if (std::any_of(values.begin(), values.end(), [](int64_t v) { return v < 0; })) {
    cursor.refuse("an array holds a number above 2^63 - 1");
  }
  return values;
}

std::vector<int64_t> read_bools(GgufCursor& cursor, uint64_t count) {
  auto values = read_numbers<uint8_t, int64_t>(cursor, count);
  if (std::any_of(values.begin(), values.end(), [](int64_t v) { return v > 1; }))
    cursor.refuse("an array of bools holds other than 0 and 1");
  return values;
}

GgufValue read_array(GgufCursor& cursor) {
  const Type type = read_type(cursor, "array of type");
  const auto count = cursor.read<uint64_t>();
  if (type == Type::kArray) cursor.refuse("an array of arrays, which no known key is");
  cursor.require_elements(count, kMinBytes[static_cast<size_t>(type)], kGgufMaxArray, "array elements");
  switch (type) {
    case Type::kU8:
      return read_numbers<uint8_t, int64_t>(cursor, count);
    case Type::kI8:
      return read_numbers<int8_t, int64_t>(cursor, count);
    case Type::kU16:
      return read_numbers<uint16_t, int64_t>(cursor, count);
    case Type::kI16:
      return read_numbers<int16_t, int64_t>(cursor, count);
    case Type::kU32:
      return read_numbers<uint32_t, int64_t>(cursor, count);
    case Type::kI32:
      return read_numbers<int32_t, int64_t>(cursor, count);
    case Type::kI64:
      return read_numbers<int64_t, int64_t>(cursor, count);
    case Type::kU64:
      return read_u64s(cursor, count);
    case Type::kF32:
      return read_numbers<float, double>(cursor, count);
    case Type::kF64:
      return read_numbers<double, double>(cursor, count);
    case Type::kBool:
      return read_bools(cursor, count);
    case Type::kString:
      return read_strings(cursor, count);
    case Type::kArray:
      break;
  }
  cursor.refuse("an array of unknown type");
}

GgufValue read_u64(GgufCursor& cursor) {
  const auto value = cursor.read<uint64_t>();
  if (value > uint64_t{INT64_MAX}) return value;
  return static_cast<int64_t>(value);
}

GgufValue read_value(GgufCursor& cursor) {
  switch (read_type(cursor, "value of type")) {
    case Type::kU8:
      return int64_t{cursor.read<uint8_t>()};
    case Type::kI8:
      return int64_t{cursor.read<int8_t>()};
    case Type::kU16:
      return int64_t{cursor.read<uint16_t>()};
    case Type::kI16:
      return int64_t{cursor.read<int16_t>()};
    case Type::kU32:
      return int64_t{cursor.read<uint32_t>()};
    case Type::kI32:
      return int64_t{cursor.read<int32_t>()};
    case Type::kI64:
      return cursor.read<int64_t>();
    case Type::kU64:
      return read_u64(cursor);
    case Type::kF32:
      return double{cursor.read<float>()};
    case Type::kF64:
      return cursor.read<double>();
    case Type::kBool:
      return read_bool(cursor);
    case Type::kString:
      return std::string(cursor.read_string(kGgufMaxHeaderBytes, "a string"));
    case Type::kArray:
      return read_array(cursor);
  }
  cursor.refuse("a value of unknown type");
}

}  // namespace

GgufMetadata read_gguf_metadata(GgufCursor& cursor, uint64_t count) {
  cursor.enter("metadata");
  cursor.require_elements(count, kMinPairBytes, kGgufMaxKeys, "metadata keys");
  GgufMetadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    cursor.enter(fmt::format("metadata key {} of {}", i + 1, count));
    const std::string_view key = cursor.read_string(kGgufMaxKeyLength, "a key");
    const bool is_ascii = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
    if (key.empty() || !is_ascii) cursor.refuse(fmt::format("the key {} is empty or not plain ASCII", quote_name(key)));
    cursor.enter(fmt::format("metadata key {}", quote_name(key)));
    if (metadata.find(key) != metadata.end()) cursor.refuse("stands twice");
    metadata.emplace(key, read_value(cursor));
  }
  return metadata;
}

const char* describe(const GgufValue& value) {
  constexpr std::array<const char*, 8> kNames = {"a whole number",
                                                 "a whole number above 2^63 - 1",
                                                 "a fraction",
                                                 "a bool",
                                                 "a string",
                                                 "an array of whole numbers",
                                                 "an array of fractions",
                                                 "an array of strings"};
  static_assert(std::variant_size_v<GgufValue> == kNames.size());
  return kNames[value.index()];
}

}  // namespace r1::formats
