#pragma once
// The grammar of rewards/countdown.h: answers to tokens, tokens to a value.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/countdown.h"
#include "tasks/rational.h"

namespace r1::rewards {

struct CountdownToken {
  char kind = 0;  // 'n' for a number, else one of + - * / ( ) =
  int64_t value = 0;
};

struct CountdownTokens {
  std::vector<CountdownToken> tokens;
  std::string problem;  // why there are none; empty if all is well
};

// Blanks separate tokens and are dropped. A text over 4096 bytes is a problem.
CountdownTokens tokenize_countdown(std::string_view answer, Spelling spelling);

struct CountdownValue {
  std::optional<tasks::Rational> value;
  std::string problem;  // why there is none
};

// The value of the whole span. Its numbers must be the key's, which keeps the arithmetic within bounds.
CountdownValue evaluate_countdown(std::span<const CountdownToken> tokens, const tasks::CountdownKey& key);

}  // namespace r1::rewards
