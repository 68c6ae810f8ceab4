#include "rewards/reward.h"

#include <utility>

namespace r1::rewards {

Score to_score(Judgement judgement) {
  return {.value = judgement.verdict == Verdict::kRight ? 1.0 : 0.0,
          .verdict = judgement.verdict,
          .detail = std::move(judgement.detail),
          .answer = std::move(judgement.answer)};
}

}  // namespace r1::rewards
