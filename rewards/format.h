#pragma once
// Format reward of DeepSeek-R1 (arXiv:2501.12948v1) Sec. 2.2.2: the reply keeps its reasoning and its answer in their
// tags.

#include <optional>
#include <string_view>

#include "rewards/reward.h"

namespace r1::rewards {

enum class FormatStrictness {
  kStrict,   // nothing but blanks around and between the two blocks
  kLenient,  // other text may stand around and between them
};

enum class ThinkOpening {
  kInReply,     // the reply writes <think> itself
  kInPrompt,    // the prompt ends with <think>, and the reply does not repeat it
  kFromPrompt,  // kInPrompt for prompts that end with <think>, else kInReply
};

struct FormatOptions {
  FormatStrictness strictness = FormatStrictness::kStrict;
  ThinkOpening opening = ThinkOpening::kFromPrompt;
};

// The reply's two parts, as views into it, without their tags.
struct ParsedReply {
  std::string_view think;
  std::string_view answer;
};

// Splits "<think>...</think> <answer>...</answer>": each of the four tags exactly once, in this order. A reply of any
// other form is no error: it is what an untrained policy writes, so the result is empty. kFromPrompt counts as
// kInReply.
std::optional<ParsedReply> parse_reply(std::string_view reply, const FormatOptions& options = {});

// 1 if parse_reply() finds both blocks, else 0.
class FormatReward : public Reward {
 public:
  explicit FormatReward(const FormatOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  FormatOptions options_;
};

}  // namespace r1::rewards
