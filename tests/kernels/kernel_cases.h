#pragma once
// What the kernels' tests share: random inputs, comparison of bits, and runs under every instruction set and pool size.

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/thread_pool.h"
#include "kernels/cpu.h"

namespace r1::kernels::testing {

// Uniform in [-1, 1), the same for the same seed.
inline std::vector<float> random_floats(int64_t count, uint64_t seed) {
  RandomStream stream(seed, 0);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(2 * stream.uniform() - 1);
  return values;
}

// Equal bit by bit; any NaN equals any other.
inline bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

// Index of the first element whose bits differ, -1 if there is none.
inline int64_t first_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return static_cast<int64_t>(i);
  }
  return -1;
}

class ForcedIsa {
 public:
  explicit ForcedIsa(Isa isa) : previous_(active_isa()) { force_isa_for_tests(isa); }
  ~ForcedIsa() { force_isa_for_tests(previous_); }
  ForcedIsa(const ForcedIsa&) = delete;
  ForcedIsa& operator=(const ForcedIsa&) = delete;

 private:
  Isa previous_;
};

// Calls body(pool, name) for each instruction set of this machine and for pools of 1, 2 and 3 threads.
template <typename Body>
void for_each_setting(Body body) {
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (isa > detected_isa()) continue;
    const ForcedIsa forced(isa);
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      body(pool, std::string(to_string(isa)) + ", " + std::to_string(threads) + " threads");
    }
  }
}

}  // namespace r1::kernels::testing
