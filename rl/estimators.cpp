#include "rl/estimators.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace r1::rl {
namespace {

constexpr double kNormal95 = 1.959963984540054;

double share_right(const std::vector<bool>& is_right) {
  return static_cast<double>(std::ranges::count(is_right, true)) / static_cast<double>(is_right.size());
}

double pass_probability(int64_t n, int64_t c, int64_t k) {
  double all_wrong = 1;  // C(n - c, k) / C(n, k) as a product
  for (int64_t i = 0; i < k; ++i) all_wrong *= std::max<double>(0, static_cast<double>(n - c - i)) / static_cast<double>(n - i);
  return 1 - all_wrong;
}

double consensus(const PromptOutcome& outcome) {
  struct Votes {
    int64_t count = 0, right = 0;
  };
  std::map<std::string_view, Votes> votes;
  for (size_t i = 0; i < outcome.answers.size(); ++i) {
    if (outcome.answers[i].empty()) continue;
    auto& v = votes[outcome.answers[i]];
    ++v.count;
    v.right += outcome.is_right[i];
  }
  int64_t most = 0;
  for (const auto& [answer, v] : votes) most = std::max(most, v.count);
  double num_tied = 0, right = 0;
  for (const auto& [answer, v] : votes) {
    if (v.count != most) continue;
    ++num_tied;
    right += v.right * 2 >= v.count;  // equal answers have equal verdicts but for the way they were written
  }
  return num_tied > 0 ? right / num_tied : 0;
}

}  // namespace

Estimate mean_over_prompts(std::span<const double> values) {
  Estimate e{.num_prompts = std::ssize(values)};
  if (values.empty()) return e;
  const auto n = static_cast<double>(values.size());
  for (const auto v : values) e.value += v / n;
  double squares = 0;
  for (const auto v : values) squares += (v - e.value) * (v - e.value);
  const double error = n > 1 ? std::sqrt(squares / (n - 1) / n) : 0.5;
  e.low = std::max(0.0, e.value - kNormal95 * error);
  e.high = std::min(1.0, e.value + kNormal95 * error);
  return e;
}

Estimate avg_at_k(std::span<const PromptOutcome> outcomes) {
  std::vector<double> values;
  for (const auto& o : outcomes) {
    if (!o.is_right.empty()) values.push_back(share_right(o.is_right));
  }
  return mean_over_prompts(values);
}

Estimate pass_at_k(std::span<const PromptOutcome> outcomes, int64_t k) {
  std::vector<double> values;
  for (const auto& o : outcomes) {
    if (std::ssize(o.is_right) >= k) values.push_back(pass_probability(std::ssize(o.is_right), std::ranges::count(o.is_right, true), k));
  }
  return mean_over_prompts(values);
}

Estimate cons_at_k(std::span<const PromptOutcome> outcomes) {
  std::vector<double> values;
  for (const auto& o : outcomes) {
    if (!o.is_right.empty()) values.push_back(consensus(o));
  }
  return mean_over_prompts(values);
}

}  // namespace r1::rl
