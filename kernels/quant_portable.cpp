// The portable form of quant.h's product: the arithmetic as the header writes it.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/quant_panels.h"

namespace r1::kernels::quant {
namespace {

// The integer product of a block with output `lane` of a panel block.
int32_t integer_dot(QuantType type, const std::byte* quants, int64_t lane, const ActivationBlock& a) {
  int32_t dot = type == QuantType::kQ4_0 ? -a.eight_sums : 0;
  for (int64_t k = 0; k < kBlock; ++k) dot += quant_at(type, quants, lane, k) * a.q[k];
  return dot;
}

void add_block(QuantType type, const std::byte* block, const ActivationBlock& a, float* acc) {
  const std::byte* quants = block + layout_of(type).panel_scale_bytes();
  for (int64_t lane = 0; lane < kPanel; ++lane) {
    const auto dot = static_cast<float>(integer_dot(type, quants, lane, a));
    acc[lane] = std::fma(dot, half_at(block, lane) * a.d, acc[lane]);
    if (type == QuantType::kQ4_1) acc[lane] = std::fma(half_at(block, kPanel + lane), a.t, acc[lane]);
  }
}

}  // namespace

void multiply_panels_portable(QuantType type, const PanelProduct& p) {
  const int64_t block_bytes = layout_of(type).panel_bytes();
  for (int64_t i = 0; i < p.num_panels * p.num_rows; ++i) {
    const int64_t panel = i / p.num_rows, row = i % p.num_rows;
    float* acc = p.out + row * p.out_stride + panel * p.output_step;
    std::fill_n(acc, kPanel, 0.0f);
    for (int64_t b = 0; b < p.num_blocks; ++b) {
      add_block(type, p.panels + panel * p.panel_stride + b * block_bytes, p.activations[row * p.num_blocks + b], acc);
    }
    if (p.bias == nullptr) continue;
    for (int64_t lane = 0; lane < kPanel; ++lane) acc[lane] += p.bias[panel * p.output_step + lane];
  }
}

}  // namespace r1::kernels::quant
