#pragma once
// Rewards over the length of a completion in tokens.

#include <cstdint>

#include "rewards/reward.h"

namespace r1::rewards {

// DAPO's soft overlong punishment (arXiv:2503.14476, Eq. 13): 0 up to max_new_tokens - soft_tokens, then linearly down
// to -1 at max_new_tokens and beyond. Throws nothing; soft_tokens <= 0 is 0 everywhere.
double soft_overlong(int64_t num_tokens, int64_t max_new_tokens, int64_t soft_tokens);

// Undecided where the completion's length or its limit is unknown.
class OverlongReward : public Reward {
 public:
  explicit OverlongReward(int64_t soft_tokens) : soft_tokens_(soft_tokens) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override {
    return score_reply(prompt, {.text = completion, .finish = finish});
  }
  Score score_reply(const Prompt& prompt, const Reply& reply) const override;

 private:
  int64_t soft_tokens_;
};

// The cosine length reward of "Demystifying Long Chain-of-Thought Reasoning" (arXiv:2502.03373, Eq. 1): right answers
// are worth the more the shorter they are, wrong ones the less the shorter they are, so that giving up early does not
// pay. The defaults keep every right answer above every wrong one, which validate() demands.
struct CosineOptions {
  double right_short = 1.0;   // at length 0
  double right_long = 0.5;    // at max_tokens
  double wrong_short = -1.0;  // at length 0
  double wrong_long = -0.5;   // at max_tokens
  double exceeded = -1.0;     // cut off by the limit
  int64_t max_tokens = 0;     // 0: the limit that the completion was sampled under
};

// Throws Error for bounds in an order that would pay for being wrong, or for being cut off.
void validate(const CosineOptions& options);

double cosine_length(int64_t num_tokens, int64_t max_tokens, Verdict verdict, const CosineOptions& options);

// Undecided where the length, its limit or the answer's verdict is unknown.
class CosineReward : public Reward {
 public:
  explicit CosineReward(const CosineOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override {
    return score_reply(prompt, {.text = completion, .finish = finish});
  }
  Score score_reply(const Prompt& prompt, const Reply& reply) const override;

 private:
  CosineOptions options_;
};

}  // namespace r1::rewards
