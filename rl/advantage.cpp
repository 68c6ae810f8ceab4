#include "rl/advantage.h"

#include <cmath>

namespace r1::rl {
namespace {

struct Moments {
  double mean = 0, squares = 0;  // squares: sum of squared distances from the mean
  int64_t count = 0;
};

Moments moments(const Rewards& group) {
  Moments m;
  for (const auto& r : group) {
    if (!r) continue;
    m.mean += *r;
    ++m.count;
  }
  if (m.count > 0) m.mean /= static_cast<double>(m.count);
  for (const auto& r : group) {
    if (r) m.squares += (*r - m.mean) * (*r - m.mean);
  }
  return m;
}

double deviation_of(double squares, int64_t count, Deviation kind) {
  const auto divisor = kind == Deviation::kSample ? count - 1 : count;
  return divisor > 0 ? std::sqrt(squares / static_cast<double>(divisor)) : 0;
}

// The deviation of all rewards of the batch around the batch's own mean.
double batch_deviation(std::span<const Rewards> groups, Deviation kind) {
  Rewards all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  const auto m = moments(all);
  return deviation_of(m.squares, m.count, kind);
}

}  // namespace

bool has_signal(const Rewards& group) {
  std::optional<double> first;
  for (const auto& r : group) {
    if (!r) continue;
    if (first && *r != *first) return true;
    first = r;
  }
  return false;
}

std::vector<std::vector<double>> advantages(std::span<const Rewards> groups, const AdvantageConfig& config) {
  const double batch_std = config.kind == AdvantageKind::kBatchStd ? batch_deviation(groups, config.deviation) : 0;
  std::vector<std::vector<double>> out;
  for (const auto& group : groups) {
    auto& row = out.emplace_back(group.size(), 0.0);
    if (!has_signal(group)) continue;
    const auto m = moments(group);
    double scale = 1;
    if (config.kind == AdvantageKind::kGroupStd) scale = deviation_of(m.squares, m.count, config.deviation) + config.eps;
    if (config.kind == AdvantageKind::kBatchStd) scale = batch_std + config.eps;
    // r_i - mean of the others = (r_i - mean) n / (n - 1)
    if (config.kind == AdvantageKind::kLeaveOneOut) scale = static_cast<double>(m.count - 1) / static_cast<double>(m.count);
    for (size_t i = 0; i < group.size(); ++i) {
      if (group[i]) row[i] = (*group[i] - m.mean) / scale;
    }
  }
  return out;
}

}  // namespace r1::rl
