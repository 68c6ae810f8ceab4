#pragma once
// What "the same samples, bit for bit" means.

#include <cstring>
#include <vector>

#include "core/types.h"
#include "tests/support/catch.h"

namespace r1::rollout::testing {

using Samples = std::vector<std::vector<Sample>>;  // [prompt][index]

inline void check_equal(const Samples& a, const Samples& b) {
  REQUIRE(a.size() == b.size());
  for (size_t p = 0; p < a.size(); ++p) {
    REQUIRE(a[p].size() == b[p].size());
    for (size_t s = 0; s < a[p].size(); ++s) {
      INFO("prompt " << p << " sample " << s);
      CHECK(a[p][s].token_ids == b[p][s].token_ids);
      CHECK(a[p][s].text == b[p][s].text);
      CHECK(a[p][s].finish == b[p][s].finish);
      REQUIRE(a[p][s].logprobs.size() == b[p][s].logprobs.size());
      CHECK(std::memcmp(a[p][s].logprobs.data(), b[p][s].logprobs.data(), a[p][s].logprobs.size() * sizeof(float)) ==
            0);
    }
  }
}

}  // namespace r1::rollout::testing
