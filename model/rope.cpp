// Rotary position tables (RoFormer, arXiv:2104.09864, Eq. 15) and the scalings of their frequencies by Llama 3 and
// YaRN, in float32 step by step as transformers computes them.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "model/config.h"
#include "model/config_v3.h"

namespace r1::model {
namespace {

// transformers' _compute_llama3_parameters: long waves are stretched by `factor`, short ones stay, those between are
// blended.
float scale_llama3(float frequency, const Llama3RopeScaling& s) {
  const auto original = static_cast<double>(s.original_max_position);
  const auto factor = static_cast<float>(s.factor);
  const float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
  if (wavelength > static_cast<float>(original / s.low_freq_factor)) return frequency / factor;
  if (wavelength < static_cast<float>(original / s.high_freq_factor)) return frequency;
  const float smooth = (static_cast<float>(original) / wavelength - static_cast<float>(s.low_freq_factor)) /
                       static_cast<float>(s.high_freq_factor - s.low_freq_factor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

// transformers' _compute_yarn_parameters: pairs that turn more than beta_fast times within the original context stay,
// those that turn less than beta_slow times are stretched by `factor`, with a ramp between.
class YarnRamp {
 public:
  YarnRamp(const YarnRopeScaling& s, double dim, double theta) {
    const auto pair_of = [&](double turns) {
      const auto original = static_cast<double>(s.original_max_position);
      return dim * std::log(original / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
    };
    low_ = std::max(std::floor(pair_of(s.beta_fast)), 0.0);
    high_ = std::min(std::ceil(pair_of(s.beta_slow)), dim - 1);
    if (low_ == high_) high_ += 0.001;  // as transformers does: no division by 0
  }
  // 0 for the pairs that stay, 1 for those that are stretched.
  float at(size_t j) const {
    return std::clamp((static_cast<float>(j) - static_cast<float>(low_)) / static_cast<float>(high_ - low_), 0.0f,
                      1.0f);
  }

 private:
  double low_ = 0, high_ = 0;
};

float scale_yarn(float frequency, const YarnRopeScaling& s, float ramp) {
  const float keep = 1 - ramp;
  return frequency / static_cast<float>(s.factor) * (1 - keep) + frequency * keep;
}

// What cos and sin are multiplied by.
float table_factor(const ModelConfig& c) {
  if (!c.yarn) return 1;
  const auto& s = *c.yarn;
  if (s.mscale == 0 || s.mscale_all_dim == 0) return static_cast<float>(yarn_mscale(s.factor, 1));
  return static_cast<float>(yarn_mscale(s.factor, s.mscale) / yarn_mscale(s.factor, s.mscale_all_dim));
}

}  // namespace

double yarn_mscale(double factor, double mscale) { return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1; }

std::vector<double> rope_frequencies(const ModelConfig& config) {
  std::vector<double> frequencies(static_cast<size_t>(config.rope_dim() / 2));
  const auto dim = static_cast<float>(config.rope_dim());
  std::optional<YarnRamp> ramp;
  if (config.yarn) ramp.emplace(*config.yarn, static_cast<double>(config.rope_dim()), config.rope_theta);
  for (size_t j = 0; j < frequencies.size(); ++j) {
    float f = 1 / std::pow(static_cast<float>(config.rope_theta), static_cast<float>(2 * j) / dim);
    if (config.rope_scaling) f = scale_llama3(f, *config.rope_scaling);
    if (ramp) f = scale_yarn(f, *config.yarn, ramp->at(j));
    if (!config.rope_factors.empty()) f /= config.rope_factors[j];
    frequencies[j] = f;
  }
  return frequencies;
}

RopeTables make_rope_tables(const ModelConfig& config, int64_t num_positions) {
  if (num_positions < 0 || num_positions > int64_t{1} << 31) {
    throw Error("make_rope_tables", fmt::format("{} positions", num_positions), "ask for 0 to 2^31 positions");
  }
  const std::vector<double> frequencies = rope_frequencies(config);
  RopeTables tables{.num_positions = num_positions, .half_dim = config.rope_dim() / 2};
  const auto size = static_cast<size_t>(num_positions) * frequencies.size();
  tables.cos.resize(size);
  tables.sin.resize(size);
  const float factor = table_factor(config);
  size_t i = 0;
  for (int64_t position = 0; position < num_positions; ++position) {
    for (const double frequency : frequencies) {
      const float angle = static_cast<float>(position) * static_cast<float>(frequency);
      tables.cos[i] = std::cos(angle) * factor;
      tables.sin[i] = std::sin(angle) * factor;
      ++i;
    }
  }
  return tables;
}

}  // namespace r1::model
