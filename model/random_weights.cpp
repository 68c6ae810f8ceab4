// Initial weights as functions of (seed, name, index).

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/thread_pool.h"
#include "model/weights.h"

namespace r1::model {
namespace {

constexpr int64_t kChunk = 1 << 16;  // elements; a multiple of four

// Two standard normals from two uniforms (Box and Muller 1958); the first uniform lies in (0, 1], so its logarithm is
// finite.
std::array<float, 2> box_muller(uint32_t a, uint32_t b) {
  const float radius = std::sqrt(-2 * std::log((static_cast<float>(a) + 1) * 0x1p-32f));
  const float angle = static_cast<float>(2 * std::numbers::pi) * (static_cast<float>(b) * 0x1p-32f);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// Elements [begin, end) of the tensor named by `stream`. One Philox block makes elements 4 i to 4 i + 3; begin % 4 ==
// 0.
void fill_normal(std::span<float> out, int64_t begin, int64_t end, float std, uint64_t seed, uint64_t stream) {
  for (int64_t i = begin; i < end; i += 4) {
    const auto block = static_cast<uint64_t>(i) / 4;
    const auto bits = philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                  static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)},
                                 {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    const auto low = box_muller(bits[0], bits[1]), high = box_muller(bits[2], bits[3]);
    const float normals[] = {low[0], low[1], high[0], high[1]};
    for (int64_t k = 0; k < 4 && i + k < end; ++k) out[static_cast<size_t>(i + k)] = std * normals[k];
  }
}

std::vector<float> initial_values(const ModelConfig::Parameter& p, float std, uint64_t seed) {
  int64_t count = 1;
  for (const int64_t size : p.shape) count *= size;
  if (p.is_buffer || p.name.ends_with(".bias")) return std::vector<float>(static_cast<size_t>(count), 0.0f);
  if (p.shape.size() == 1) return std::vector<float>(static_cast<size_t>(count), 1.0f);
  std::vector<float> values(static_cast<size_t>(count));
  const uint64_t stream = hash64(p.name);
  compute_pool().parallel_for((count + kChunk - 1) / kChunk, 1, [&](int64_t first, int64_t last) {
    fill_normal(values, first * kChunk, std::min(last * kChunk, count), std, seed, stream);
  });
  return values;
}

}  // namespace

std::unique_ptr<InitializedWeights> random_weights(const ModelConfig& config, double std, uint64_t seed) {
  validate(config, "random_weights");
  if (!(std >= 0) || !std::isfinite(std))
    throw Error("random_weights", fmt::format("std is {}", std), "pass a standard deviation of 0 or more");
  auto made = std::make_unique<InitializedWeights>();
  for (const auto& parameter : config.parameters()) {
    made->storage.push_back(initial_values(parameter, static_cast<float>(std), seed));
    made->weights.set(parameter.name, parameter.shape, made->storage.back());
  }
  return made;
}

}  // namespace r1::model
