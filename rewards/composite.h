#pragma once
// A reward as a weighted sum of named parts: R1-Zero's is accuracy + format with equal weights (DeepSeek-R1,
// arXiv:2501.12948v2, Eq. 4; the paper gives no scale for either).

#include <memory>
#include <string>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct Part {
  std::string name;  // in Score::parts
  double weight = 1;
  std::unique_ptr<const Reward> reward;
};

// The first part judges the answer: its verdict and detail are the whole's, and if it is undecided the value is 0. A
// cancelled sample is undecided without a look at its text.
class Composite : public Reward {
 public:
  // Throws Error if there is no part, a name stands twice, or a weight is not finite.
  explicit Composite(std::vector<Part> parts);
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  std::vector<Part> parts_;
};

}  // namespace r1::rewards
