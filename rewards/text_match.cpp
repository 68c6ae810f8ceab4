#include "rewards/text_match.h"

#include <algorithm>

namespace r1::rewards {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool texts_match(std::string_view answer, std::string_view gold, LetterCase letter_case) {
  answer = trimmed(answer);
  gold = trimmed(gold);
  if (letter_case == LetterCase::kExact) return answer == gold;
  return std::equal(answer.begin(), answer.end(), gold.begin(), gold.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

Score TextReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  if (trimmed(prompt.answer).empty()) return to_score({Verdict::kUndecided, "the answer key is blank"});
  const auto answer = find_answer(completion, options_.place);
  if (!answer) return to_score({Verdict::kWrong, "there is no answer"});
  const bool is_right = texts_match(*answer, prompt.answer, options_.letter_case);
  auto score =
      to_score({is_right ? Verdict::kRight : Verdict::kWrong, is_right ? "" : "the answer is not the key's text"});
  score.answer = vote_text(*answer);
  if (options_.letter_case == LetterCase::kIgnored) std::ranges::transform(score.answer, score.answer.begin(), lower);
  return score;
}

}  // namespace r1::rewards
