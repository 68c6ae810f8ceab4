#include "formats/safetensors.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "formats/quote.h"
#include "formats/safetensors_header.h"

namespace r1::formats {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr const char* kMend = "fetch the file again: it is damaged or incomplete";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& problem) {
  throw Error(path.string(), problem, kMend);
}

// The header's text, behind its length in 8 bytes.
std::string_view header_text(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() < 8) refuse(file.path(), fmt::format("{} bytes; a safetensors file has at least 8", bytes.size()));
  uint64_t length;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader) {
    refuse(file.path(), fmt::format("bytes 0-7: a header of {} bytes; at most {} are allowed", length, kMaxHeader));
  }
  if (length > bytes.size() - 8) {
    refuse(file.path(), fmt::format("bytes 0-7: a header of {} bytes in a file of {}", length, bytes.size()));
  }
  return {reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<size_t>(length)};
}

// Bytes that dtype and shape ask for.
uint64_t bytes_wanted(const HeaderEntry& entry, const std::filesystem::path& path) {
  uint64_t bits = 1;
  bool overflow = false;
  for (const int64_t size : entry.shape) overflow |= __builtin_mul_overflow(bits, static_cast<uint64_t>(size), &bits);
  overflow |= __builtin_mul_overflow(bits, static_cast<uint64_t>(block_layout(entry.dtype).bits), &bits);
  if (overflow)
    refuse(path, fmt::format("tensor {}: key 'shape': more elements than 64 bits can count", quote_name(entry.name)));
  if (bits % 8 != 0) {
    refuse(path, fmt::format("tensor {}: {} bits of {} do not end on a byte", quote_name(entry.name), bits,
                             to_string(entry.dtype)));
  }
  return bits / 8;
}

void check_offsets(const HeaderEntry& entry, uint64_t previous_end, const std::filesystem::path& path) {
  const auto [begin, end] = entry.offsets;
  const std::string place = fmt::format("tensor {}: key 'data_offsets': [{}, {}]", quote_name(entry.name), begin, end);
  if (begin != previous_end) {
    refuse(path, fmt::format("{}: begin must be {}, where the tensor before ends (no holes, no overlap)", place,
                             previous_end));
  }
  if (end < begin) refuse(path, fmt::format("{}: ends before it begins", place));
  const uint64_t wanted = bytes_wanted(entry, path);
  if (end - begin != wanted) {
    refuse(path, fmt::format("{}: {} bytes, but dtype and shape make {}", place, end - begin, wanted));
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  const std::string_view text = header_text(file_);
  SafetensorsHeader header = parse_safetensors_header(text, path.string());
  metadata_ = std::move(header.metadata);
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) { return a.offsets < b.offsets; });

  const auto data = file_.bytes().subspan(8 + text.size());
  uint64_t end = 0;
  tensors_.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) {
    if (!by_name_.emplace(entry.name, tensors_.size()).second) {
      refuse(path, fmt::format("tensor {}: stands twice in the header", quote_name(entry.name)));
    }
    check_offsets(entry, end, path);
    end = entry.offsets[1];
    if (end > data.size()) {
      refuse(path, fmt::format("tensor {}: ends at byte {} of the data, which has {}", quote_name(entry.name), end,
                               data.size()));
    }
    tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                        data.subspan(entry.offsets[0], end - entry.offsets[0])});
  }
  if (end != data.size()) {
    refuse(path, fmt::format("{} bytes of data, but the tensors take {}", data.size(), end));
  }
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

}  // namespace r1::formats
