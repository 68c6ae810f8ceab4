#pragma once
// Learning rate by step: warm-up, then constant, cosine or linear to a floor, or constant with a final decay.

#include <cstdint>
#include <string>

#include "core/config.h"

namespace r1::train {

enum class ScheduleShape { kConstant, kCosine, kLinear, kWarmupStableDecay };

struct ScheduleConfig {
  double learning_rate = 1e-3;   // the peak
  double min_ratio = 0.1;        // floor of the decay, as a share of the peak; no effect on kConstant
  int64_t warmup_steps = 0;      // linear from peak / warmup_steps at the first step
  int64_t decay_steps = 0;       // length of the final decay of kWarmupStableDecay
  ScheduleShape shape = ScheduleShape::kConstant;
};
// Reads learning_rate, min_lr_ratio, warmup_steps, decay_steps, schedule of `table`.
ScheduleConfig read_schedule(const ConfigTable& table, const ScheduleConfig& defaults);
void validate(const ScheduleConfig& config, int64_t total_steps, const std::string& where);

// The rate of update `step` (from 0) of `total_steps`.
double learning_rate(const ScheduleConfig& config, int64_t step, int64_t total_steps);

}  // namespace r1::train
