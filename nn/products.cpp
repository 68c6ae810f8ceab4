#include "nn/products.h"

#include <torch/torch.h>

#include "core/thread_pool.h"

namespace r1::nn {
namespace {

using kernels::Transpose;

const float* in(const at::Tensor& t) { return t.const_data_ptr<float>(); }

}  // namespace

void multiply(const at::Tensor& x, const at::Tensor& weight, kernels::Element element, const at::Tensor& y) {
  const auto num_out = weight.size(0), dim = weight.size(1);
  kernels::gemm(compute_pool(), {.transpose_b = Transpose::kYes,
                                 .m = x.size(0),
                                 .n = num_out,
                                 .k = dim,
                                 .a = in(x),
                                 .lda = dim,
                                 .b = in(weight),
                                 .ldb = dim,
                                 .c = y.mutable_data_ptr<float>(),
                                 .ldc = num_out,
                                 .element = element});
}

void input_grad(const at::Tensor& d_y, const at::Tensor& weight, kernels::Element element, const at::Tensor& d_x) {
  const auto num_out = weight.size(0), dim = weight.size(1);
  kernels::gemm(compute_pool(), {.m = d_y.size(0),
                                 .n = dim,
                                 .k = num_out,
                                 .a = in(d_y),
                                 .lda = num_out,
                                 .b = in(weight),
                                 .ldb = dim,
                                 .c = d_x.mutable_data_ptr<float>(),
                                 .ldc = dim,
                                 .element = element});
}

void add_weight_grad(const at::Tensor& d_y, const at::Tensor& x, kernels::Element element, const at::Tensor& d_w) {
  const auto num_out = d_w.size(0), dim = d_w.size(1);
  kernels::gemm(compute_pool(), {.transpose_a = Transpose::kYes,
                                 .m = num_out,
                                 .n = dim,
                                 .k = x.size(0),
                                 .a = in(d_y),
                                 .lda = num_out,
                                 .b = in(x),
                                 .ldb = dim,
                                 .c = d_w.mutable_data_ptr<float>(),
                                 .ldc = dim,
                                 .accumulate = kernels::Accumulate::kYes,
                                 .element = element});
}

}  // namespace r1::nn
