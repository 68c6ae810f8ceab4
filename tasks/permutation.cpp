#include "tasks/permutation.h"

#include <bit>

#include "core/random.h"

namespace r1::tasks {
namespace {
constexpr uint64_t kRounds = 8;
}

Permutation::Permutation(uint64_t size, uint64_t key) : size_(size), key_(key) {
  const int bits = size > 1 ? std::bit_width(size - 1) : 1;
  half_bits_ = (bits + 1) / 2;
}

uint64_t Permutation::encrypt(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t mixed = mix64(key_ ^ mix64(right ^ round << 56)) & mask;
    const uint64_t next = left ^ mixed;
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t index) const {
  uint64_t value = encrypt(index);
  while (value >= size_)
    value = encrypt(value);  // the cycle through `index` leads back inside, at the latest to itself
  return value;
}

}  // namespace r1::tasks
