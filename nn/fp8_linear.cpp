#include "nn/fp8_linear.h"

#include "nn/linear_function.h"

namespace r1::nn {
namespace {

Fp8Linear product_of(const at::Tensor& x, const Parameter& w, const Fp8Scales& scales) {
  return {.x = in(x),
          .w = in(w.weight),
          .t = x.size(0),
          .n = w.weight.size(0),
          .k = x.size(1),
          .parts = w.part_rows,
          .scales = scales};
}

struct Fp8Kernels {
  static at::Tensor forward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
    auto y = at::empty({x.size(0), weight.weight.size(0)}, x.options());
    fp8_forward(product_of(x, weight, scales), out(y));
    return y;
  }
  static at::Tensor backward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales,
                             const at::Tensor& d_y) {
    auto d_x = at::empty_like(x);
    fp8_backward(product_of(x, weight, scales), in(d_y.contiguous()), out(d_x), out(weight.grad));
    return d_x;
  }
};

}  // namespace

at::Tensor fp8_linear(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
  return LinearFunction<Fp8Kernels>::apply(x.contiguous(), weight, scales);
}

}  // namespace r1::nn
