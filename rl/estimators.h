#pragma once
// Figures of an evaluation with k samples per prompt: avg@k, pass@k and cons@k, each with a 95 % interval over prompts.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace r1::rl {

// What one prompt's samples came to.
struct PromptOutcome {
  std::vector<bool> is_right;        // per sample; undecided ones are left out
  std::vector<std::string> answers;  // per sample, the answer found; "" if none
};

// A mean over prompts with its interval: mean +- 1.96 standard errors of the prompts' values (samples of one prompt are not
// independent, so prompts are the unit: Miller, arXiv:2411.00640), within [0, 1].
struct Estimate {
  double value = 0, low = 0, high = 0;
  int64_t num_prompts = 0;
};
Estimate mean_over_prompts(std::span<const double> values);

// Share of right samples: the papers' pass@1 (DeepSeek-R1 section 3: mean correctness over k samples).
Estimate avg_at_k(std::span<const PromptOutcome> outcomes);

// Probability that at least one of k samples is right, without bias from n >= k samples of which c are right:
// 1 - C(n - c, k) / C(n, k) (arXiv:2107.03374 Eq. 1). Prompts with fewer than k samples are left out.
Estimate pass_at_k(std::span<const PromptOutcome> outcomes, int64_t k);

// Share of prompts whose most frequent answer is right; ties count as the share of right ones among the tied answers. Empty
// answers do not vote.
Estimate cons_at_k(std::span<const PromptOutcome> outcomes);

}  // namespace r1::rl
