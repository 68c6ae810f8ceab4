#include "formats/gguf_cursor.h"

#include "core/error.h"

namespace r1::formats {

void GgufCursor::refuse(const std::string& problem) const {
  throw Error(path_.string(), fmt::format("{} at byte {}: {}", place_, position_, problem),
              "fetch the file again, or write it again with a current converter");
}

void GgufCursor::require(uint64_t length) const {
  if (length <= bytes_.size() - position_) return;
  if (file_size_ > bytes_.size()) refuse(fmt::format("the header goes on past {} bytes", kGgufMaxHeaderBytes));
  refuse(fmt::format("{} bytes are wanted, {} are left: the file is cut short", length, bytes_.size() - position_));
}

std::span<const std::byte> GgufCursor::take(size_t length) {
  require(length);
  position_ += length;
  return bytes_.subspan(position_ - length, length);
}

std::string_view GgufCursor::read_string(uint64_t max_length, const char* what) {
  const auto length = read<uint64_t>();
  if (length > max_length) refuse(fmt::format("{} of {} bytes; at most {} are allowed", what, length, max_length));
  const auto bytes = take(length);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void GgufCursor::require_elements(uint64_t count, uint64_t min_bytes, uint64_t max_count, const char* what) const {
  if (count > max_count) refuse(fmt::format("{} {}; at most {} are allowed", count, what, max_count));
  const uint64_t left = bytes_.size() - position_;
  if (count > left / min_bytes) {
    refuse(fmt::format("{} {} need at least {} bytes, {} are left", count, what, count * min_bytes, left));
  }
}

}  // namespace r1::formats
