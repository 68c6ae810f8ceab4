#include "rewards/number.h"

#include <fmt/format.h>

#include <string>

#include "core/log.h"
#include "rewards/number_parser.h"

namespace r1::rewards {
namespace {

constexpr size_t kMaxShown = 60;

std::string shown(std::string_view text) {
  return log::printable(text.size() <= kMaxShown ? text : std::string(text.substr(0, kMaxShown)) + "...");
}

// 25% is right as 25%, as 25 (the question asks for percent) and as 0.25.
bool matches_percent(const Number& answer, const Number& gold) {
  if (answer == gold) return true;
  const Number share{.numerator = gold.numerator, .denominator = gold.denominator * 100};
  return !answer.has_percent && answer == share;
}

}  // namespace

Judgement check_number(std::string_view answer, std::string_view gold_text, Reading reading) {
  const auto gold = parse_number(gold_text);
  if (!gold) return {Verdict::kUndecided, fmt::format("the answer key '{}' is no number", shown(gold_text))};
  const auto number = reading == Reading::kExact ? parse_number(answer) : find_last_number(answer);
  if (!number) return {Verdict::kWrong, fmt::format("'{}' is no number", shown(answer))};
  Judgement judgement{.verdict = Verdict::kWrong, .answer = lowest_terms(*number)};
  if (number->has_percent && !gold->has_percent) {
    judgement.detail = "a percent sign that the key does not have";
  } else if (gold->has_percent ? matches_percent(*number, *gold) : *number == *gold) {
    judgement.verdict = Verdict::kRight;
  } else {
    judgement.detail = fmt::format("'{}' is not '{}'", shown(answer), shown(gold_text));
  }
  return judgement;
}

Judgement NumberReward::judge(std::string_view completion, std::string_view gold) const {
  const auto answer = find_answer(completion, options_.place);
  if (!answer) {
    const auto key = check_number("", gold);  // an unreadable key is undecided whatever was answered
    return key.verdict == Verdict::kUndecided ? key : Judgement{Verdict::kWrong, "there is no answer"};
  }
  if (options_.several_boxes == SeveralBoxes::kAllAgree && options_.place != AnswerPlace::kTag) {
    for (const auto box : boxed_contents(after_thinking(completion))) {
      const auto judgement = check_number(box, gold, options_.reading);
      if (judgement.verdict != Verdict::kRight) return judgement;
    }
  }
  return check_number(*answer, gold, options_.reading);
}

Score NumberReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  return to_score(judge(completion, prompt.answer));
}

}  // namespace r1::rewards
