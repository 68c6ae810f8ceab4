#pragma once
// Answers that are words: equal to the key but for blanks at both ends.

#include <string_view>

#include "rewards/extract.h"
#include "rewards/reward.h"

namespace r1::rewards {

enum class LetterCase { kExact, kIgnored };  // kIgnored: A-Z equal a-z; other letters stay exact

struct TextOptions {
  AnswerPlace place = AnswerPlace::kTagOrBoxed;
  LetterCase letter_case = LetterCase::kExact;
};

bool texts_match(std::string_view answer, std::string_view gold, LetterCase letter_case);

// Undecided if the answer key is blank.
class TextReward : public Reward {
 public:
  explicit TextReward(const TextOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  TextOptions options_;
};

}  // namespace r1::rewards
