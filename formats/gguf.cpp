#include "formats/gguf.h"

#include <algorithm>

#include "core/error.h"
#include "formats/gguf_cursor.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_tensors.h"
#include "formats/quote.h"

namespace r1::formats {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint32_t kDefaultAlignment = 32;

struct Counts {
  uint64_t tensors, keys;
};

Counts read_counts(GgufCursor& cursor) {
  const auto magic = cursor.read<uint32_t>();
  if (magic != kMagic) cursor.refuse(fmt::format("begins with {:#010x}, not with \"GGUF\"", __builtin_bswap32(magic)));
  const auto version = cursor.read<uint32_t>();
  if (version != 2 && version != 3) {
    const bool is_swapped = __builtin_bswap32(version) <= 3 && version != 0;
    cursor.refuse(
        fmt::format("version {}; 2 and 3 are read{}", version, is_swapped ? ", in little-endian form only" : ""));
  }
  const auto tensors = cursor.read<uint64_t>();
  const auto keys = cursor.read<uint64_t>();
  return {tensors, keys};
}

uint32_t find_alignment(const GgufMetadata& metadata, GgufCursor& cursor) {
  const auto it = metadata.find("general.alignment");
  if (it == metadata.end()) return kDefaultAlignment;
  cursor.enter("metadata key 'general.alignment'");
  const auto* value = std::get_if<int64_t>(&it->second);
  if (value == nullptr) cursor.refuse(fmt::format("is {}, not a whole number", describe(it->second)));
  const int64_t alignment = *value;
  if (alignment < kGgufMinAlignment || alignment > kGgufMaxAlignment || (alignment & (alignment - 1)) != 0) {
    cursor.refuse(
        fmt::format("is {}; a power of two from {} to {} is wanted", alignment, kGgufMinAlignment, kGgufMaxAlignment));
  }
  return static_cast<uint32_t>(alignment);
}

// Two names for the same bytes would pass every other check.
void check_overlap(const std::vector<GgufTensorInfo>& tensors, GgufCursor& cursor) {
  std::vector<const GgufTensorInfo*> order;
  order.reserve(tensors.size());
  for (const auto& info : tensors) order.push_back(&info);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset >= order[i - 1]->offset + order[i - 1]->size) continue;
    cursor.enter(fmt::format("tensor {}", quote_name(order[i]->view.name)));
    cursor.refuse(
        fmt::format("offset {} lies within tensor {}", order[i]->offset, quote_name(order[i - 1]->view.name)));
  }
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : file_(path) {
  GgufCursor cursor(file_.bytes(), file_.path());
  const Counts counts = read_counts(cursor);
  metadata_ = read_gguf_metadata(cursor, counts.keys);
  const uint32_t alignment = find_alignment(metadata_, cursor);
  place_tensors(file_.bytes(), alignment, counts.tensors, cursor);
}

void GgufFile::place_tensors(std::span<const std::byte> bytes, uint32_t alignment, uint64_t count, GgufCursor& cursor) {
  std::vector<GgufTensorInfo> infos = read_gguf_tensors(cursor, count);
  const uint64_t data_begin = (uint64_t{cursor.position()} + alignment - 1) / alignment * alignment;
  const uint64_t data_size = data_begin <= bytes.size() ? bytes.size() - data_begin : 0;
  tensors_.reserve(infos.size());
  for (GgufTensorInfo& info : infos) {
    cursor.enter(fmt::format("tensor {}", quote_name(info.view.name)));
    if (info.offset % alignment != 0)
      cursor.refuse(fmt::format("offset {} is no multiple of the alignment {}", info.offset, alignment));
    if (info.offset > data_size || info.size > data_size - info.offset) {
      cursor.refuse(
          fmt::format("offset {} and {} bytes, but the file has {} bytes of data", info.offset, info.size, data_size));
    }
    if (!by_name_.emplace(info.view.name, tensors_.size()).second) cursor.refuse("stands twice");
    tensors_.push_back(info.view);
    tensors_.back().bytes = bytes.subspan(data_begin + info.offset, info.size);
  }
  check_overlap(infos, cursor);
}

const TensorView* GgufFile::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

}  // namespace r1::formats
