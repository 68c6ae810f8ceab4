#include "rl/evaluation.h"

#include <fmt/format.h>

#include "rl/rollout_phase.h"
#include "rollout/reflection.h"

namespace r1::rl {
namespace {

template <typename Measure>
double mean_over_samples(const std::vector<Group>& groups, Measure measure) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& group : groups) {
    for (const auto& sample : group.samples) sum += measure(sample), ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

std::vector<PromptOutcome> outcomes(const std::vector<Group>& groups) {
  std::vector<PromptOutcome> out;
  for (const auto& group : groups) {
    auto& outcome = out.emplace_back();
    for (const auto& score : group.scores) {
      if (score.verdict == Verdict::kUndecided) continue;
      outcome.is_right.push_back(score.verdict == Verdict::kRight);
      outcome.answers.push_back(score.answer);
    }
  }
  return out;
}

}  // namespace

double mean_waits(const std::vector<Group>& groups) {
  static const rollout::ReflectionWords words;
  return mean_over_samples(groups, [&](const Sample& sample) {
    double waits = 0;
    for (const auto& event : words.find(sample.text)) waits += words.words()[event.word].word == "wait";
    return waits;
  });
}

double mean_tokens(const std::vector<Group>& groups) {
  return mean_over_samples(groups, [](const Sample& s) { return static_cast<double>(s.token_ids.size()); });
}

EvalResult evaluate(rollout::Backend& backend, const rewards::Reward& reward, const std::vector<Prompt>& prompts,
                    const RlConfig& config, int64_t step, uint64_t seed) {
  SamplingParams params = config.sampling;
  params.num_samples = static_cast<int>(config.eval.num_samples);
  params.temperature = config.eval.temperature;
  params.top_p = config.eval.top_p;
  params.max_new_tokens = static_cast<int>(max_new_tokens_at(config, step));
  params.seed = seed;
  PhaseResult timing;
  EvalResult result;
  result.groups = generate_scored(backend, reward, prompts, params, scoring_at(config, step), timing);
  result.was_stopped = timing.was_stopped;
  const auto all = outcomes(result.groups);
  const auto k = config.eval.num_samples;
  result.estimates.emplace_back(fmt::format("avg@{}", k), avg_at_k(all));
  if (k > 1) {
    result.estimates.emplace_back("pass@1", pass_at_k(all, 1));
    result.estimates.emplace_back(fmt::format("pass@{}", k), pass_at_k(all, k));
    result.estimates.emplace_back(fmt::format("cons@{}", k), cons_at_k(all));
  }
  result.mean_tokens = mean_tokens(result.groups);
  result.mean_waits = mean_waits(result.groups);
  return result;
}

}  // namespace r1::rl
