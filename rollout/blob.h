#pragma once
// Per-token numbers as compact blobs: the bytes of equal significance are put side by side (ids and log-probs repeat in
// their high bytes), then compressed with zstd where that helps.
//
// Format: byte 0 is 0 (stored) or 1 (a zstd frame); then, of little-endian 32-bit values v[0..n), all first bytes, all
// second bytes, all third bytes, all fourth bytes. docs/rollout_db.md shows how to read it from Python.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rollout {

// Holds the compressor's working memory, so one per thread that encodes many.
class BlobEncoder {
 public:
  BlobEncoder();
  ~BlobEncoder();
  BlobEncoder(const BlobEncoder&) = delete;
  BlobEncoder& operator=(const BlobEncoder&) = delete;

  std::vector<std::byte> encode(std::span<const int32_t> values);
  std::vector<std::byte> encode(std::span<const uint32_t> values);
  std::vector<std::byte> encode(std::span<const float> values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The values of a blob that must hold `count` of them. `where` opens the Error if it does not.
std::vector<int32_t> decode_ints(std::span<const std::byte> blob, int64_t count, const std::string& where);
std::vector<uint32_t> decode_uints(std::span<const std::byte> blob, int64_t count, const std::string& where);
std::vector<float> decode_floats(std::span<const std::byte> blob, int64_t count, const std::string& where);

}  // namespace r1::rollout
