#pragma once
// The reward of the task "code": a program's results on tests, run in the sandbox. docs/rewards_code.md.

#include <memory>
#include <mutex>

#include "core/config.h"
#include "rewards/code/judge.h"
#include "rewards/reward.h"

namespace r1::rewards {

struct CodeOptions {
  code::JudgeOptions judge;
};

// Keys of [rewards]: code_credit ("binary", "fractional"), code_isolation ("full", "unsafe": r1 rl's --unsafe),
// code_cpu_ms, code_wall_ms, code_memory_mb, code_python, code_cpp, code_slots. Throws Error for values that cannot
// work.
CodeOptions read_code_options(const ConfigTable& table, CodeOptions defaults = {});

// Prompt::answer holds the tests (rewards/code/tests.h); the language stands there, or as "language" in metadata_json,
// else it is Python. Undecided: tests that cannot be read, and a sandbox that fails or that this machine does not
// allow. Score::answer is what the program did: the finding and the number of cases passed.
class CodeReward : public Reward {
 public:
  explicit CodeReward(CodeOptions options) : options_(std::move(options)) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  // Starts nothing before the first program is there to be judged.
  code::Judge& judge() const;

  const CodeOptions options_;
  mutable std::once_flag is_made_, has_warned_;
  mutable std::unique_ptr<code::Judge> judge_;
};

}  // namespace r1::rewards
