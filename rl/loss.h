#pragma once
// Policy-gradient losses of the GRPO family as one function of tensors: no model, no optimizer, no I/O. Each option names
// its paper. Tokens are packed: no padding, no masks.
//
// Shape letters: K = completion tokens of a micro-batch, N = completions in it.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"

namespace r1::rl {

enum class LossKind {
  kClip,   // min(ratio A, clip(ratio) A): PPO/GRPO, arXiv:2402.03300 Eq. 3
  kCispo,  // clipped ratio as a constant weight on log-prob: arXiv:2506.13585
  kSapo,   // soft adaptive gate: arXiv:2511.20347
  kVespo,  // gamma weight of the whole completion's ratio, as TRL 1.16 defines it
};
enum class Aggregation {
  kSequenceMean,  // mean over completions of each one's mean over its tokens: GRPO
  kTokenMean,     // sum / number of completion tokens in the whole batch: DAPO
  kConstant,      // sum / (completions * max_new_tokens): Dr. GRPO
  kLengthWeighted,  // LUSPO: sum of each completion over its tokens / number of completions
};
enum class RatioLevel { kToken, kSequence };  // kSequence: GSPO, arXiv:2507.18071: exp of the mean log-ratio
enum class KlEstimator { kK1, kK2, kK3 };     // Schulman's estimators; R1 uses k3 (Eq. 2)
enum class KlPlace { kLoss, kReward };
// What to do where the distribution that sampled differs from the trainer's own old policy (another engine, truncated
// sampling, stale weights): weight by min(w, bound), or drop tokens outside [low, bound]. w = exp(old - sampling).
enum class Mismatch { kNone, kTruncate, kMask };

struct LossConfig {
  LossKind kind = LossKind::kClip;
  Aggregation aggregation = Aggregation::kTokenMean;
  RatioLevel ratio_level = RatioLevel::kToken;
  double clip_low = 0.2, clip_high = 0.2;  // epsilons below and above 1 (DAPO's clip-higher); R1's epsilon is 10
  double dual_clip = 0;                    // > 1: caps the ratio in the unclipped term (TRL's delta); 0: off
  double kl_coef = 0;                      // beta; R1: 0.001
  KlEstimator kl_estimator = KlEstimator::kK3;
  KlPlace kl_place = KlPlace::kLoss;
  bool corrects_kl_bias = false;           // weights the KL term by the ratio
  double entropy_coef = 0;                 // > 0 rewards entropy
  Mismatch mismatch = Mismatch::kNone;
  double mismatch_low = 0, mismatch_bound = 2;
  double off_policy_threshold = 0;         // > 0: drops completions with A < 0 whose mean old - new exceeds it
  double sapo_temperature_positive = 1.0, sapo_temperature_negative = 1.05;
  double vespo_k_positive = 2.0, vespo_lambda_positive = 3.0, vespo_k_negative = 3.0, vespo_lambda_negative = 2.0;
};
LossConfig read_loss(const ConfigTable& table, const LossConfig& defaults);
void validate(const LossConfig& config, const std::string& where);

// All [K] float32 unless said otherwise; log-probs are natural.
struct LossInputs {
  at::Tensor logp;           // under the policy being trained; carries the gradient
  at::Tensor entropy;        // of each token's distribution; may carry the gradient; undefined if entropy_coef is 0
  at::Tensor old_logp;       // under the policy before this batch's first update (same code as logp); no gradient
  at::Tensor sampling_logp;  // under the distribution drawn from; only for `mismatch`, else may be undefined
  at::Tensor ref_logp;       // under the reference policy; only if kl_coef != 0, else may be undefined
  std::vector<int64_t> offsets;  // N + 1: completion i is tokens offsets[i] .. offsets[i+1]; empty completions are allowed
  at::Tensor advantage;      // [N]
};

// Sizes of the whole update batch of which the inputs are a part: the sum of micro-batch losses is the batch's loss.
struct LossBatch {
  int64_t num_completions = 0;
  int64_t num_tokens = 0;
  int64_t max_new_tokens = 0;
};

struct LossOutput {
  at::Tensor loss;  // [] to minimise; carries the gradient
  // Sums over this part, without gradient: "tokens", "clip_low", "clip_high" (tokens whose ratio left the trust region on
  // that side with the sign of advantage that makes it matter), "kl", "entropy", "ratio", "log_ratio_sq", "masked"; and
  // "max_log_ratio" (a maximum). Divide by "tokens".
  std::map<std::string, double> sums;
};
LossOutput policy_loss(const LossInputs& inputs, const LossConfig& config, const LossBatch& batch);

// Per-token KL(policy || reference) estimates, [K]. For KlPlace::kReward the caller subtracts kl_coef times their sum from
// each completion's reward.
at::Tensor kl_estimate(const at::Tensor& logp, const at::Tensor& ref_logp, KlEstimator estimator);

}  // namespace r1::rl
