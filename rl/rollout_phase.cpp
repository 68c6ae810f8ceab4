#include "rl/rollout_phase.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/cancel.h"
#include "core/random.h"

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

bool group_has_signal(const Group& group, const RlConfig& config) {
  Rewards rewards;
  for (size_t i = 0; i < group.samples.size(); ++i) {
    rewards.push_back(effective_reward(group.samples[i], group.scores[i], config));
  }
  return has_signal(rewards);
}

}  // namespace

std::optional<double> effective_reward(const Sample& sample, const Score& score, const RlConfig& config) {
  if (score.verdict == Verdict::kUndecided || sample.finish == FinishReason::kCancelled) return {};
  if (config.overlong.filter && sample.finish == FinishReason::kLength) return {};
  return score.value;
}

rewards::ScoreQueueOptions scoring_at(const RlConfig& config, int64_t step) {
  return {.num_threads = static_cast<int>(config.num_reward_threads),
          .context = {.step = step, .num_steps = config.steps}};
}

std::vector<Group> generate_scored(rollout::Backend& backend, const rewards::Reward& reward, std::vector<Prompt> prompts,
                                   const SamplingParams& params, rewards::ScoreQueueOptions scoring, PhaseResult& timing) {
  std::vector<std::shared_ptr<const Prompt>> shared;
  for (const auto& prompt : prompts) shared.push_back(std::make_shared<const Prompt>(prompt));
  std::vector<std::vector<std::future<Score>>> scores(prompts.size());
  for (auto& row : scores) row.resize(params.num_samples);
  scoring.context.max_new_tokens = params.max_new_tokens;
  rewards::ScoreQueue queue(reward, scoring);
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
  return generate_scored(backend_, reward_, take_distinct(prompts_, num_prompts), params, scoring_at(config_, step), result);
}

PhaseResult RolloutPhase::run(int64_t step) {
  PhaseResult result;
  const auto wanted = config_.prompts_per_step;
  const auto rounds = config_.dynamic_sampling.enabled ? config_.dynamic_sampling.max_rounds : 1;
  for (int64_t round = 0; round < rounds && std::ssize(result.groups) < wanted && !result.was_stopped; ++round) {
    for (auto& group : sample_and_score(step, round, wanted - std::ssize(result.groups), result)) {
      const bool keeps = !config_.dynamic_sampling.enabled || group_has_signal(group, config_);
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
