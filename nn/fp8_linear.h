#pragma once
// linear() through FP8 (nn/fp8_products.h). Private to nn/.

#include <ATen/core/Tensor.h>

#include "nn/fp8_products.h"
#include "nn/parameters.h"

namespace r1::nn {

// x [T, K], weight [N, K] -> [T, N]; no bias: DeepSeek-V3 has none. Carries the gradient.
at::Tensor fp8_linear(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales);

}  // namespace r1::nn
