#pragma once
// Non-cryptographic hashes for identities and integrity (xxHash XXH3, stable across versions and machines).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace r1 {

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t hash64(std::string_view text, uint64_t seed = 0);

// 16 lower-case hex digits.
std::string to_hex(uint64_t value);

// Lower-case hex SHA-256, for published checksums.
std::string sha256_hex(std::span<const std::byte> bytes);

// Hash over many pieces: the result depends on the bytes and not on how they are cut.
class StreamHash {
 public:
  StreamHash();
  ~StreamHash();
  StreamHash(const StreamHash&) = delete;
  StreamHash& operator=(const StreamHash&) = delete;
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  uint64_t value() const;

 private:
  void* state_;
};

}  // namespace r1
