#pragma once
// Multiple choice: one of the options A, B, C, ..., by its letter or by its content (GPQA and its kin; R1 trains on 4
// to 8 options).
//
// Keys: the letter, "B", or {"letter": "B", "options": ["3 m", "4 m", ...]}; options may also stand in the prompt's
// metadata as "options" or "choices", an array or {"A": ..., "B": ...}.
//
// Answers: "B", "(B)", "B.", "**B**", "\text{B}", "option B", "the answer is B"; where the options are known, also the
// content of one, alone or behind its letter ("B) 4 m"), which must then be that letter's. A lone lower-case letter is
// one too. Two letters, a letter with another option's content, letters of other alphabets: wrong.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/extract.h"
#include "rewards/reward.h"

namespace r1::rewards {

struct ChoiceOptions {
  AnswerPlace place = AnswerPlace::kTagOrBoxed;
};

struct ChoiceKey {
  char letter = 'A';                 // 'A' to 'Z'
  std::vector<std::string> options;  // by letter; empty: unknown
};

// Nothing if `answer` is no key: no letter, a letter beyond the options, two options that read the same.
std::optional<ChoiceKey> parse_choice_key(std::string_view answer, std::string_view metadata_json = "{}");

// The letter that an answer chooses; nothing if it chooses none, or more than one.
std::optional<char> chosen_letter(std::string_view answer, const ChoiceKey& key);

// Score::answer is the letter chosen.
class ChoiceReward : public Reward {
 public:
  explicit ChoiceReward(const ChoiceOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  ChoiceOptions options_;
};

}  // namespace r1::rewards
