#include "rewards/math_reward.h"

#include <utility>

namespace r1::rewards {

Score MathReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  auto found = math::judge_math(completion, prompt.answer, options_);
  auto verdict = Verdict::kUndecided;
  if (found.verdict == math::MathVerdict::kEqual) verdict = Verdict::kRight;
  if (found.verdict == math::MathVerdict::kDifferent || found.fault == math::Fault::kAnswer) verdict = Verdict::kWrong;
  auto score = to_score({verdict, std::move(found.reason)});
  score.answer = std::move(found.answer);
  return score;
}

}  // namespace r1::rewards
