#pragma once
// Reads a GGUF header byte by byte, and takes nothing on trust: every length is held against what is left of the file
// before it is used.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace r1::formats {

// The sizes no honest file reaches. A sparse file can be as large as it likes, so the file's size alone bounds nothing.
inline constexpr uint64_t kGgufMaxHeaderBytes = uint64_t{256} << 20;  // metadata and tensor table
inline constexpr uint64_t kGgufMaxArray = uint64_t{1} << 24;          // elements of one metadata array
inline constexpr uint64_t kGgufMaxKeys = uint64_t{1} << 16;
inline constexpr uint64_t kGgufMaxTensors = uint64_t{1} << 20;
inline constexpr uint64_t kGgufMaxKeyLength = 65535;  // by the specification
inline constexpr uint64_t kGgufMaxNameLength = 64;    // by the specification
inline constexpr uint32_t kGgufMaxDims = 4;           // by the specification
inline constexpr uint32_t kGgufMinAlignment = 8;      // by the specification: a multiple of 8
inline constexpr uint32_t kGgufMaxAlignment = uint32_t{1} << 20;

class GgufCursor {
 public:
  GgufCursor(std::span<const std::byte> bytes, const std::filesystem::path& path)
      : bytes_(bytes.first(std::min<size_t>(bytes.size(), kGgufMaxHeaderBytes))),
        file_size_(bytes.size()),
        path_(path) {}

  // What is being read, for messages: "metadata key 'general.name'".
  void enter(std::string place) { place_ = std::move(place); }

  template <typename T>
  T read() {
    require(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof value);
    position_ += sizeof value;
    return value;
  }
  // A length and as many bytes; `what` names it in messages.
  std::string_view read_string(uint64_t max_length, const char* what);
  // Throws unless `count` elements of at least `min_bytes` each are left: call before reserving memory for them.
  void require_elements(uint64_t count, uint64_t min_bytes, uint64_t max_count, const char* what) const;

  size_t position() const { return position_; }
  std::span<const std::byte> take(size_t length);
  // Throws Error "FILE: PLACE at byte N: PROBLEM".
  [[noreturn]] void refuse(const std::string& problem) const;

 private:
  void require(uint64_t length) const;

  std::span<const std::byte> bytes_;
  uint64_t file_size_;
  const std::filesystem::path& path_;
  std::string place_ = "header";
  size_t position_ = 0;
};

}  // namespace r1::formats
