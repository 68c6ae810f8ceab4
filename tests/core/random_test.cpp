#include "core/random.h"

#include <cmath>
#include <set>
#include <vector>

#include "tests/support/catch.h"

namespace r1 {
namespace {

TEST_CASE("philox4x32 gives the known answers of Random123") {
  struct Row {
    std::array<uint32_t, 4> counter;
    std::array<uint32_t, 2> key;
    std::array<uint32_t, 4> answer;
    const char* why;
  };
  const Row rows[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, "all zero"},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, "all ones"},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
       "digits of pi"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(philox4x32(row.counter, row.key) == row.answer);
  }
}

TEST_CASE("A stream's numbers depend on its names and the position, not on the order of asking") {
  RandomStream forward(7, 11, 3);
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 8; ++i) drawn.push_back(forward.bits());
  const RandomStream same(7, 11, 3);
  for (int i = 7; i >= 0; --i) CHECK(same.bits_at(i) == drawn[i]);
  RandomStream resumed(7, 11, 3, 5);
  CHECK(resumed.bits() == drawn[5]);
  CHECK(resumed.position() == 6);
}

TEST_CASE("Streams with neighbouring names share no number") {
  std::set<uint64_t> seen;
  int num_drawn = 0;
  for (uint64_t seed : {0, 1}) {
    for (uint64_t stream = 0; stream < 8; ++stream) {
      for (uint64_t index = 0; index < 8; ++index) {
        for (uint64_t position = 0; position < 8; ++position, ++num_drawn) {
          seen.insert(RandomStream(seed, stream, index).bits_at(position));
        }
      }
    }
  }
  CHECK(seen.size() == static_cast<size_t>(num_drawn));
}

TEST_CASE("Uniform numbers lie in [0, 1) and fill it evenly") {
  RandomStream random(1, 2);
  std::vector<int> bins(10);
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ++bins.at(static_cast<size_t>(u * 10));
  }
  CHECK(RandomStream(0, 0).uniform_at(0) < 1);
  for (const int count : bins) CHECK(count == Approx(kDraws / 10).margin(5 * std::sqrt(kDraws * 0.09)));  // 5 sigma
}

TEST_CASE("below() gives every value under its bound and none above") {
  RandomStream random(1, 3);
  std::vector<int> seen(6);
  for (int i = 0; i < 6000; ++i) ++seen.at(random.below(6));
  for (const int count : seen) CHECK(count == Approx(1000).margin(150));
  CHECK(random.below(1) == 0);
}

TEST_CASE("normal() has the moments of a standard normal and takes two numbers") {
  RandomStream random(5, 6);
  double sum = 0, squares = 0, fourths = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  CHECK(sum / kDraws == Approx(0).margin(0.012));
  CHECK(squares / kDraws == Approx(1).margin(0.02));
  CHECK(fourths / kDraws == Approx(3).margin(0.15));
  CHECK(random.position() == 2 * kDraws);
}

}  // namespace
}  // namespace r1
