#include "kernels/quant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/cpu.h"
#include "kernels/quant_panels.h"
#include "kernels/weight_memory.h"

namespace r1::kernels {
namespace {

using quant::ActivationBlock;
using quant::kBlock;
using quant::kPanel;
using quant::Layout;

constexpr int64_t kSlabRows = 256;          // rows quantised and multiplied at a time: bounds the scratch memory
constexpr int64_t kRangesPerThread = 8;     // enough that an uneven machine still ends a loop together
constexpr int64_t kSerialValues = 1 << 14;  // activations that one thread quantises before a loop would be ready

int64_t num_panels(int64_t n) { return (n + kPanel - 1) / kPanel; }

void check_shape(int64_t n, int64_t k) {
  if (n > 0 && k > 0 && k % kBlock == 0) return;
  throw Error(
      "QuantMatrix",
      fmt::format("the weight is [{}, {}]; rows must be positive and columns a positive multiple of {}", n, k, kBlock),
      "keep this weight in float32 or bfloat16");
}

// Interleaves up to 16 rows of GGUF blocks, `rows` apart by num_blocks blocks, into one panel (quant_panels.h).
void pack_panel(const Layout& layout, const std::byte* rows, int64_t num_rows, int64_t num_blocks, std::byte* panel) {
  std::memset(panel, 0, static_cast<size_t>(num_blocks * layout.panel_bytes()));
  for (int64_t lane = 0; lane < num_rows; ++lane) {
    for (int64_t b = 0; b < num_blocks; ++b) {
      const std::byte* source = rows + (lane * num_blocks + b) * layout.gguf_bytes();
      std::byte* block = panel + b * layout.panel_bytes();
      for (int64_t s = 0; s < layout.scale_bytes; s += 2) std::memcpy(block + s * kPanel + 2 * lane, source + s, 2);
      std::byte* quants = block + layout.panel_scale_bytes();
      for (int64_t g = 0; g < layout.quant_bytes; g += 4) {
        std::memcpy(quants + g * kPanel + 4 * lane, source + layout.scale_bytes + g, 4);
      }
    }
  }
}

void quantize_activations(const float* x, int64_t num_blocks, ActivationBlock* out) {
#if defined(__x86_64__)
  if (active_isa() >= Isa::kAvx2) return quant::quantize_activations_avx2(x, num_blocks, out);
#endif
  quant::quantize_activations_portable(x, num_blocks, out);
}

void multiply_panels(QuantType type, const quant::PanelProduct& product) {
#if defined(__x86_64__)
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  if (active_isa() >= Isa::kAvx512 && has_vnni) return quant::multiply_panels_vnni(type, product);
  if (active_isa() >= Isa::kAvx2) return quant::multiply_panels_avx2(type, product);
#endif
  quant::multiply_panels_portable(type, product);
}

// The last panel's product when its outputs are fewer than its lanes.
void multiply_part_panel(QuantType type, quant::PanelProduct product, int64_t num_outputs) {
  float out[kSlabRows * kPanel], bias[kPanel] = {};
  float* y = product.out;
  const int64_t ldy = product.out_stride;
  product.out = out;
  product.out_stride = kPanel;
  if (product.bias != nullptr) {
    std::copy_n(product.bias, num_outputs, bias);
    product.bias = bias;
  }
  multiply_panels(type, product);
  for (int64_t row = 0; row < product.num_rows; ++row) std::copy_n(out + row * kPanel, num_outputs, y + row * ldy);
}

// The panels first, first + step, first + 2 step, ... of `all` that exist, at most `count`.
quant::PanelProduct every(const quant::PanelProduct& all, int64_t first, int64_t step, int64_t count) {
  quant::PanelProduct some = all;
  some.panels += first * all.panel_stride;
  some.num_panels = std::min(count, (all.num_panels - first + step - 1) / step);
  some.panel_stride *= step;
  some.out += first * all.output_step;
  some.output_step *= step;
  if (all.bias != nullptr) some.bias += first * all.output_step;
  return some;
}

// The products of all panels of an [n, k] weight, over the pool's threads.
void multiply_all(ThreadPool& pool, QuantType type, quant::PanelProduct all, int64_t n) {
  const quant::PanelProduct last = every(all, n / kPanel, 1, 1);
  all.num_panels = n / kPanel;  // the full ones
  const int64_t streams = all.num_rows > quant::kStreamedRows ? 1 : quant::kStreams;
  const int64_t step = (all.num_panels + streams - 1) / streams;  // the streams start this far apart
  const int64_t grain = std::max<int64_t>(1, step / (pool.size() * kRangesPerThread));
  pool.parallel_for(step, grain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) multiply_panels(type, every(all, p, step, streams));
  });
  if (last.num_panels > 0) multiply_part_panel(type, last, n % kPanel);
}

}  // namespace

void QuantMatrix::Free::operator()(void* p) const { free_weights(p); }

QuantMatrix::QuantMatrix(ThreadPool& pool, QuantType type, const void* blocks, int64_t n, int64_t k)
    : n_(n), k_(k), type_(type) {
  check_shape(n, k);
  const Layout layout = quant::layout_of(type);
  const int64_t num_blocks = k / kBlock, panel_bytes = num_blocks * layout.panel_bytes();
  data_.reset(allocate_weights(static_cast<size_t>(num_panels(n) * panel_bytes)));
  const auto* source = static_cast<const std::byte*>(blocks);
  auto* panels = static_cast<std::byte*>(data_.get());
  pool.parallel_for(num_panels(n), 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      pack_panel(layout, source + p * kPanel * num_blocks * layout.gguf_bytes(), std::min(kPanel, n - p * kPanel),
                 num_blocks, panels + p * panel_bytes);
    }
  });
}

QuantMatrix QuantMatrix::quantize(ThreadPool& pool, QuantType type, const float* weight_NK, int64_t n, int64_t k) {
  check_shape(n, k);
  const int64_t num_blocks = k / kBlock, bytes = quant::layout_of(type).gguf_bytes();
  const auto is_finite = [](float w) { return std::isfinite(w); };
  std::vector<std::byte> blocks(static_cast<size_t>(n * num_blocks * bytes));
  pool.parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* weights = weight_NK + row * k;
      if (!std::all_of(weights, weights + k, is_finite)) {
        throw Error("QuantMatrix::quantize", fmt::format("row {} of the weight has a value that is not finite", row),
                    "look for the step that wrote infinities or NaN into this checkpoint");
      }
      for (int64_t b = 0; b < num_blocks; ++b) {
        quant::quantize_gguf_block(type, weights + b * kBlock, blocks.data() + (row * num_blocks + b) * bytes);
      }
    }
  });
  return QuantMatrix(pool, type, blocks.data(), n, k);
}

void QuantMatrix::multiply(ThreadPool& pool, const float* x, int64_t m, int64_t ldx, const float* bias, float* y,
                           int64_t ldy) const {
  const int64_t num_blocks = k_ / kBlock;
  const auto activations =
      std::make_unique_for_overwrite<ActivationBlock[]>(static_cast<size_t>(std::min(m, kSlabRows) * num_blocks));
  for (int64_t first = 0; first < m; first += kSlabRows) {
    const int64_t num_rows = std::min(kSlabRows, m - first);
    pool.parallel_for(num_rows, std::max<int64_t>(1, kSerialValues / std::max(k_, kBlock)),
                      [&](int64_t begin, int64_t end) {
                        for (int64_t r = begin; r < end; ++r) {
                          quantize_activations(x + (first + r) * ldx, num_blocks, activations.get() + r * num_blocks);
                        }
                      });
    multiply_all(pool, type_,
                 {.panels = static_cast<const std::byte*>(data_.get()),
                  .num_panels = num_panels(n_),
                  .panel_stride = num_blocks * quant::layout_of(type_).panel_bytes(),
                  .activations = activations.get(),
                  .num_blocks = num_blocks,
                  .num_rows = num_rows,
                  .bias = bias,
                  .out = y + first * ldy,
                  .out_stride = ldy,
                  .output_step = kPanel},
                 n_);
  }
}

void QuantMatrix::dequantize_row(int64_t row, float* out) const {
  const Layout layout = quant::layout_of(type_);
  const int64_t lane = row % kPanel;
  const std::byte* block =
      static_cast<const std::byte*>(data_.get()) + row / kPanel * (k_ / kBlock) * layout.panel_bytes();
  const int offset = type_ == QuantType::kQ4_0 ? 8 : 0;
  for (int64_t b = 0; b < k_ / kBlock; ++b, block += layout.panel_bytes()) {
    const float d = quant::half_at(block, lane);
    const float m = type_ == QuantType::kQ4_1 ? quant::half_at(block, kPanel + lane) : 0.0f;
    for (int64_t j = 0; j < kBlock; ++j) {
      const int q = quant::quant_at(type_, block + layout.panel_scale_bytes(), lane, j) - offset;
      const float product = d * static_cast<float>(q);  // exact
      out[b * kBlock + j] = type_ == QuantType::kQ4_1 ? product + m : product;
    }
  }
}

size_t QuantMatrix::bytes() const {
  return static_cast<size_t>(num_panels(n_) * (k_ / kBlock) * quant::layout_of(type_).panel_bytes());
}

}  // namespace r1::kernels
