#include "nn/products.h"

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "nn/autograd.h"

namespace r1::nn {

using kernels::Transpose;

void multiply(const LinearShape& s, const float* x, const float* weight, float* y) {
  kernels::gemm(compute_pool(), {.transpose_b = Transpose::kYes,
                                 .m = s.t,
                                 .n = s.n,
                                 .k = s.d,
                                 .a = x,
                                 .lda = s.d,
                                 .b = weight,
                                 .ldb = s.d,
                                 .c = y,
                                 .ldc = s.n,
                                 .element = s.element});
}

void input_grad(const LinearShape& s, const float* d_y, const float* weight, float* d_x) {
  kernels::gemm(compute_pool(), {.m = s.t,
                                 .n = s.d,
                                 .k = s.n,
                                 .a = d_y,
                                 .lda = s.n,
                                 .b = weight,
                                 .ldb = s.d,
                                 .c = d_x,
                                 .ldc = s.d,
                                 .element = s.element});
}

void add_weight_grad(const LinearShape& s, const float* d_y, const float* x, float* d_w) {
  kernels::gemm(compute_pool(), {.transpose_a = Transpose::kYes,
                                 .m = s.n,
                                 .n = s.d,
                                 .k = s.t,
                                 .a = d_y,
                                 .lda = s.n,
                                 .b = x,
                                 .ldb = s.d,
                                 .c = d_w,
                                 .ldc = s.d,
                                 .accumulate = kernels::Accumulate::kYes,
                                 .element = s.element});
}

void multiply(const at::Tensor& x, const at::Tensor& weight, kernels::Element element, const at::Tensor& y) {
  multiply({x.size(0), weight.size(0), weight.size(1), element}, in(x), in(weight), out(y));
}

void input_grad(const at::Tensor& d_y, const at::Tensor& weight, kernels::Element element, const at::Tensor& d_x) {
  input_grad({d_y.size(0), weight.size(0), weight.size(1), element}, in(d_y), in(weight), out(d_x));
}

void add_weight_grad(const at::Tensor& d_y, const at::Tensor& x, kernels::Element element, const at::Tensor& d_w) {
  add_weight_grad({x.size(0), d_w.size(0), d_w.size(1), element}, in(d_y), in(x), out(d_w));
}

}  // namespace r1::nn
