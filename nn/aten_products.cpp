#include "nn/aten_products.h"

#include "nn/aten_fp8.h"
#include "nn/linear_function.h"

namespace r1::nn {
namespace {

using kernels::Element;
using kernels::Fp8BlockShape;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr Fp8BlockShape kTile{1, kernels::kFp8Block};

// a [M, K] b [K, N], both rounded to the element, summed in float32.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, Element element) {
  if (element == Element::kF32) return a.mm(b);
  const auto x = a.to(at::kBFloat16), y = b.to(at::kBFloat16);
  return a.is_cuda() ? at::mm(x, y, at::kFloat) : x.to(at::kFloat).mm(y.to(at::kFloat));
}

// Calls visit(rows of the weight) for each published matrix of a stack, whose FP8 blocks are its own.
template <typename Visit>
void for_each_part(const Parameter& weight, const Visit& visit) {
  int64_t row = 0;
  for (const int64_t rows : weight.part_rows) {
    visit(row, rows);
    row += rows;
  }
}

at::Tensor fp8_forward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
  const auto rounded = aten_quantise(x, {.block = kTile, .scale = scales.input});
  std::vector<at::Tensor> parts;
  for_each_part(weight, [&](int64_t row, int64_t rows) {
    parts.push_back(aten_fp8_product(rounded, aten_quantise(weight.weight.narrow(0, row, rows), {})));
  });
  return at::cat(parts, 1);
}

// -> d_x; adds to the weight's gradient. Operands as in nn/fp8_products.h; what is 128 x 1 there are tiles of the
// transposed matrix here.
at::Tensor fp8_backward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales, const at::Tensor& d_y) {
  const auto seen = aten_quantise(x, {.block = kTile, .scale = scales.input}).dequantised();
  const auto columns = aten_quantise(seen.t(), {.block = kTile, .scale = scales.input});
  const kernels::Fp8Rounding rounding{
      .block = kTile, .scale = scales.output_grad, .least_amax = kernels::kGradientAmax};
  auto d_x = at::zeros_like(x);
  for_each_part(weight, [&](int64_t row, int64_t rows) {
    const auto part = d_y.narrow(1, row, rows);
    d_x.add_(
        aten_fp8_product(aten_quantise(part, rounding), aten_quantise(weight.weight.narrow(0, row, rows).t(), {})));
    weight.grad.narrow(0, row, rows).add_(aten_fp8_product(aten_quantise(part.t(), rounding), columns));
  });
  return d_x;
}

struct AtenProducts {
  static at::Tensor forward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
    return weight.is_fp8 ? fp8_forward(x, weight, scales) : product(x, weight.weight.t(), weight.element);
  }
  static at::Tensor backward(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales,
                             const at::Tensor& d_y) {
    if (weight.is_fp8) return fp8_backward(x, weight, scales, d_y);
    weight.grad.add_(product(d_y.t(), x, weight.element));
    return product(d_y, weight.weight, weight.element);
  }
};

// Grouped products of bfloat16: rows by the weights of their expert, and their gradients.
struct GroupedFn : torch::autograd::Function<GroupedFn> {
  static at::Tensor weights_of(const Parameter& stack, const at::Tensor& ends) {
    return stack.weight.unflatten(0, {ends.numel(), -1}).to(at::kBFloat16);  // [E, N, K]
  }
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const Parameter& stack, const at::Tensor& ends) {
    const auto rounded = x.to(at::kBFloat16);
    ctx->save_for_backward({rounded, ends});
    keep(ctx, stack);
    return at::_grouped_mm(rounded, weights_of(stack, ends).transpose(1, 2), ends).to(at::kFloat);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &ends = saved[1];
    const auto& stack = kept<Parameter>(ctx);
    const auto d_y = grads[0].contiguous().to(at::kBFloat16);
    stack.grad.add_(at::_grouped_mm(d_y.t(), x, ends).flatten(0, 1));
    return {at::_grouped_mm(d_y, weights_of(stack, ends), ends).to(at::kFloat), {}, {}};
  }
};

// An expert's share of a stack.
Parameter share_of(const Parameter& stack, int64_t num_experts, int64_t e) {
  const auto rows = stack.weight.size(0) / num_experts, parts = std::ssize(stack.part_rows) / num_experts;
  auto share = stack;
  share.weight = stack.weight.narrow(0, e * rows, rows);
  if (stack.grad.defined()) share.grad = stack.grad.narrow(0, e * rows, rows);
  share.part_rows.assign(stack.part_rows.begin() + e * parts, stack.part_rows.begin() + (e + 1) * parts);
  return share;
}

// Grouped products want rows of 16 bytes' multiples.
bool can_group(const Parameter& stack, int64_t num_experts) {
  constexpr int64_t kMultiple = 8;
  return !stack.is_fp8 && stack.element == Element::kBF16 && stack.weight.size(1) % kMultiple == 0 &&
         stack.weight.size(0) / num_experts % kMultiple == 0;
}

}  // namespace

at::Tensor aten_linear(const at::Tensor& x, const Parameter& weight, const Fp8Scales& scales) {
  return LinearFunction<AtenProducts>::apply(x, weight, scales);
}

at::Tensor aten_expert_linear(const at::Tensor& x, const Parameter& stack, const ExpertRows& rows,
                              const Fp8Scales& scales) {
  const auto num_experts = std::ssize(rows.counts);
  if (can_group(stack, num_experts)) return GroupedFn::apply(x, stack, rows.ends);
  std::vector<at::Tensor> outputs;
  int64_t begin = 0;
  for (int64_t e = 0; e < num_experts; ++e) {
    const auto count = rows.counts[static_cast<size_t>(e)];
    if (count == 0) continue;
    outputs.push_back(aten_linear(x.narrow(0, begin, count), share_of(stack, num_experts, e), scales));
    begin += count;
  }
  return at::cat(outputs, 0);
}

}  // namespace r1::nn
