#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC'11, "Parallel random numbers: as easy as 1, 2, 3").
// A number is a pure function of its key and counter, so what is drawn does not depend on order, batch, threads or
// restarts.

#include <array>
#include <cstdint>

namespace r1 {

// Ten rounds of Philox4x32.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// SplitMix64's finaliser: spreads the bits of an id so that neighbouring ids give unrelated keys.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

__extension__ typedef unsigned __int128 uint128;  // the keyword keeps -Wpedantic quiet

// A stream of numbers named by (seed, stream, index): `stream` is e.g. a hash of a prompt id, `index` a sample's place
// in its group. Copyable; holds only its names and its position.
class RandomStream {
 public:
  constexpr RandomStream(uint64_t seed, uint64_t stream, uint64_t index = 0, uint64_t position = 0)
      : seed_(seed), name_(mix64(stream ^ mix64(index))), position_(position) {}

  constexpr uint64_t bits_at(uint64_t position) const {
    const auto r = philox4x32({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32),
                               static_cast<uint32_t>(name_), static_cast<uint32_t>(name_ >> 32)},
                              {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    return uint64_t{r[1]} << 32 | r[0];
  }
  // In [0, 1), 53 bits.
  constexpr double uniform_at(uint64_t position) const {
    return static_cast<double>(bits_at(position) >> 11) * 0x1p-53;
  }

  constexpr uint64_t bits() { return bits_at(position_++); }
  constexpr double uniform() { return uniform_at(position_++); }
  // In [0, bound), without bias worth the name (bound < 2^32).
  constexpr uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<uint128>(bits()) * bound) >> 64);
  }
  // Standard normal, by Box-Muller; takes two numbers.
  double normal();

  constexpr uint64_t position() const { return position_; }

 private:
  uint64_t seed_, name_, position_;
};

}  // namespace r1
