#pragma once
// A penalty for text that repeats itself: the share of word n-grams that came before (the form of arXiv:2502.03373,
// App. C.5, over the whole completion).

#include <cstdint>
#include <string_view>

#include "rewards/reward.h"

namespace r1::rewards {

struct RepetitionOptions {
  int64_t ngram = 6;        // words; reasoning repeats short phrases rightly
  double free_share = 0.1;  // of n-grams that may repeat without a penalty, in [0, 1)
};

// Throws Error for n-grams of no word or a share outside [0, 1).
void validate(const RepetitionOptions& options);

// 1 - (different n-grams) / (n-grams), in [0, 1); 0 for a text of fewer than two n-grams. Words are runs of letters,
// digits and marks in any case; a character of a script that writes without blanks is a word of its own, and so are
// signs, and the characters of a run above 32 bytes. Any bytes; linear.
double repeated_share(std::string_view text, int64_t ngram);

// 0 down to -1: minus the share above free_share, scaled so that a text that is all repetition is worth -1.
class RepetitionReward : public Reward {
 public:
  explicit RepetitionReward(const RepetitionOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  RepetitionOptions options_;
};

}  // namespace r1::rewards
