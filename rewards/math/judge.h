#pragma once
// Whether a completion's final answer equals an answer key: docs/rewards_math.md says what counts as equal. Exact,
// bounded and explained: "equal" and "different" are proved, the rest is "undecided".
//
//   const auto judgement = judge_math(R"(Thus \boxed{\frac{\sqrt{2}}{2}}.)", "1/\\sqrt{2}");
//   judgement.verdict == MathVerdict::kEqual

#include <string>
#include <string_view>

#include "rewards/extract.h"

namespace r1::rewards::math {

enum class MathVerdict { kEqual, kDifferent, kUndecided };
std::string_view to_string(MathVerdict verdict);

// Whose doing an undecided verdict is.
enum class Fault {
  kNone,
  kKey,         // the key cannot be read, or has no value, or costs too much
  kAnswer,      // the answer costs more than it may
  kComparison,  // both are fine, but neither equality nor difference could be proved
};

struct MathOptions {
  AnswerPlace place = AnswerPlace::kAnywhere;
};

struct MathJudgement {
  MathVerdict verdict = MathVerdict::kUndecided;
  Fault fault = Fault::kNone;
  std::string reason;      // why, for a person; empty for equal
  std::string answer;      // what was found, normalised for majority votes; empty if nothing was found
  std::string_view place;  // where it was found, see answer.h
};

// Pure and thread-safe. Ends within about 100 ms for any input, and keeps a few MiB at most beyond the input.
MathJudgement judge_math(std::string_view completion, std::string_view gold, const MathOptions& options = {});

// The same for an answer that has been cut out already.
MathJudgement judge_answer(std::string_view answer, std::string_view gold);

// A sentence on what the build lacks; empty if it has all.
std::string_view missing_abilities();

}  // namespace r1::rewards::math
