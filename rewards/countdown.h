#pragma once
// Countdown answers: an expression that uses each given number exactly once and equals the target. The answer is read
// by a grammar of integers, the task's operations and parentheses, and nothing else:
//
//   sum     := product (('+' | '-') product)*
//   product := factor (('*' | '/') factor)*
//   factor  := number | '(' sum ')' | '-' factor        (the sign only where the key allows it, and not twice)
//   number  := '0' | [1-9][0-9]*
//
// Powers, juxtaposed numbers, other digits than 0-9 and leading zeros are no sentences of it. Values are exact
// fractions: the key bounds them (tasks/countdown_key.h), and numbers are compared with the key before anything is
// computed.

#include <string_view>

#include "rewards/extract.h"
#include "rewards/reward.h"
#include "tasks/countdown_key.h"

namespace r1::rewards {

enum class Spelling {
  kAscii,    // + - * / only
  kLenient,  // also x, X, U+00D7 and U+22C5 for *, U+00F7 for /, U+2212 for -
};

enum class TrailingEquals {
  kRefused,
  kAllowed,  // "(3*5)+2 = 17": what follows must be the target itself
};

struct CountdownOptions {
  AnswerPlace place = AnswerPlace::kTagOrBoxed;
  Spelling spelling = Spelling::kLenient;
  TrailingEquals trailing_equals = TrailingEquals::kRefused;
};

// Right or wrong, and why.
Judgement check_countdown(std::string_view answer, const tasks::CountdownKey& key,
                          const CountdownOptions& options = {});

// The prompt's answer key is in the form of tasks/countdown_key.h; undecided if it is not.
class CountdownReward : public Reward {
 public:
  explicit CountdownReward(const CountdownOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  CountdownOptions options_;
};

}  // namespace r1::rewards
