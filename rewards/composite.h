#pragma once
// A reward as a weighted sum of named parts: R1-Zero's is accuracy + format with equal weights (DeepSeek-R1,
// arXiv:2501.12948v2, Eq. 4; the paper gives no scale for either), R1's last stage adds preference and language rewards
// (Eq. 8-10), the former in its last 400 steps only (B.5).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct Part {
  std::string name;   // in Score::parts
  double weight = 1;  // where no rule says otherwise
  std::unique_ptr<const Reward> reward;
};

// A weight for some prompts and some steps. Of several rules that fit, the last one counts.
struct WeightRule {
  std::string part;
  std::string task;                  // empty: of every task
  std::string source;                // empty: of every data set (Prompt::source)
  int64_t first_step = 0;            // below 0: counted from the end of the stage, so -400 begins 400 steps before it
  std::optional<int64_t> last_step;  // inclusive; below 0 likewise: -1 is the last step
  double weight = 0;
  int64_t ramp_steps = 0;  // > 0: over so many steps the weight goes linearly from what it was before this rule
};

// The first part judges the answer: its verdict and detail are the whole's, and if it is undecided the value is 0 and
// there are no parts. A part behind it whose own verdict is undecided (a length nobody knows) is left out, with its
// reason, and so is one whose weight is 0. A cancelled sample is undecided without a look at its text.
class Composite : public Reward {
 public:
  // Throws Error if there is no part, a name stands twice, a weight is not finite, or a rule names no part.
  explicit Composite(std::vector<Part> parts, std::vector<WeightRule> rules = {});
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override {
    return score_reply(prompt, {.text = completion, .finish = finish});
  }
  Score score_reply(const Prompt& prompt, const Reply& reply) const override;

  // The weight of part number `part` for this prompt at this step.
  double weight_of(size_t part, const Prompt& prompt, const StepContext& context) const;

 private:
  struct Rule {
    WeightRule rule;
    size_t part;
  };
  std::vector<Part> parts_;
  std::vector<Rule> rules_;
};

}  // namespace r1::rewards
