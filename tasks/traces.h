#pragma once
// The quickstart's pretraining corpus (docs/architecture.md section 8, "Base policy"): synthetic searches for a
// countdown question's solution. Arithmetic in them is always right; whether they search long enough is what RL will
// change.
//
//   3 5 2 = 17
//   <think>3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 yes</think><answer>(3*5)+2</answer>

#include <cstdint>
#include <string>
#include <vector>

#include "tasks/countdown.h"

namespace r1::tasks {

enum class OperandOrder {
  kPool,    // + and * name the newest result first, then numbers as the question gives them
  kRandom,  // either order
};

enum class Repeats { kAllowed, kNever };

struct TraceOptions {
  CountdownOptions countdown;

  // A trace makes at most T attempts; T is attempts[i] with probability proportional to attempt_weights[i].
  std::vector<int> attempts = {1, 2, 4, 8};
  std::vector<double> attempt_weights = {0.5, 0.2, 0.2, 0.1};
  double led_share = 0.15;              // of attempts is led to a solution; the others are random
  Repeats repeats = Repeats::kAllowed;  // kNever: no two attempts of a trace make the same steps
  OperandOrder operand_order = OperandOrder::kPool;

  // The words around attempts.
  std::string begin = "<think>";
  std::string step_separator = ", ";
  std::string retry = " no wait ";  // after a failed attempt that another follows
  std::string success = " yes";     // after an attempt that reaches the target
  std::string give_up = " no";      // after the last attempt, if it fails
  std::string begin_answer = "</think><answer>";
  std::string end = "</answer>";
};

void validate(const TraceOptions& options);

struct Trace {
  std::string prompt;      // as countdown_prompt() writes it
  std::string completion;  // from options.begin to options.end
  int num_attempts = 0;
  bool is_solved = false;  // the answer is right
};

// Traces by index: pure functions of (options, seed, index) over Split::kTrain, so no held-out instance is ever in
// them. Thread-safe.
class TraceMaker {
 public:
  TraceMaker(TraceOptions options, uint64_t seed);
  Trace make(uint64_t index) const;
  const TraceOptions& options() const { return options_; }

 private:
  TraceOptions options_;
  uint64_t seed_;
  double weight_sum_ = 0;
};

}  // namespace r1::tasks
