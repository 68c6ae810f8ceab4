#include "nn/fp8_linear.h"

#include <torch/torch.h>

#include "nn/autograd.h"

namespace r1::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Fp8LinearFn : torch::autograd::Function<Fp8LinearFn> {
  struct Kept {
    Parameter weight;
    Fp8Scales scales;
  };

  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_in, const Parameter& weight,
                            const Fp8Scales& scales) {
    const auto x = x_in.contiguous();
    ctx->save_for_backward({x});
    keep(ctx, Kept{weight, scales});
    auto y = at::empty({x.size(0), weight.weight.size(0)}, x.options());
    fp8_forward(product_of(x, weight, scales), out(y));
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto x = ctx->get_saved_variables()[0];
    const auto& [weight, scales] = kept<Kept>(ctx);
    auto d_x = at::empty_like(x);
    fp8_backward(product_of(x, weight, scales), in(grads[0].contiguous()), out(d_x), out(weight.grad));
    return {d_x, {}, {}};
  }
  static Fp8Linear product_of(const at::Tensor& x, const Parameter& w, const Fp8Scales& scales) {
    return {.x = in(x),
            .w = in(w.weight),
            .t = x.size(0),
            .n = w.weight.size(0),
            .k = x.size(1),
            .parts = w.part_rows,
            .scales = scales};
  }
};

}  // namespace

at::Tensor fp8_linear(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
  return Fp8LinearFn::apply(x, weight, scales);
}

}  // namespace r1::nn
