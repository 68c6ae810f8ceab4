#include "rl/policy_update.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random.h"
#include "rl/loss.h"

namespace r1::rl {
namespace {

constexpr uint64_t kShuffleStream = 0x73687566666c65;  // "shuffle": keeps these draws apart from the sampler's

std::span<const float> old_of(const Experience& e) { return e.old_logprobs.empty() ? e.sample->logprobs : e.old_logprobs; }
std::span<const float> sampling_of(const Experience& e) { return e.sample->sampling_logprobs; }
std::span<const float> ref_of(const Experience& e) { return e.ref_logprobs; }

// Log-probs of all experiences under `model`, written to the chosen field.
void compute_log_probs(std::span<Experience> experiences, const RlConfig& config, nn::CausalLm& model,
                       std::vector<float> Experience::* field) {
  at::NoGradGuard no_grad;
  for (const auto& batch : make_micro_batches(experiences, config.micro_batch_tokens)) {
    const auto log_probs = completion_log_probs(model, batch, config.sampling.temperature).log_probs.contiguous();
    const float* const values = log_probs.const_data_ptr<float>();
    for (size_t i = 0; i < batch.members.size(); ++i) {
      (experiences[batch.members[i]].*field).assign(values + batch.offsets[i], values + batch.offsets[i + 1]);
    }
  }
}

LossInputs loss_inputs(std::span<const Experience> experiences, const MicroBatch& batch, const nn::TokenLogProbs& now) {
  std::vector<double> advantage;
  for (const auto i : batch.members) advantage.push_back(experiences[i].advantage);
  const bool has_reference = !batch.members.empty() && !experiences[batch.members[0]].ref_logprobs.empty();
  return {.logp = now.log_probs,
          .entropy = now.entropies,
          .old_logp = gather(experiences, batch, old_of),
          .sampling_logp = gather(experiences, batch, sampling_of),
          .ref_logp = has_reference ? gather(experiences, batch, ref_of) : at::Tensor(),
          .offsets = batch.offsets,
          .advantage = torch::tensor(advantage, at::kFloat)};
}

// Fisher-Yates; a function of (seed, step, epoch).
void shuffle(std::vector<Experience>& experiences, uint64_t seed, uint64_t step, uint64_t epoch) {
  RandomStream random(seed, kShuffleStream ^ mix64(step), epoch);
  for (size_t i = experiences.size(); i > 1; --i) std::swap(experiences[i - 1], experiences[random.below(i)]);
}

// Adds the parts' sums up; names that begin with "max_" take the largest.
void add_sums(std::map<std::string, double>& total, const std::map<std::string, double>& part) {
  for (const auto& [name, value] : part) {
    if (name.starts_with("max_")) total[name] = std::max(total[name], value);
    else total[name] += value;
  }
}

// Forward and backward over one mini-batch; gradients are summed into the parameters.
std::map<std::string, double> accumulate(std::span<const Experience> experiences, const RlConfig& config, int64_t step,
                                         nn::CausalLm& policy) {
  LossBatch whole{.num_completions = std::ssize(experiences), .max_new_tokens = max_new_tokens_at(config, step)};
  for (const auto& e : experiences) whole.num_tokens += std::ssize(e.sample->token_ids);
  std::map<std::string, double> sums;
  // An advantage of 0 moves nothing unless another term does; the batch's sizes still count it.
  const bool needs_all = config.loss.kl_coef != 0 || config.loss.entropy_coef != 0;
  std::vector<Experience> moving;
  for (const auto& e : experiences) {
    if (!e.sample->token_ids.empty() && (needs_all || e.advantage != 0)) moving.push_back(e);
  }
  for (const auto& batch : make_micro_batches(moving, config.micro_batch_tokens)) {
    const auto now = completion_log_probs(policy, batch, config.sampling.temperature);
    const auto out = policy_loss(loss_inputs(moving, batch, now), config.loss, whole);
    out.loss.backward();
    add_sums(sums, out.sums);
    sums["loss"] += out.loss.item<double>();
  }
  return sums;
}

}  // namespace

void fill_log_probs(std::span<Experience> experiences, const RlConfig& config, nn::CausalLm& policy, nn::CausalLm* reference) {
  if (config.recompute_old_logprobs) compute_log_probs(experiences, config, policy, &Experience::old_logprobs);
  if (reference) compute_log_probs(experiences, config, *reference, &Experience::ref_logprobs);
}

void subtract_kl(std::span<const Experience> experiences, const RlConfig& config, std::vector<Rewards>& rewards) {
  size_t next = 0;
  for (auto& group : rewards) {
    for (auto& reward : group) {
      if (!reward) continue;
      const auto& e = experiences[next++];
      const auto old = old_of(e);
      const auto tensor = [](std::span<const float> v) { return torch::tensor(std::vector<float>(v.begin(), v.end())); };
      *reward -= config.loss.kl_coef *
                 kl_estimate(tensor(old), tensor(e.ref_logprobs), config.loss.kl_estimator).sum().item<double>();
    }
  }
}

std::map<std::string, double> update_policy(std::vector<Experience> experiences, const RlConfig& config, int64_t step,
                                            int64_t num_updates, nn::CausalLm& policy, train::AdamW& optimizer) {
  const auto total_updates = config.steps * config.num_minibatches * config.num_epochs;
  std::map<std::string, double> totals, metrics;
  int64_t updates = 0;
  for (int64_t epoch = 0; epoch < config.num_epochs; ++epoch) {
    if (config.num_minibatches > 1) shuffle(experiences, config.seed, step, epoch);
    for (int64_t m = 0; m < config.num_minibatches; ++m) {
      const auto begin = experiences.size() * m / config.num_minibatches;
      const auto end = experiences.size() * (m + 1) / config.num_minibatches;
      if (begin == end) continue;
      const auto sums = accumulate(std::span(experiences).subspan(begin, end - begin), config, step, policy);
      if (updates == 0) metrics["rollout_gap_max"] = sums.contains("max_log_ratio") ? sums.at("max_log_ratio") : 0;
      const auto rate = train::learning_rate(config.schedule, num_updates + updates++, total_updates);
      const auto result = optimizer.step(rate);
      add_sums(totals, sums);
      metrics["learning_rate"] = rate;
      metrics["grad_norm"] += result.grad_norm;
      metrics["skipped_updates"] += result.is_skipped;
    }
  }
  const auto num_tokens = std::max(1.0, totals["tokens"]);
  for (const auto& [name, value] : totals) {
    if (name == "tokens" || name.starts_with("max_")) continue;
    metrics[name] = name == "loss" ? value / std::max<int64_t>(1, updates) : value / num_tokens;
  }
  metrics["grad_norm"] /= std::max<int64_t>(1, updates);
  metrics["max_log_ratio"] = totals["max_log_ratio"];
  metrics["num_updates"] = static_cast<double>(updates);
  return metrics;
}

}  // namespace r1::rl
