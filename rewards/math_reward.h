#pragma once
// Mathematical answers (rewards/math/judge.h) as a reward: 1 if the completion's final answer is proved equal to the
// key.
//
// A completion cannot buy itself out of being wrong: an answer that costs more than it may is wrong. Undecided are keys
// that cannot be read, and answers of which neither equality nor difference can be proved.

#include "rewards/math/judge.h"
#include "rewards/reward.h"

namespace r1::rewards {

class MathReward : public Reward {
 public:
  explicit MathReward(const math::MathOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  math::MathOptions options_;
};

}  // namespace r1::rewards
