#pragma once
// Format reward of DeepSeek-R1 (arXiv:2501.12948v2, Sec. 2.2 and 2.3): the reply keeps its reasoning and its answer in
// their places. Linear in the length of the reply; no regular expressions.

#include <cstdint>
#include <optional>
#include <string_view>

#include "rewards/reward.h"

namespace r1::rewards {

enum class FormatStructure {
  kThinkAnswer,   // R1-Zero: <think>...</think> <answer>...</answer>, each of the four tags exactly once, in this order
  kThinkSummary,  // R1: <think>...</think>, each tag once, then a summary that is not blank
};

enum class FormatStrictness {
  kStrict,   // nothing but blanks before the reasoning, and around and between the two blocks
  kLenient,  // other text may stand there
};

enum class ThinkOpening {
  kInReply,     // the reply writes <think> itself
  kInPrompt,    // the prompt ends with <think>, and the reply does not repeat it
  kFromPrompt,  // kInPrompt for prompts that end with <think>, else kInReply
};

struct FormatOptions {
  FormatStructure structure = FormatStructure::kThinkAnswer;
  FormatStrictness strictness = FormatStrictness::kStrict;
  ThinkOpening opening = ThinkOpening::kFromPrompt;
  int64_t min_think_chars = 0;  // bytes other than blanks that the reasoning holds at least: 1 refuses an empty block
  // In [0, 1): what a reply is worth that is not of the form but has every tag once and in order; with fewer such tags,
  // their share of it. 0 pays for the whole form alone.
  double partial_credit = 0;
};

// The reply's two parts, as views into it, without their tags.
struct ParsedReply {
  std::string_view think;
  std::string_view answer;  // of kThinkSummary: the summary, trimmed
};

// A reply of any other form is no error: it is what an untrained policy writes, so the result is empty. kFromPrompt
// counts as kInReply.
std::optional<ParsedReply> parse_reply(std::string_view reply, const FormatOptions& options = {});

// 1 if parse_reply() finds both parts; else the partial credit: partial_credit * (tags that stand exactly once and
// behind all such tags before them) / (tags of the structure), without the tag that the prompt holds.
double format_value(std::string_view reply, const FormatOptions& options = {});

// The reasoning alone, whatever else is wrong with the reply: what stands between <think> (or the beginning) and the
// first </think> (or the end). For rewards over the chain of thought.
std::string_view thinking_of(std::string_view reply);

// format_value() of the reply; right or wrong as parse_reply() says.
class FormatReward : public Reward {
 public:
  explicit FormatReward(const FormatOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  FormatOptions options_;
};

}  // namespace r1::rewards
