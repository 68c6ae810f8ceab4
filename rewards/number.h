#pragma once
// Numeric answers, compared exactly as fractions: no floating point, so 0.1 + 0.2 is 0.3 and 1/3 is not 0.333.
//
// A number is an optional sign and one of
//   12  007  1,234,567  1{,}234  3.50  .5  5.  1.5e-3     (commas in groups of three only)
//   3/4  1.5/2  \frac{3}{4}  \dfrac{-3}{4}  \tfrac34
// maybe within $...$, \(...\), \[...\] or **...**, maybe before a full stop. A percent sign (% or \%) is read only if
// the answer key has one: for the key "25%" the answers 25%, 25 and 0.25 are right. Nothing else is a number: no units,
// no words, no "x = 5", no other digits than 0-9.

#include <string_view>

#include "rewards/extract.h"
#include "rewards/reward.h"

namespace r1::rewards {

enum class Reading {
  kExact,       // the answer is a number and nothing else
  kLastNumber,  // the last number in the answer's text counts: "The answer is 12 apples." is 12
};

enum class SeveralBoxes {
  kLast,      // the last of several \boxed{...} counts
  kAllAgree,  // they must all be right
};

struct NumberOptions {
  AnswerPlace place = AnswerPlace::kTagOrBoxed;
  Reading reading = Reading::kExact;
  SeveralBoxes several_boxes = SeveralBoxes::kLast;
};

// Right, wrong, or undecided if `gold` is no number; and why.
Judgement check_number(std::string_view answer, std::string_view gold, Reading reading = Reading::kExact);

// Score::answer is the number in lowest terms: 0.5, 2/4 and \frac{1}{2} vote for "1/2".
class NumberReward : public Reward {
 public:
  explicit NumberReward(const NumberOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  Judgement judge(std::string_view completion, std::string_view gold) const;
  NumberOptions options_;
};

}  // namespace r1::rewards
