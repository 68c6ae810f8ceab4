#include "rewards/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace r1::rewards {
namespace {

struct Sums {
  double count = 0, sum = 0, squares = 0;
  double lowest = 0, highest = 0;

  void add(double x) {
    lowest = count == 0 ? x : std::min(lowest, x);
    highest = count == 0 ? x : std::max(highest, x);
    ++count;
    sum += x;
    squares += x * x;
  }
  double mean() const { return count > 0 ? sum / count : 0; }
  double variance() const { return count > 0 ? std::max(0.0, squares / count - mean() * mean()) : 0; }
};

double part_of(const Score& score, const std::string& name) {
  for (const auto& [part, value] : score.parts) {
    if (part == name) return value;
  }
  return 0;
}

// Of one group: the reward's sum of squares around its mean, and each part's products with it.
struct GroupSignal {
  double total = 0;
  std::map<std::string, double> by_part;
};

GroupSignal signal_of(const std::vector<const Score*>& scores, const std::map<std::string, Sums>& parts) {
  GroupSignal signal;
  double mean = 0;
  for (const auto* score : scores) mean += score->value / static_cast<double>(scores.size());
  for (const auto* score : scores) {
    const double above = score->value - mean;
    signal.total += above * above;
    for (const auto& [name, sums] : parts) signal.by_part[name] += part_of(*score, name) * above;
  }
  return signal;
}

bool are_identical(const Group& group) {
  return std::ranges::all_of(group.samples, [&](const Sample& s) { return s.text == group.samples[0].text; });
}

double share(double part, double all) { return all > 0 ? part / all : 0; }

}  // namespace

StepStatistics describe(std::span<const Group> groups) {
  StepStatistics out;
  Sums reward;
  std::map<std::string, Sums> parts, tasks;
  double num_right = 0, num_undecided = 0, num_cut = 0, num_silent = 0, num_identical = 0, num_comparable = 0;
  for (const auto& group : groups) {
    for (size_t i = 0; i < group.scores.size(); ++i) {
      const auto& score = group.scores[i];
      ++out.num_samples;
      num_undecided += score.verdict == Verdict::kUndecided;
      num_cut += group.samples[i].finish == FinishReason::kLength;
      out.tokens += static_cast<double>(group.samples[i].token_ids.size());
      if (score.verdict == Verdict::kUndecided) continue;
      reward.add(score.value);
      num_right += score.verdict == Verdict::kRight;
      tasks[group.prompt.task].add(score.verdict == Verdict::kRight);
      for (const auto& [name, value] : score.parts) parts[name].add(value);
    }
  }
  std::map<std::string, double> signals;
  double signal_sum = 0;
  for (const auto& group : groups) {
    std::vector<const Score*> decided;
    for (const auto& score : group.scores) {
      if (score.verdict != Verdict::kUndecided) decided.push_back(&score);
    }
    const bool is_flat = std::ranges::all_of(decided, [&](const Score* s) { return s->value == decided[0]->value; });
    num_silent += is_flat;
    num_comparable += group.samples.size() >= 2;
    num_identical += group.samples.size() >= 2 && are_identical(group);
    if (is_flat) continue;
    const auto signal = signal_of(decided, parts);
    signal_sum += signal.total;
    for (const auto& [name, value] : signal.by_part) signals[name] += value;
  }
  const auto num_samples = static_cast<double>(out.num_samples);
  out.reward = reward.mean();
  out.reward_deviation = std::sqrt(reward.variance());
  out.accuracy = share(num_right, reward.count);
  out.undecided = share(num_undecided, num_samples);
  out.truncated = share(num_cut, num_samples);
  out.tokens = share(out.tokens, num_samples);
  out.no_signal = share(num_silent, static_cast<double>(groups.size()));
  out.identical = share(num_identical, num_comparable);
  for (const auto& [name, sums] : parts) {
    out.parts[name] = {sums.mean(), std::sqrt(sums.variance()), sums.lowest, sums.highest,
                       share(signals[name], signal_sum)};
  }
  for (const auto& [name, sums] : tasks) out.accuracy_by_task[name] = sums.mean();
  return out;
}

std::map<std::string, double> to_metrics(const StepStatistics& s) {
  std::map<std::string, double> m{{"reward", s.reward},
                                  {"reward_std", s.reward_deviation},
                                  {"accuracy", s.accuracy},
                                  {"undecided", s.undecided},
                                  {"truncated", s.truncated},
                                  {"tokens", s.tokens},
                                  {"zero_signal_groups", s.no_signal},
                                  {"identical_groups", s.identical}};
  for (const auto& [name, part] : s.parts) {
    m["reward/" + name] = part.mean;
    m["reward_std/" + name] = part.deviation;
    m["reward_min/" + name] = part.lowest;
    m["reward_max/" + name] = part.highest;
    m["reward_signal/" + name] = part.signal;
  }
  if (s.accuracy_by_task.size() > 1) {
    for (const auto& [task, accuracy] : s.accuracy_by_task) m["accuracy/" + task] = accuracy;
  }
  return m;
}

}  // namespace r1::rewards
