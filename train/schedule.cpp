#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "core/error.h"

namespace r1::train {
namespace {

const std::map<std::string, ScheduleShape>& shapes() {
  static const std::map<std::string, ScheduleShape> kShapes{{"constant", ScheduleShape::kConstant},
                                                            {"cosine", ScheduleShape::kCosine},
                                                            {"linear", ScheduleShape::kLinear},
                                                            {"wsd", ScheduleShape::kWarmupStableDecay},
                                                            {"v3", ScheduleShape::kDeepseekV3}};
  return kShapes;
}

std::string name_of(ScheduleShape shape) {
  for (const auto& [name, value] : shapes()) {
    if (value == shape) return name;
  }
  return "constant";
}

// Share of the way from peak to floor that is left at `progress` in [0, 1]: 1 at the start, 0 at the end.
double remaining(ScheduleShape shape, double progress) {
  if (shape == ScheduleShape::kCosine) return 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return 1 - progress;
}

}  // namespace

ScheduleConfig read_schedule(const ConfigTable& table, const ScheduleConfig& defaults) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : shapes()) names.push_back(name);
  ScheduleConfig c;
  c.learning_rate = table.get_double("learning_rate", defaults.learning_rate);
  c.min_ratio = table.get_double("min_lr_ratio", defaults.min_ratio);
  c.warmup_steps = table.get_int("warmup_steps", defaults.warmup_steps);
  c.decay_steps = table.get_int("decay_steps", defaults.decay_steps);
  c.shape = shapes().at(table.get_choice("schedule", name_of(defaults.shape), names));
  if (c.shape != ScheduleShape::kDeepseekV3) return c;
  c.constant_steps = table.get_int("constant_steps", defaults.constant_steps);
  c.final_steps = table.get_int("final_steps", defaults.final_steps);
  c.final_ratio = table.get_double("final_lr_ratio", defaults.final_ratio);
  return c;
}

void validate(const ScheduleConfig& c, int64_t total_steps, const std::string& where) {
  const auto fail = [&](std::string_view key, const std::string& what, const std::string& mend) {
    throw Error(fmt::format("{}.{}", where, key), what, mend);
  };
  if (!(c.learning_rate > 0)) fail("learning_rate", fmt::format("must be above 0, got {}", c.learning_rate), "use 1e-6 to 1e-3");
  if (!(c.min_ratio >= 0 && c.min_ratio <= 1)) fail("min_lr_ratio", fmt::format("must lie in [0, 1], got {}", c.min_ratio), "use 0.1");
  if (c.warmup_steps < 0 || c.warmup_steps > total_steps) {
    fail("warmup_steps", fmt::format("must lie in 0 .. {} (the steps), got {}", total_steps, c.warmup_steps), "lower it");
  }
  if (c.shape == ScheduleShape::kWarmupStableDecay && (c.decay_steps < 1 || c.decay_steps + c.warmup_steps > total_steps)) {
    fail("decay_steps", fmt::format("schedule = \"wsd\" needs 1 .. {}, got {}", total_steps - c.warmup_steps, c.decay_steps),
         "set decay_steps to about a tenth of the steps");
  }
  if (c.shape != ScheduleShape::kDeepseekV3) return;
  if (!(c.final_ratio >= 0 && c.final_ratio <= 1)) fail("final_lr_ratio", fmt::format("must lie in [0, 1], got {}", c.final_ratio), "use 0.0332");
  if (c.constant_steps < 0) fail("constant_steps", fmt::format("must be 0 or more, got {}", c.constant_steps), "use two thirds of the steps");
  if (c.final_steps < 0) fail("final_steps", fmt::format("must be 0 or more, got {}", c.final_steps), "use a hundredth of the steps");
  const int64_t parts = c.warmup_steps + c.constant_steps + c.decay_steps + c.final_steps;
  if (c.decay_steps < 1 || parts > total_steps) {
    fail("decay_steps", fmt::format("schedule = \"v3\": {} steps of decay, and its parts take {} of {} steps", c.decay_steps, parts, total_steps),
         "set decay_steps to 1 or more, and let warmup_steps + constant_steps + decay_steps + final_steps fit into the steps");
  }
}

namespace {

// Warm-up, the peak, a cosine to min_ratio, min_ratio, and final_ratio at the end.
double v3_ratio(const ScheduleConfig& c, int64_t step, int64_t total_steps) {
  if (step >= total_steps - c.final_steps) return c.final_ratio;
  const int64_t since_peak = step - c.warmup_steps - c.constant_steps;
  const double progress = std::clamp(static_cast<double>(since_peak) / static_cast<double>(c.decay_steps), 0.0, 1.0);
  return c.min_ratio + (1 - c.min_ratio) * remaining(ScheduleShape::kCosine, progress);
}

}  // namespace

double learning_rate(const ScheduleConfig& c, int64_t step, int64_t total_steps) {
  if (step < c.warmup_steps) return c.learning_rate * static_cast<double>(step + 1) / static_cast<double>(c.warmup_steps);
  if (c.shape == ScheduleShape::kConstant) return c.learning_rate;
  if (c.shape == ScheduleShape::kDeepseekV3) return c.learning_rate * v3_ratio(c, step, total_steps);
  const auto begin = c.shape == ScheduleShape::kWarmupStableDecay ? total_steps - c.decay_steps : c.warmup_steps;
  const auto length = std::max<int64_t>(1, total_steps - begin);
  const auto progress = std::clamp(static_cast<double>(step - begin) / static_cast<double>(length), 0.0, 1.0);
  return c.learning_rate * (c.min_ratio + (1 - c.min_ratio) * remaining(c.shape, progress));
}

}  // namespace r1::train
