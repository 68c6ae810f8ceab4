#include "rl/loss.h"

#include <torch/torch.h>

#include <cmath>

#include "core/error.h"

namespace r1::rl {
namespace {

void check_shapes(const LossInputs& in, const LossConfig& config) {
  const auto k = in.logp.numel();
  const auto check = [&](const at::Tensor& t, std::string_view name, int64_t wanted) {
    if (!t.defined() || t.dim() != 1 || t.numel() != wanted) {
      throw Error("policy_loss", fmt::format("{} has {} values, wanted are {}", name, t.defined() ? t.numel() : 0, wanted),
                  "build the inputs with rl/policy_batch.h");
    }
  };
  check(in.old_logp, "old_logp", k);
  if (config.kl_coef != 0 && config.kl_place == KlPlace::kLoss) check(in.ref_logp, "ref_logp", k);
  if (config.mismatch != Mismatch::kNone) check(in.sampling_logp, "sampling_logp", k);
  if (config.entropy_coef != 0) check(in.entropy, "entropy", k);
  check(in.advantage, "advantage", std::ssize(in.offsets) - 1);
  if (in.offsets.empty() || in.offsets.back() != k) {
    throw Error("policy_loss", "offsets do not end at the number of tokens", "build the inputs with rl/policy_batch.h");
  }
}

// Which completion a token belongs to, and sums over completions.
class Segments {
 public:
  explicit Segments(const std::vector<int64_t>& offsets) : num_(std::ssize(offsets) - 1) {
    std::vector<int64_t> owner, length;
    for (int64_t i = 0; i < num_; ++i) {
      owner.insert(owner.end(), offsets[i + 1] - offsets[i], i);
      length.push_back(offsets[i + 1] - offsets[i]);
    }
    owner_ = torch::tensor(owner, at::kLong);
    length_ = torch::tensor(length, at::kLong).to(at::kFloat).clamp_min(1);
  }
  at::Tensor sum(const at::Tensor& x_K) const { return torch::zeros({num_}, x_K.options()).index_add(0, owner_, x_K); }
  at::Tensor mean(const at::Tensor& x_K) const { return sum(x_K) / length_; }
  at::Tensor spread(const at::Tensor& x_N) const { return x_N.index_select(0, owner_); }

 private:
  int64_t num_;
  at::Tensor owner_, length_;
};

// VESPO's weight of a completion: phi(w) = e^lambda w^k e^(-lambda w), w the ratio of the whole completion; in log space.
at::Tensor vespo_weight(const at::Tensor& log_ratio_K, const at::Tensor& advantage_N, const Segments& segments,
                        const LossConfig& c) {
  const auto log_w = segments.sum(log_ratio_K.detach().clamp(-20.0, 20.0)).clamp(std::log(1e-8), 20.0);
  const auto is_positive = advantage_N >= 0;
  const auto k = at::where(is_positive, torch::full({}, c.vespo_k_positive), torch::full({}, c.vespo_k_negative));
  const auto lambda = at::where(is_positive, torch::full({}, c.vespo_lambda_positive), torch::full({}, c.vespo_lambda_negative));
  return (lambda + k * log_w - lambda * log_w.exp()).exp().nan_to_num(0.0, 0.0, 0.0);
}

// The policy term of every token, before weights and aggregation, [K].
at::Tensor policy_term(const LossInputs& in, const LossConfig& c, const at::Tensor& log_ratio, const at::Tensor& ratio,
                       const at::Tensor& advantage_K, const Segments& segments) {
  switch (c.kind) {
    case LossKind::kCispo: return -ratio.clamp_max(1 + c.clip_high).detach() * advantage_K * in.logp;
    case LossKind::kSapo: {
      const auto t = at::where(advantage_K > 0, torch::full({}, c.sapo_temperature_positive),
                               torch::full({}, c.sapo_temperature_negative));
      return -at::sigmoid(t * (ratio - 1)) * 4 / t * advantage_K;
    }
    case LossKind::kVespo: return -segments.spread(vespo_weight(log_ratio, in.advantage, segments, c)) * advantage_K * in.logp;
    case LossKind::kClip: break;
  }
  const auto clipped = ratio.clamp(1 - c.clip_low, 1 + c.clip_high);
  const auto unclipped = c.dual_clip > 0 ? ratio.clamp_max(c.dual_clip) : ratio;
  return -at::minimum(unclipped * advantage_K, clipped * advantage_K);
}

// Weights that correct for where and when the tokens were sampled, [K], without gradient; undefined: all 1.
at::Tensor correction(const LossInputs& in, const LossConfig& c, const Segments& segments) {
  at::Tensor weight;
  if (c.mismatch != Mismatch::kNone) {
    const auto w = (in.old_logp - in.sampling_logp).exp();
    weight = c.mismatch == Mismatch::kTruncate ? w.clamp_max(c.mismatch_bound)
                                               : w * ((w >= c.mismatch_low) & (w <= c.mismatch_bound));
  }
  if (c.off_policy_threshold > 0) {  // DeepSeek-V3.2's off-policy sequence mask
    const auto drift = segments.mean(in.old_logp - in.logp.detach());
    const auto keep = segments.spread(((in.advantage >= 0) | (drift <= c.off_policy_threshold)).to(at::kFloat));
    weight = weight.defined() ? weight * keep : keep;
  }
  return weight;
}

at::Tensor aggregate(const at::Tensor& term_K, const LossConfig& c, const LossBatch& batch, const Segments& segments) {
  const auto completions = static_cast<double>(std::max<int64_t>(1, batch.num_completions));
  switch (c.aggregation) {
    case Aggregation::kSequenceMean: return segments.mean(term_K).sum() / completions;
    case Aggregation::kTokenMean: return term_K.sum() / static_cast<double>(std::max<int64_t>(1, batch.num_tokens));
    case Aggregation::kConstant: return term_K.sum() / (completions * static_cast<double>(std::max<int64_t>(1, batch.max_new_tokens)));
    case Aggregation::kLengthWeighted: return term_K.sum() / completions;
  }
  return {};
}

std::map<std::string, double> sums(const LossInputs& in, const LossConfig& c, const at::Tensor& ratio,
                                   const at::Tensor& advantage_K, const at::Tensor& kl, const at::Tensor& weight) {
  at::NoGradGuard no_grad;
  const auto total = [](const at::Tensor& t) { return t.sum(at::kDouble).item<double>(); };
  const auto log_ratio = in.logp - in.old_logp;
  std::map<std::string, double> out{
      {"tokens", static_cast<double>(in.logp.numel())},
      {"ratio", total(ratio)},
      {"log_ratio_sq", total(log_ratio.square())},
      {"clip_low", total((ratio < 1 - c.clip_low) & (advantage_K < 0))},
      {"clip_high", total((ratio > 1 + c.clip_high) & (advantage_K > 0))},
      {"max_log_ratio", in.logp.numel() > 0 ? log_ratio.abs().max().item<double>() : 0.0},
  };
  if (kl.defined()) out["kl"] = total(kl);
  if (in.entropy.defined()) out["entropy"] = total(in.entropy);
  if (weight.defined()) out["masked"] = total(weight == 0);
  return out;
}

}  // namespace

at::Tensor kl_estimate(const at::Tensor& logp, const at::Tensor& ref_logp, KlEstimator estimator) {
  const auto log_r = ref_logp - logp;  // log(pi_ref / pi)
  switch (estimator) {
    case KlEstimator::kK1: return -log_r;
    case KlEstimator::kK2: return 0.5 * log_r.square();
    case KlEstimator::kK3: return log_r.exp() - log_r - 1;  // DeepSeek-R1 Eq. 2
  }
  return {};
}

LossOutput policy_loss(const LossInputs& in, const LossConfig& c, const LossBatch& batch) {
  check_shapes(in, c);
  const Segments segments(in.offsets);
  const auto advantage_K = segments.spread(in.advantage);
  const auto log_ratio = in.logp - in.old_logp;
  // GSPO (arXiv:2507.18071 Eq. 7): the length-normalised ratio of the whole completion, for each of its tokens.
  const auto level = c.ratio_level == RatioLevel::kSequence ? segments.spread(segments.mean(log_ratio)) : log_ratio;
  const auto ratio = level.exp();

  auto term = policy_term(in, c, log_ratio, ratio, advantage_K, segments);
  const auto weight = correction(in, c, segments);
  if (weight.defined()) term = term * weight;
  at::Tensor kl;
  if (c.kl_coef != 0 && c.kl_place == KlPlace::kLoss) {
    kl = kl_estimate(in.logp, in.ref_logp, c.kl_estimator);
    if (c.corrects_kl_bias) kl = kl * ratio;
    term = term + c.kl_coef * kl;
  }
  auto loss = aggregate(term, c, batch, segments);
  if (c.entropy_coef != 0) {
    loss = loss - c.entropy_coef * in.entropy.sum() / static_cast<double>(std::max<int64_t>(1, batch.num_tokens));
  }
  return {.loss = loss, .sums = sums(in, c, ratio, advantage_K, kl, weight)};
}

}  // namespace r1::rl
