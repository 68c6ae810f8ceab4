#pragma once
// A shuffle that is a pure function of (size, key): no table, any element in constant time, so a data cursor is two
// numbers and resumes anywhere.

#include <cstdint>

namespace r1::tasks {

// A bijection of [0, size): a balanced Feistel network over the least even number of bits that holds `size`, walked
// until it lands inside (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002: cycle walking).
class Permutation {
 public:
  // size at least 1.
  Permutation(uint64_t size, uint64_t key);
  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t encrypt(uint64_t value) const;
  uint64_t size_, key_;
  int half_bits_ = 1;
};

}  // namespace r1::tasks
