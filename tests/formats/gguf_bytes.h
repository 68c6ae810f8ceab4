#pragma once
// GGUF files written by hand, right or wrong.

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gguf_bytes {

template <typename T>
std::string num(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
inline std::string u32(uint32_t v) { return num(v); }
inline std::string u64(uint64_t v) { return num(v); }
inline std::string text(std::string_view s) { return u64(s.size()) + std::string(s); }

// Value types by number.
enum : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
// Tensor types by number.
enum : uint32_t { kTypeF32 = 0, kTypeQ4_0 = 2, kTypeQ8_1 = 9, kTypeQ4_K = 12, kTypeMxfp4 = 39 };

inline std::string header(uint64_t num_tensors, uint64_t num_keys, uint32_t version = 3) {
  return "GGUF" + u32(version) + u64(num_tensors) + u64(num_keys);
}
inline std::string pair(std::string_view key, uint32_t type, const std::string& value) {
  return text(key) + u32(type) + value;
}
inline std::string array(std::string_view key, uint32_t type, uint64_t count, const std::string& elements) {
  return pair(key, kArray, u32(type) + u64(count) + elements);
}
inline std::string tensor(std::string_view name, std::initializer_list<uint64_t> dims, uint32_t type, uint64_t offset) {
  std::string row = text(name) + u32(static_cast<uint32_t>(dims.size()));
  for (const uint64_t size : dims) row += u64(size);
  return row + u32(type) + u64(offset);
}
inline std::string padded(std::string bytes, size_t alignment = 32) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
  return bytes;
}

}  // namespace gguf_bytes
