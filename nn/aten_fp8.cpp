#include "nn/aten_fp8.h"

#include <torch/torch.h>

namespace r1::nn {
namespace {

constexpr int64_t kBlock = kernels::kFp8Block;
constexpr int64_t kRowMultiple = 16;

int64_t round_up(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

}  // namespace

AtenFp8 aten_quantise(const at::Tensor& x, const kernels::Fp8Rounding& rounding) {
  const int64_t height = rounding.block.rows, rows = round_up(x.size(0), std::max(height, kRowMultiple)),
                cols = std::max(2 * kBlock, round_up(x.size(1), kBlock));
  const auto tiles = at::constant_pad_nd(x, {0, cols - x.size(1), 0, rows - x.size(0)})
                         .contiguous()  // a transposed matrix that needs no padding has strides of its own
                         .view({rows / height, height, cols / kBlock, kBlock});
  auto scales = tiles.abs().amax({1, 3}, /*keepdim=*/true).clamp_min(rounding.least_amax) / kernels::kE4m3Largest;
  if (rounding.scale == kernels::Fp8Scale::kPowerOfTwo) scales = scales.log2().ceil().exp2();
  return {.values = (tiles / scales).to(at::kFloat8_e4m3fn).view({rows, cols}),
          .scales = scales.expand({-1, height, -1, 1}).reshape({rows, cols / kBlock}).t().contiguous(),
          .rows = x.size(0),
          .cols = x.size(1)};
}

at::Tensor AtenFp8::dequantised() const {
  const auto tiles = values.to(at::kFloat).unflatten(1, {-1, kBlock}) * scales.t().unsqueeze(-1);
  return tiles.flatten(1).narrow(0, 0, rows).narrow(1, 0, cols);
}

at::Tensor aten_fp8_product(const AtenFp8& a, const AtenFp8& b) {
  if (!a.values.is_cuda()) return a.dequantised().mm(b.dequantised().t());
  return at::_scaled_mm(a.values, b.values.t(), a.scales.t(), b.scales, {}, {}, at::kFloat)
      .narrow(0, 0, a.rows)
      .narrow(1, 0, b.rows);
}

}  // namespace r1::nn
