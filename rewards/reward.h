#pragma once
// The seam of this folder: what says how good a completion is. docs/architecture.md section 3.

#include <string_view>

#include "core/types.h"

namespace r1::rewards {

// Pure and thread-safe. Total: whatever a model writes gets a Score and never an error; kUndecided is for what is no
// fault of the completion (an unreadable answer key, an unknown task), so a completion cannot buy itself out of being
// wrong.
class Reward {
 public:
  virtual ~Reward() = default;
  virtual Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const = 0;
};

// What a checker of one kind of answer found.
struct Judgement {
  Verdict verdict = Verdict::kWrong;
  std::string detail;
};

// Value 1 for right, 0 for wrong and undecided.
Score to_score(Judgement judgement);

}  // namespace r1::rewards
