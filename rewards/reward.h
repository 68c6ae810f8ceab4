#pragma once
// The seam of this folder: what says how good a completion is. docs/architecture.md section 3.

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/types.h"

namespace r1::rewards {

// What holds for every completion of a step.
struct StepContext {
  int64_t step = 0;            // of training, from 0
  int64_t num_steps = 0;       // of the whole stage; 0: unknown, so that nothing counts from the end
  int64_t max_new_tokens = 0;  // the limit that the completions were sampled under; 0: unknown
};

// One completion, and what a reward may look at besides its text.
struct Reply {
  std::string_view text;
  FinishReason finish = FinishReason::kStop;
  std::optional<int64_t> num_tokens;  // nothing: unknown
  StepContext context;
  Verdict verdict = Verdict::kUndecided;  // of the answer; Composite sets it for the parts behind the first
};

// Pure and thread-safe. Total: whatever a model writes gets a Score and never an error; kUndecided is for what is no
// fault of the completion (an unreadable answer key, an unknown task), so a completion cannot buy itself out of being
// wrong.
class Reward {
 public:
  virtual ~Reward() = default;
  virtual Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const = 0;
  // The same for rewards that look at more than the text (lengths, schedules); by default score() of the text.
  virtual Score score_reply(const Prompt& prompt, const Reply& reply) const {
    return score(prompt, reply.text, reply.finish);
  }
};

// What a checker of one kind of answer found.
struct Judgement {
  Verdict verdict = Verdict::kWrong;
  std::string detail = {};
  std::string answer = {};  // Score::answer
};

// Value 1 for right, 0 for wrong and undecided.
Score to_score(Judgement judgement);

}  // namespace r1::rewards
