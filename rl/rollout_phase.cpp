#include "rl/rollout_phase.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/cancel.h"
#include "core/random.h"
#include "rewards/worker_pool.h"

namespace r1::rl {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Prompts for one call of the engine; a prompt that comes up twice (a small data set at the end of an epoch) is drawn once,
// for equal ids would give equal samples.
std::vector<Prompt> take_distinct(tasks::PromptSource& source, int64_t count) {
  std::vector<Prompt> prompts;
  std::set<std::string> ids;
  for (int64_t tries = 0; std::ssize(prompts) < count && tries < 2 * count; ++tries) {
    auto prompt = source.next();
    if (ids.insert(prompt.id).second) prompts.push_back(std::move(prompt));
  }
  return prompts;
}

bool group_has_signal(const Group& group, const RlConfig& config, int64_t max_new_tokens) {
  Rewards rewards;
  for (size_t i = 0; i < group.samples.size(); ++i) {
    rewards.push_back(effective_reward(group.samples[i], group.scores[i], config, max_new_tokens));
  }
  return has_signal(rewards);
}

}  // namespace

std::optional<double> effective_reward(const Sample& sample, const Score& score, const RlConfig& config, int64_t max_new_tokens) {
  const bool is_cut_off = sample.finish == FinishReason::kLength;
  if (score.verdict == Verdict::kUndecided || sample.finish == FinishReason::kCancelled) return {};
  if (config.overlong.filter && is_cut_off) return {};
  double reward = score.value;
  if (config.overlong.soft_tokens > 0) {  // DAPO (arXiv:2503.14476) Eq. 13
    const auto over = std::ssize(sample.token_ids) - (max_new_tokens - config.overlong.soft_tokens);
    const auto share = std::clamp(static_cast<double>(over) / static_cast<double>(config.overlong.soft_tokens), 0.0, 1.0);
    reward -= config.overlong.soft_penalty * share;
  }
  return reward;
}

std::vector<Group> generate_scored(rollout::Backend& backend, const rewards::Reward& reward, std::vector<Prompt> prompts,
                                   const SamplingParams& params, int num_reward_threads, PhaseResult& timing) {
  std::vector<std::shared_ptr<const Prompt>> shared;
  for (const auto& prompt : prompts) shared.push_back(std::make_shared<const Prompt>(prompt));
  std::vector<std::vector<std::future<Score>>> scores(prompts.size());
  for (auto& row : scores) row.resize(params.num_samples);
  rewards::ScoreQueue queue(reward, {.num_threads = num_reward_threads});
  const auto start = Clock::now();
  auto samples = backend.generate(prompts, params, [&](size_t prompt, const Sample& sample) {
    scores[prompt][sample.index] = queue.submit(shared[prompt], sample);
  });
  timing.sample_seconds += seconds_since(start);
  if (stop_requested()) {
    timing.was_stopped = true;
    return {};
  }
  const auto waiting = Clock::now();
  std::vector<Group> groups(prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    for (auto& score : scores[i]) groups[i].scores.push_back(score.get());
    groups[i].samples = std::move(samples[i]);
    groups[i].prompt = std::move(prompts[i]);
  }
  timing.reward_wait_seconds += seconds_since(waiting);
  return groups;
}

std::vector<Group> RolloutPhase::sample_and_score(int64_t step, int64_t round, int64_t num_prompts, PhaseResult& result) {
  auto params = config_.sampling;
  params.max_new_tokens = static_cast<int>(max_new_tokens_at(config_, step));
  params.seed = mix64(config_.seed ^ mix64(static_cast<uint64_t>(step) * 64 + static_cast<uint64_t>(round)));
  return generate_scored(backend_, reward_, take_distinct(prompts_, num_prompts), params,
                         static_cast<int>(config_.num_reward_threads), result);
}

PhaseResult RolloutPhase::run(int64_t step) {
  PhaseResult result;
  const auto wanted = config_.prompts_per_step;
  const auto rounds = config_.dynamic_sampling.enabled ? config_.dynamic_sampling.max_rounds : 1;
  for (int64_t round = 0; round < rounds && std::ssize(result.groups) < wanted && !result.was_stopped; ++round) {
    for (auto& group : sample_and_score(step, round, wanted - std::ssize(result.groups), result)) {
      const bool keeps = !config_.dynamic_sampling.enabled || group_has_signal(group, config_, max_new_tokens_at(config_, step));
      (keeps ? result.groups : result.set_aside).push_back(std::move(group));
    }
  }
  while (std::ssize(result.groups) < wanted && !result.set_aside.empty()) {
    result.groups.push_back(std::move(result.set_aside.back()));
    result.set_aside.pop_back();
  }
  return result;
}

}  // namespace r1::rl
