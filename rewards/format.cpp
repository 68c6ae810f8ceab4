#include "rewards/format.h"

#include "rewards/extract.h"

namespace r1::rewards {
namespace {

constexpr std::string_view kThinkBegin = "<think>", kThinkEnd = "</think>";
constexpr std::string_view kAnswerBegin = "<answer>", kAnswerEnd = "</answer>";

// Where `tag` stands if it stands exactly once.
std::optional<size_t> only_place(std::string_view text, std::string_view tag) {
  const auto first = text.find(tag);
  if (first == text.npos || first != text.rfind(tag)) return {};
  return first;
}

std::string_view between(std::string_view text, size_t begin, size_t end) { return text.substr(begin, end - begin); }

}  // namespace

std::optional<ParsedReply> parse_reply(std::string_view reply, const FormatOptions& options) {
  size_t think = 0, before = 0;
  if (options.opening == ThinkOpening::kInPrompt) {
    if (reply.find(kThinkBegin) != reply.npos) return {};
  } else {
    const auto place = only_place(reply, kThinkBegin);
    if (!place) return {};
    before = *place;
    think = *place + kThinkBegin.size();
  }
  const auto think_end = only_place(reply, kThinkEnd);
  const auto answer_begin = only_place(reply, kAnswerBegin);
  const auto answer_end = only_place(reply, kAnswerEnd);
  if (!think_end || !answer_begin || !answer_end) return {};
  if (think > *think_end || *think_end > *answer_begin || *answer_begin > *answer_end) return {};

  const auto middle = *think_end + kThinkEnd.size(), answer = *answer_begin + kAnswerBegin.size();
  if (options.strictness == FormatStrictness::kStrict) {
    const bool has_more = !trimmed(reply.substr(0, before)).empty() ||
                          !trimmed(between(reply, middle, *answer_begin)).empty() ||
                          !trimmed(reply.substr(*answer_end + kAnswerEnd.size())).empty();
    if (has_more) return {};
  }
  return ParsedReply{between(reply, think, *think_end), between(reply, answer, *answer_end)};
}

Score FormatReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  auto options = options_;
  if (options.opening == ThinkOpening::kFromPrompt && trimmed(prompt.text).ends_with(kThinkBegin)) {
    options.opening = ThinkOpening::kInPrompt;
  }
  if (parse_reply(completion, options)) return to_score({.verdict = Verdict::kRight});
  return to_score({.verdict = Verdict::kWrong, .detail = "not one think block followed by one answer block"});
}

}  // namespace r1::rewards
