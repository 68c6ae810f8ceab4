#include "nn/functional.h"

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "kernels/elementwise.h"
#include "nn/aten_products.h"
#include "nn/autograd.h"
#include "nn/fp8_linear.h"
#include "nn/products.h"

namespace r1::nn {
namespace {

using kernels::Element;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct LinearFn : torch::autograd::Function<LinearFn> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_in, const Parameter& weight,
                            const Parameter& bias) {
    const auto x = x_in.contiguous();
    ctx->save_for_backward({x});
    ctx->saved_data["w"] = weight.weight;
    ctx->saved_data["dw"] = weight.grad;
    ctx->saved_data["db"] = bias.grad;
    ctx->saved_data["element"] = static_cast<int64_t>(weight.element);
    auto y = at::empty({x.size(0), weight.weight.size(0)}, x.options());
    multiply(x, weight.weight, weight.element, y);
    if (bias.weight.defined()) y.add_(bias.weight);
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto d_y = grads[0].contiguous();
    const auto x = ctx->get_saved_variables()[0];
    const auto element = static_cast<Element>(ctx->saved_data["element"].toInt());
    add_weight_grad(d_y, x, element, ctx->saved_data["dw"].toTensor());
    const auto d_bias = ctx->saved_data["db"].toTensor();
    if (d_bias.defined()) d_bias.add_(d_y.sum(0));
    auto d_x = at::empty_like(x);
    input_grad(d_y, ctx->saved_data["w"].toTensor(), element, d_x);
    return {d_x, {}, {}};
  }
};

struct RmsNormFn : torch::autograd::Function<RmsNormFn> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_in, const Parameter& weight, double eps) {
    const auto x = x_in.contiguous();
    auto y = at::empty_like(x);
    const auto inv_rms = at::empty({x.size(0)}, x.options());
    kernels::rms_norm(compute_pool(), in(x), in(weight.weight), x.size(0), x.size(1), static_cast<float>(eps), out(y),
                      out(inv_rms));
    ctx->save_for_backward({x, inv_rms});
    ctx->saved_data["w"] = weight.weight;
    ctx->saved_data["dw"] = weight.grad;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &inv_rms = saved[1];
    const auto w = ctx->saved_data["w"].toTensor();
    const auto d_y = grads[0].contiguous();
    auto d_x = at::empty_like(x);
    const auto d_w = at::empty_like(w);
    kernels::rms_norm_backward(compute_pool(), in(x), in(w), in(inv_rms), in(d_y), x.size(0), x.size(1), out(d_x),
                               out(d_w));
    ctx->saved_data["dw"].toTensor().add_(d_w);
    return {d_x, {}, {}};
  }
};

struct SwigluFn : torch::autograd::Function<SwigluFn> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_up) {
    ctx->save_for_backward({gate_up});
    const auto f = gate_up.size(1) / 2;
    auto y = at::empty({gate_up.size(0), f}, gate_up.options());
    kernels::swiglu(compute_pool(), in(gate_up), gate_up.size(0), f, out(y));
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto gate_up = ctx->get_saved_variables()[0];
    auto d = at::empty_like(gate_up);
    kernels::swiglu_backward(compute_pool(), in(gate_up), in(grads[0].contiguous()), gate_up.size(0),
                             gate_up.size(1) / 2, out(d));
    return {d};
  }
};

struct EmbeddingFn : torch::autograd::Function<EmbeddingFn> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& /*anchor*/, const at::Tensor& ids,
                            const Parameter& weight) {
    ctx->saved_data["ids"] = ids;
    ctx->saved_data["dw"] = weight.grad;
    return weight.weight.index_select(0, ids);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    ctx->saved_data["dw"].toTensor().index_add_(0, ctx->saved_data["ids"].toTensor(), grads[0]);
    return {{}, {}, {}};
  }
};

// Rotates q and k of qkv [T, (H + 2G) E] in place.
void rotate(const at::Tensor& qkv, const AttentionInputs& inputs, kernels::RopeDirection direction) {
  const auto& s = inputs.shape;
  kernels::rope(compute_pool(),
                {.x = out(qkv),
                 .ldx = qkv.size(1),
                 .num_heads = s.num_heads + s.num_kv_heads,
                 .dim = s.head_dim,
                 .head_stride = s.head_dim,
                 .cos = in(inputs.cos),
                 .sin = in(inputs.sin),
                 .direction = direction},
                {inputs.positions.const_data_ptr<int32_t>(), static_cast<size_t>(inputs.positions.numel())});
}

struct AttentionFn : torch::autograd::Function<AttentionFn> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv,
                            std::shared_ptr<const AttentionInputs> inputs) {
    const auto& s = inputs->shape;
    const int64_t q_width = int64_t{s.num_heads} * s.head_dim, kv_width = int64_t{s.num_kv_heads} * s.head_dim;
    rotate(qkv, *inputs, kernels::RopeDirection::kForward);
    auto y = at::empty({qkv.size(0), q_width}, qkv.options());
    const auto lse = at::empty({qkv.size(0), s.num_heads}, qkv.options());
    const float* const q = in(qkv);
    kernels::attention_packed(compute_pool(), s, q, qkv.size(1), q + q_width, qkv.size(1), q + q_width + kv_width,
                              qkv.size(1), inputs->offsets, out(y), q_width, out(lse));
    ctx->save_for_backward({y, lse});
    ctx->saved_data["qkv"] = qkv;  // rotated; not a saved variable, whose version the in-place rotation would break
    keep(ctx, std::move(inputs));
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto qkv = ctx->saved_data["qkv"].toTensor();
    const auto inputs = kept<std::shared_ptr<const AttentionInputs>>(ctx);
    const auto& s = inputs->shape;
    const int64_t q_width = int64_t{s.num_heads} * s.head_dim, kv_width = int64_t{s.num_kv_heads} * s.head_dim;
    const auto d_y = grads[0].contiguous();
    const auto d_qkv = at::empty_like(qkv);
    const float* const q = in(qkv);
    float* const d_q = out(d_qkv);
    kernels::attention_packed_backward(compute_pool(), s,
                                       {.q = q,
                                        .k = q + q_width,
                                        .v = q + q_width + kv_width,
                                        .out = in(saved[0]),
                                        .lse = in(saved[1]),
                                        .d_out = in(d_y),
                                        .ldq = qkv.size(1),
                                        .ldk = qkv.size(1),
                                        .ldv = qkv.size(1),
                                        .ldo = q_width,
                                        .d_q = d_q,
                                        .d_k = d_q + q_width,
                                        .d_v = d_q + q_width + kv_width},
                                       inputs->offsets);
    rotate(d_qkv, *inputs, kernels::RopeDirection::kBackward);
    return {d_qkv, {}};
  }
};

struct CheckpointFn : torch::autograd::Function<CheckpointFn> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const LayerFunction& layer) {
    ctx->save_for_backward({x});
    auto outputs = layer(x);  // gradients are off inside a Function's forward
    variable_list integers;
    for (const auto& y : outputs) {
      if (!y.is_floating_point()) integers.push_back(y);
    }
    ctx->mark_non_differentiable(integers);
    keep(ctx, layer);
    return outputs;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto x = ctx->get_saved_variables()[0].detach().requires_grad_(true);
    at::AutoGradMode enable(true);
    const auto outputs = kept<LayerFunction>(ctx)(x);
    variable_list roots, root_grads;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].is_floating_point() || !grads[i].defined()) continue;
      roots.push_back(outputs[i]);
      root_grads.push_back(grads[i]);
    }
    torch::autograd::backward(roots, root_grads);  // sums into the weights' gradients on its way
    return {x.grad(), {}};
  }
};

at::Tensor aten_attention(const at::Tensor& qkv, const AttentionInputs& a) {
  const auto& s = a.shape;
  const auto parts = qkv.view({qkv.size(0), -1, s.head_dim})
                         .split_with_sizes({s.num_heads, s.num_kv_heads, s.num_kv_heads}, /*dim=*/1);
  const auto cos = a.cos.index_select(0, a.positions).unsqueeze(1),
             sin = a.sin.index_select(0, a.positions).unsqueeze(1);
  const auto rope = [&](const at::Tensor& x) {
    const auto halves = x.chunk(2, -1);
    return at::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
  };
  const auto q = rope(parts[0]), k = rope(parts[1]), v = parts[2];
  std::vector<at::Tensor> outputs;
  for (size_t i = 0; i + 1 < a.offsets.size(); ++i) {
    const auto begin = a.offsets[i], length = a.offsets[i + 1] - begin;
    const auto slice = [&](const at::Tensor& x) { return x.narrow(0, begin, length).transpose(0, 1).unsqueeze(0); };
    const auto y = at::scaled_dot_product_attention(slice(q), slice(k), slice(v), {}, 0.0, /*is_causal=*/true, s.scale,
                                                    /*enable_gqa=*/s.num_heads != s.num_kv_heads);
    outputs.push_back(y.squeeze(0).transpose(0, 1).reshape({length, -1}));
  }
  return at::cat(outputs, 0);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const Parameter& weight, const Parameter& bias, Backend backend,
                  const Fp8Scales& scales) {
  if (backend == Backend::kKernels) {
    return weight.is_fp8 ? fp8_linear(x, weight, scales) : LinearFn::apply(x, weight, bias);
  }
  const auto y = aten_linear(x, weight, scales);
  return bias.weight.defined() ? y + leaf(bias) : y;
}

at::Tensor rms_norm(const at::Tensor& x, const Parameter& weight, double eps, Backend backend) {
  if (backend == Backend::kKernels) return RmsNormFn::apply(x, weight, eps);
  return x * (x.square().mean(-1, /*keepdim=*/true) + eps).rsqrt() * leaf(weight);
}

at::Tensor swiglu(const at::Tensor& gate_up, Backend backend) {
  if (backend == Backend::kKernels) return SwigluFn::apply(gate_up.contiguous());
  const auto halves = gate_up.chunk(2, -1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor embedding(const at::Tensor& anchor, const at::Tensor& ids, const Parameter& weight) {
  return EmbeddingFn::apply(anchor, ids, weight);
}

at::Tensor rope_attention(const at::Tensor& qkv, const AttentionInputs& inputs, Backend backend) {
  if (inputs.sharing.rows.defined()) {
    auto expanded = inputs;
    expanded.sharing = {};
    return rope_attention(qkv.index_select(0, inputs.sharing.rows), expanded, backend)
        .index_select(0, inputs.sharing.chosen);
  }
  if (backend == Backend::kAten) return aten_attention(qkv, inputs);
  return AttentionFn::apply(qkv.contiguous(), std::make_shared<const AttentionInputs>(inputs));
}

std::vector<at::Tensor> checkpoint(const LayerFunction& layer, const at::Tensor& x) {
  return CheckpointFn::apply(x, layer);
}

}  // namespace r1::nn
