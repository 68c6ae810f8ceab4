#pragma once
// Learning rate by step: warm-up, then constant, cosine or linear to a floor, constant with a final decay, or
// DeepSeek-V3's constant, cosine, constant, lower constant.

#include <cstdint>
#include <string>

#include "core/config.h"

namespace r1::train {

enum class ScheduleShape { kConstant, kCosine, kLinear, kWarmupStableDecay, kDeepseekV3 };

struct ScheduleConfig {
  double learning_rate = 1e-3;   // the peak
  double min_ratio = 0.1;        // floor of the decay, as a share of the peak; no effect on kConstant
  int64_t warmup_steps = 0;      // linear from peak / warmup_steps at the first step
  int64_t decay_steps = 0;       // length of the final decay of kWarmupStableDecay, of the cosine of kDeepseekV3
  int64_t constant_steps = 0;    // kDeepseekV3: at the peak, after the warm-up
  int64_t final_steps = 0;       // kDeepseekV3: the last steps, at final_ratio
  double final_ratio = 0.0332;   // share of the peak: 7.3e-6 of 2.2e-4 (arXiv:2412.19437v1 section 4.2)
  ScheduleShape shape = ScheduleShape::kConstant;
};
// Reads learning_rate, min_lr_ratio, warmup_steps, decay_steps, schedule of `table`; for schedule "v3" also constant_steps,
// final_steps and final_lr_ratio.
ScheduleConfig read_schedule(const ConfigTable& table, const ScheduleConfig& defaults);
void validate(const ScheduleConfig& config, int64_t total_steps, const std::string& where);

// The rate of update `step` (from 0) of `total_steps`.
double learning_rate(const ScheduleConfig& config, int64_t step, int64_t total_steps);

}  // namespace r1::train
