#include "rewards/format.h"

#include <algorithm>
#include <vector>

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

int64_t num_visible(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
}

// The tags that the reply itself must hold, in their order.
std::vector<std::string_view> tags_of(const FormatOptions& options) {
  std::vector<std::string_view> tags;
  if (options.opening != ThinkOpening::kInPrompt) tags.push_back(kThinkBegin);
  tags.push_back(kThinkEnd);
  if (options.structure == FormatStructure::kThinkAnswer) tags.insert(tags.end(), {kAnswerBegin, kAnswerEnd});
  return tags;
}

// Where each tag stands; nothing unless each stands once, behind the one before it.
std::optional<std::vector<size_t>> places_in_order(std::string_view reply, const std::vector<std::string_view>& tags) {
  std::vector<size_t> places;
  size_t least = 0;
  for (const auto tag : tags) {
    const auto place = only_place(reply, tag);
    if (!place || *place < least) return {};
    places.push_back(*place);
    least = *place + tag.size();
  }
  return places;
}

}  // namespace

std::optional<ParsedReply> parse_reply(std::string_view reply, const FormatOptions& options) {
  const bool is_opened = options.opening == ThinkOpening::kInPrompt;
  if (is_opened && reply.find(kThinkBegin) != reply.npos) return {};
  const auto tags = tags_of(options);
  const auto places = places_in_order(reply, tags);
  if (!places) return {};
  const size_t end_tag = is_opened ? 0 : 1;  // of kThinkEnd among the tags
  const size_t think = is_opened ? 0 : (*places)[0] + kThinkBegin.size();
  const size_t middle = (*places)[end_tag] + kThinkEnd.size();
  ParsedReply parsed{between(reply, think, (*places)[end_tag]), trimmed(reply.substr(middle))};
  if (num_visible(parsed.think) < options.min_think_chars) return {};

  const auto before = is_opened ? std::string_view() : reply.substr(0, (*places)[0]);
  bool has_more = !trimmed(before).empty();
  if (options.structure == FormatStructure::kThinkAnswer) {
    const auto begin = (*places)[end_tag + 1], end = (*places)[end_tag + 2];
    parsed.answer = between(reply, begin + kAnswerBegin.size(), end);
    has_more |=
        !trimmed(between(reply, middle, begin)).empty() || !trimmed(reply.substr(end + kAnswerEnd.size())).empty();
  } else if (parsed.answer.empty()) {
    return {};
  }
  if (has_more && options.strictness == FormatStrictness::kStrict) return {};
  return parsed;
}

double format_value(std::string_view reply, const FormatOptions& options) {
  if (parse_reply(reply, options)) return 1;
  if (options.partial_credit <= 0) return 0;
  const auto tags = tags_of(options);
  size_t least = 0, num_good = 0;
  for (const auto tag : tags) {
    const auto place = only_place(reply, tag);
    if (!place || *place < least) continue;
    ++num_good;
    least = *place + tag.size();
  }
  return options.partial_credit * static_cast<double>(num_good) / static_cast<double>(tags.size());
}

std::string_view thinking_of(std::string_view reply) {
  const auto begin = reply.find(kThinkBegin), end = reply.find(kThinkEnd);
  if (begin != reply.npos && begin < end) reply.remove_prefix(begin + kThinkBegin.size());
  return reply.substr(0, reply.find(kThinkEnd));
}

Score FormatReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  auto options = options_;
  if (options.opening == ThinkOpening::kFromPrompt && trimmed(prompt.text).ends_with(kThinkBegin)) {
    options.opening = ThinkOpening::kInPrompt;
  }
  const double value = format_value(completion, options);
  if (value == 1) return to_score({.verdict = Verdict::kRight});
  const bool is_summary = options.structure == FormatStructure::kThinkSummary;
  return {.value = value,
          .verdict = Verdict::kWrong,
          .parts = {},
          .detail = is_summary ? "not one think block followed by a summary"
                               : "not one think block followed by one answer block"};
}

}  // namespace r1::rewards
