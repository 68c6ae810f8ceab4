// Rotary position tables (RoFormer, arXiv:2104.09864, Eq. 15) and Llama 3's scaling of their frequencies, in float32
// step by step as transformers computes them.

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "model/config.h"

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

}  // namespace

std::vector<double> rope_frequencies(const ModelConfig& config) {
  std::vector<double> frequencies(static_cast<size_t>(config.head_dim / 2));
  const auto dim = static_cast<float>(config.head_dim);
  for (size_t j = 0; j < frequencies.size(); ++j) {
    float f = 1 / std::pow(static_cast<float>(config.rope_theta), static_cast<float>(2 * j) / dim);
    if (config.rope_scaling) f = scale_llama3(f, *config.rope_scaling);
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
  RopeTables tables{.num_positions = num_positions, .half_dim = config.head_dim / 2};
  const auto size = static_cast<size_t>(num_positions) * frequencies.size();
  tables.cos.resize(size);
  tables.sin.resize(size);
  size_t i = 0;
  for (int64_t position = 0; position < num_positions; ++position) {
    for (const double frequency : frequencies) {
      const float angle = static_cast<float>(position) * static_cast<float>(frequency);
      tables.cos[i] = std::cos(angle);
      tables.sin[i] = std::sin(angle);
      ++i;
    }
  }
  return tables;
}

}  // namespace r1::model
