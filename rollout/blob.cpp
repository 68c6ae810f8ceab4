#include "rollout/blob.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace r1::rollout {
namespace {

constexpr std::byte kStored{0}, kZstd{1};
constexpr int kLevel = 1;  // logprobs are noise in their low bytes: higher levels gain 1 % for thrice the time
constexpr size_t kLeastToCompress = 64;  // bytes; a zstd frame has a header of its own
constexpr size_t kPlanes = 4;

void split_planes(std::span<const std::byte> values, std::byte* planes) {
  const size_t count = values.size() / kPlanes;
  for (size_t plane = 0; plane < kPlanes; ++plane) {
    for (size_t i = 0; i < count; ++i) planes[plane * count + i] = values[i * kPlanes + plane];
  }
}

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(where, fmt::format("a stored blob is damaged: {}", what),
              "check the file with: sqlite3 rollouts.db 'PRAGMA integrity_check'");
}

// The blob's byte planes: exactly `size` bytes, which the caller knows from the row, so that a damaged blob cannot ask
// for more memory.
std::vector<std::byte> unpack(std::span<const std::byte> blob, size_t size, const std::string& where) {
  if (blob.empty()) damaged(where, "it is empty");
  const auto body = blob.subspan(1);
  if (blob[0] == kStored) {
    if (body.size() != size) damaged(where, fmt::format("it holds {} bytes and should hold {}", body.size(), size));
    return {body.begin(), body.end()};
  }
  if (blob[0] != kZstd) damaged(where, fmt::format("its first byte is {}, not 0 or 1", static_cast<int>(blob[0])));
  // zstd's best is a 4-byte block for 128 KiB.
  if (body.size() < size / 40'000) damaged(where, "it is too short for the row's num_tokens");
  std::vector<std::byte> planes(size);
  const size_t got = ZSTD_decompress(planes.data(), size, body.data(), body.size());
  if (ZSTD_isError(got)) damaged(where, ZSTD_getErrorName(got));
  if (got != size) damaged(where, fmt::format("it holds {} bytes and should hold {}", got, size));
  return planes;
}

template <typename T>
std::vector<T> decode(std::span<const std::byte> blob, int64_t count, const std::string& where) {
  constexpr int64_t kMostTokens = 100'000'000;
  if (count < 0 || count > kMostTokens) damaged(where, fmt::format("the row claims {} tokens", count));
  const size_t size = static_cast<size_t>(count);
  const auto planes = unpack(blob, size * kPlanes, where);
  std::vector<T> values(size);
  auto* bytes = reinterpret_cast<std::byte*>(values.data());
  for (size_t plane = 0; plane < kPlanes; ++plane) {
    for (size_t i = 0; i < size; ++i) bytes[i * kPlanes + plane] = planes[plane * size + i];
  }
  return values;
}

}  // namespace

struct BlobEncoder::State {
  struct Free {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::vector<std::byte> planes;

  std::vector<std::byte> pack(std::span<const std::byte> values) {
    planes.resize(values.size());
    split_planes(values, planes.data());
    if (values.size() >= kLeastToCompress) {
      std::vector<std::byte> blob(1 + ZSTD_compressBound(planes.size()));
      const size_t size =
          ZSTD_compressCCtx(context.get(), blob.data() + 1, blob.size() - 1, planes.data(), planes.size(), kLevel);
      if (!ZSTD_isError(size) && size < planes.size()) {
        blob[0] = kZstd;
        blob.resize(1 + size);
        return blob;
      }
    }
    std::vector<std::byte> blob(1, kStored);
    blob.insert(blob.end(), planes.begin(), planes.end());
    return blob;
  }
};

BlobEncoder::BlobEncoder() : state_(std::make_unique<State>()) {}
BlobEncoder::~BlobEncoder() = default;

std::vector<std::byte> BlobEncoder::encode(std::span<const int32_t> values) {
  return state_->pack(std::as_bytes(values));
}
std::vector<std::byte> BlobEncoder::encode(std::span<const uint32_t> values) {
  return state_->pack(std::as_bytes(values));
}
std::vector<std::byte> BlobEncoder::encode(std::span<const float> values) {
  return state_->pack(std::as_bytes(values));
}

std::vector<int32_t> decode_ints(std::span<const std::byte> blob, int64_t count, const std::string& where) {
  return decode<int32_t>(blob, count, where);
}
std::vector<uint32_t> decode_uints(std::span<const std::byte> blob, int64_t count, const std::string& where) {
  return decode<uint32_t>(blob, count, where);
}
std::vector<float> decode_floats(std::span<const std::byte> blob, int64_t count, const std::string& where) {
  return decode<float>(blob, count, where);
}

}  // namespace r1::rollout
