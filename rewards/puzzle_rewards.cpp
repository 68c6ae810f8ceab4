#include "rewards/puzzle_rewards.h"

#include <fmt/format.h>

#include <string>

#include "rewards/countdown.h"
#include "rewards/puzzle/cryptarithm.h"
#include "rewards/puzzle/exact_json.h"
#include "rewards/puzzle/knights.h"
#include "rewards/puzzle/zebra.h"

namespace r1::rewards {
namespace {

Judgement undecided(std::string_view kind) {
  return {.verdict = Verdict::kUndecided, .detail = fmt::format("the answer key is no {}", kind)};
}

Judgement check_knights_text(std::string_view answer, std::string_view text) {
  const auto key = parse_knights_key(text);
  return key ? check_knights(answer, *key) : undecided("list of knights and knaves, and no statements of theirs");
}

Judgement check_zebra_text(std::string_view answer, std::string_view text) {
  const auto key = parse_zebra_key(text);
  return key ? check_zebra(answer, *key) : undecided("zebra puzzle");
}

Judgement check_cryptarithm_text(std::string_view answer, std::string_view text) {
  const auto key = parse_cryptarithm_key(text);
  return key ? check_cryptarithm(answer, *key) : undecided("cryptarithm");
}

// ```json ... ``` around the whole answer.
std::string_view without_fence(std::string_view text) {
  constexpr std::string_view kFence = "```";
  text = trimmed(text);
  if (!text.starts_with(kFence) || !text.ends_with(kFence) || text.size() < 2 * kFence.size()) return text;
  const auto line_end = text.find('\n');
  if (line_end == text.npos) return text;
  return trimmed(text.substr(line_end, text.size() - line_end - kFence.size()));
}

using Check = Judgement (*)(std::string_view answer, std::string_view key);

class PuzzleReward : public Reward {
 public:
  PuzzleReward(Check check, const PuzzleOptions& options) : check_(check), options_(options) {}

  Score score(const Prompt& prompt, std::string_view completion, FinishReason) const override {
    const auto answer = find_answer(completion, options_.place);
    if (answer) {
      auto judgement = check_(*answer, prompt.answer);
      judgement.answer = vote_text(without_fence(*answer));
      return to_score(std::move(judgement));
    }
    auto judgement = check_("", prompt.answer);  // tells an unreadable key
    if (judgement.verdict == Verdict::kWrong) judgement.detail = "there is no answer";
    return to_score(std::move(judgement));
  }

 private:
  Check check_;
  PuzzleOptions options_;
};

std::unique_ptr<Reward> make(Check check, const PuzzleOptions& options) {
  return std::make_unique<PuzzleReward>(check, options);
}

}  // namespace

Judgement check_game24(std::string_view answer, std::string_view text) {
  auto numbers = std::string(trimmed(text));
  if (numbers.starts_with('[') && numbers.ends_with(']')) {
    numbers = numbers.substr(1, numbers.size() - 2);
    for (auto& c : numbers) c = c == ',' ? ' ' : c;
  }
  const auto key = tasks::parse_key(numbers + " = 24 using + - * /");
  if (!key || key->numbers.empty()) return undecided("list of numbers for the 24 game");
  return check_countdown(answer, *key, {.trailing_equals = TrailingEquals::kAllowed});
}

Judgement check_json(std::string_view answer, std::string_view text) {
  const auto key = parse_exact_json(text);
  if (!key.value) return undecided("JSON document: " + key.problem);
  const auto given = parse_exact_json(without_fence(answer));
  if (!given.value) return {Verdict::kWrong, "the answer is no JSON document: " + given.problem};
  const auto difference = first_difference(*key.value, *given.value);
  if (difference.empty()) return {Verdict::kRight, ""};
  return {Verdict::kWrong, "it differs at " + difference.substr(0, 200)};
}

std::unique_ptr<Reward> make_game24(const PuzzleOptions& options) { return make(check_game24, options); }
std::unique_ptr<Reward> make_knights(const PuzzleOptions& options) { return make(check_knights_text, options); }
std::unique_ptr<Reward> make_zebra(const PuzzleOptions& options) { return make(check_zebra_text, options); }
std::unique_ptr<Reward> make_cryptarithm(const PuzzleOptions& options) { return make(check_cryptarithm_text, options); }
std::unique_ptr<Reward> make_exact_json(const PuzzleOptions& options) { return make(check_json, options); }

}  // namespace r1::rewards
