#include "core/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace r1 {
namespace {

XXH3_state_t* as_xxh3(void* state) { return static_cast<XXH3_state_t*>(state); }

}  // namespace

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t hash64(std::string_view text, uint64_t seed) { return hash64(std::as_bytes(std::span(text)), seed); }

std::string to_hex(uint64_t value) { return fmt::format("{:016x}", value); }

StreamHash::StreamHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(as_xxh3(state_));
}

StreamHash::~StreamHash() { XXH3_freeState(as_xxh3(state_)); }

void StreamHash::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(as_xxh3(state_), bytes.data(), bytes.size());
}

void StreamHash::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

uint64_t StreamHash::value() const { return XXH3_64bits_digest(as_xxh3(state_)); }

}  // namespace r1
