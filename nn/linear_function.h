#pragma once
// A linear layer's place in autograd, whatever computes its products. Private to nn/.

#include <torch/torch.h>

#include "nn/autograd.h"
#include "nn/fp8_products.h"
#include "nn/parameters.h"

namespace r1::nn {

// Products::forward(x, weight, scales) -> y and Products::backward(x, weight, scales, d_y) -> d_x, which adds the
// weight's gradient to weight.grad. apply(x, weight, scales).
template <typename Products>
struct LinearFunction : torch::autograd::Function<LinearFunction<Products>> {
  struct Kept {
    Parameter weight;
    Fp8Scales scales;
  };

  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x, const Parameter& weight,
                            const Fp8Scales& scales) {
    ctx->save_for_backward({x});
    keep(ctx, Kept{weight, scales});
    return Products::forward(x, weight, scales);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto x = ctx->get_saved_variables()[0];
    const auto& [weight, scales] = kept<Kept>(ctx);
    return {Products::backward(x, weight, scales, grads[0]), {}, {}};
  }
};

}  // namespace r1::nn
