#include "nn/moe.h"

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "kernels/elementwise.h"
#include "nn/aten_products.h"
#include "nn/autograd.h"
#include "nn/fp8_products.h"
#include "nn/products.h"

namespace r1::nn {
namespace {

using kernels::ExpertPlan;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What is dispatched to the experts, tokens and the gradients of their outputs, has powers of two as scales.
constexpr Fp8Scales kGateUpScales{.input = kernels::Fp8Scale::kPowerOfTwo},
    kDownScales{.output_grad = kernels::Fp8Scale::kPowerOfTwo};

// One expert's share of a stack of weights.
struct ExpertMatrix {
  const float* w;
  float* d_w;
  int64_t n, k;
  kernels::Element element;
  std::vector<int64_t> parts = {};  // empty: not through FP8
  Fp8Scales scales = {};

  static ExpertMatrix of(const Parameter& stack, int64_t num_experts, int32_t e, const Fp8Scales& scales) {
    const int64_t n = stack.weight.size(0) / num_experts, k = stack.weight.size(1), at = e * n * k;
    ExpertMatrix m{.w = in(stack.weight) + at,
                   .d_w = stack.grad.defined() ? out(stack.grad) + at : nullptr,
                   .n = n,
                   .k = k,
                   .element = stack.element,
                   .scales = scales};
    const auto per_expert = std::ssize(stack.part_rows) / num_experts;
    if (stack.is_fp8)
      m.parts.assign(stack.part_rows.begin() + e * per_expert, stack.part_rows.begin() + (e + 1) * per_expert);
    return m;
  }
  Fp8Linear fp8(const float* x, int64_t rows) const {
    return {.x = x, .w = w, .t = rows, .n = n, .k = k, .parts = parts, .scales = scales};
  }
  LinearShape shape(int64_t rows) const { return {rows, n, k, element}; }
  void forward(const float* x, float* y, int64_t rows) const {
    if (parts.empty())
      multiply(shape(rows), x, w, y);
    else
      fp8_forward(fp8(x, rows), y);
  }
  void backward(const float* x, const float* d_y, float* d_x, int64_t rows) const {
    if (!parts.empty()) return fp8_backward(fp8(x, rows), d_y, d_x, d_w);
    input_grad(shape(rows), d_y, w, d_x);
    add_weight_grad(shape(rows), d_y, x, d_w);
  }
};

// Everything of one layer that both passes need.
struct Moe {
  MoeWeights weights;
  kernels::RouterShape router;
  std::vector<int32_t> offsets;
  ExpertPlan plan;
  at::Tensor scores, experts, route_weights;  // [T, E], [T, K] int32, [T, K]
  at::Tensor gate_up, rows;                   // [S, 2F], [S, D] of the slots

  int64_t num_experts() const { return router.num_experts; }
  int64_t num_slots() const { return std::ssize(plan.tokens); }
  int64_t width() const { return weights.down.weight.size(1); }
  int64_t hidden() const { return weights.gate.weight.size(1); }
  ExpertMatrix gate_up_of(int32_t e) const {
    return ExpertMatrix::of(weights.gate_up, num_experts(), e, kGateUpScales);
  }
  ExpertMatrix down_of(int32_t e) const { return ExpertMatrix::of(weights.down, num_experts(), e, kDownScales); }

  void choose(const at::Tensor& x) {
    const auto t = x.size(0);
    const auto logits = at::empty({t, num_experts()}, x.options());
    multiply(x, weights.gate.weight, weights.gate.element, logits);
    scores = at::empty_like(logits);
    route_weights = at::empty({t, router.top_k}, x.options());
    experts = at::empty({t, router.top_k}, x.options().dtype(at::kInt));
    auto* const chosen = experts.mutable_data_ptr<int32_t>();
    kernels::route(compute_pool(), router, in(logits), in(weights.bias), t, out(scores), chosen, out(route_weights));
    plan = kernels::plan_experts({chosen, static_cast<size_t>(experts.numel())}, router.top_k, num_experts());
  }

  at::Tensor gather(const at::Tensor& x) const {
    auto gathered = at::empty({num_slots(), hidden()}, x.options());
    kernels::gather_rows(compute_pool(), in(x), hidden(), plan.tokens, out(gathered));
    return gathered;
  }
  at::Tensor activate() const {
    auto y = at::empty({num_slots(), width()}, gate_up.options());
    kernels::swiglu(compute_pool(), in(gate_up), num_slots(), width(), out(y));
    return y;
  }

  at::Tensor run(const at::Tensor& x) {
    const auto d = hidden(), f = width();
    const auto gathered = gather(x);
    gate_up = at::empty({num_slots(), 2 * f}, x.options());
    rows = at::empty({num_slots(), d}, x.options());
    kernels::for_each_expert(compute_pool(), plan, [&](int32_t e, int64_t begin, int64_t count) {
      gate_up_of(e).forward(in(gathered) + begin * d, out(gate_up) + begin * 2 * f, count);
    });
    const auto activated = activate();
    kernels::for_each_expert(compute_pool(), plan, [&](int32_t e, int64_t begin, int64_t count) {
      down_of(e).forward(in(activated) + begin * f, out(rows) + begin * d, count);
    });
    auto y = at::empty_like(x);
    kernels::combine_rows(compute_pool(), in(rows), d, plan, router.top_k, in(route_weights), out(y));
    return y;
  }

  // d_y [T, D] -> d_x [T, D] through the experts; d_route [T, K].
  at::Tensor run_backward(const at::Tensor& x, const at::Tensor& d_y, const at::Tensor& d_route) const {
    const auto d = hidden(), f = width();
    const auto d_rows = at::empty_like(rows), d_gate_up = at::empty_like(gate_up);
    kernels::combine_rows_backward(compute_pool(), in(rows), d, plan, router.top_k, in(route_weights), in(d_y),
                                   out(d_rows), out(d_route));
    const auto activated = activate();
    const auto d_activated = at::empty_like(activated);
    kernels::for_each_expert(compute_pool(), plan, [&](int32_t e, int64_t begin, int64_t count) {
      down_of(e).backward(in(activated) + begin * f, in(d_rows) + begin * d, out(d_activated) + begin * f, count);
    });
    kernels::swiglu_backward(compute_pool(), in(gate_up), in(d_activated), num_slots(), f, out(d_gate_up));
    const auto gathered = gather(x);
    const auto d_gathered = at::empty_like(gathered);
    kernels::for_each_expert(compute_pool(), plan, [&](int32_t e, int64_t begin, int64_t count) {
      gate_up_of(e).backward(in(gathered) + begin * d, in(d_gate_up) + begin * 2 * f, out(d_gathered) + begin * d,
                             count);
    });
    auto d_x = at::empty_like(x);
    kernels::combine_rows(compute_pool(), in(d_gathered), d, plan, router.top_k, nullptr, out(d_x));
    return d_x;
  }

  // Adds to d_x and to the gate's gradient what comes through the routing weights and the balance losses.
  void gate_backward(const at::Tensor& x, const at::Tensor& d_route, const at::Tensor& d_balance,
                     const at::Tensor& d_x) const {
    const auto t = x.size(0);
    const auto d_logits = at::empty_like(scores);
    kernels::route_backward(compute_pool(), router, in(scores), experts.const_data_ptr<int32_t>(), in(d_route), t,
                            out(d_logits));
    if (d_balance.defined()) {
      const auto d_losses = (d_balance * lengths(x)).contiguous();
      kernels::add_balance_gradient(compute_pool(), in(scores), num_experts(), router.top_k, offsets, in(d_losses),
                                    out(d_logits));
    }
    const auto d_gated = at::empty_like(x);
    input_grad(d_logits, weights.gate.weight, weights.gate.element, d_gated);
    add_weight_grad(d_logits, x, weights.gate.element, weights.gate.grad);
    d_x.add_(d_gated);
  }

  at::Tensor lengths(const at::Tensor& like) const {
    const auto ends = torch::tensor(offsets, at::kInt).to(like.device(), at::kFloat);
    return ends.diff();
  }
  at::Tensor balance() const {
    const auto losses = at::empty({std::ssize(offsets) - 1}, scores.options());
    kernels::balance_losses(compute_pool(), in(scores), num_experts(), router.top_k, offsets, out(losses));
    return losses * lengths(losses);
  }
  at::Tensor loads() const {
    auto counts = at::zeros({num_experts()}, at::kLong);
    for (size_t a = 0; a < plan.active.size(); ++a) counts[plan.active[a]] = plan.offsets[a + 1] - plan.offsets[a];
    return counts;
  }
};

struct MoeFn : torch::autograd::Function<MoeFn> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, Moe moe) {
    moe.choose(x);
    auto y = moe.run(x);
    auto balance = moe.balance(), loads = moe.loads();
    ctx->mark_non_differentiable({loads});
    ctx->save_for_backward({x});
    keep(ctx, std::move(moe));
    return {y, balance, loads};
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto x = ctx->get_saved_variables()[0];
    const auto& moe = kept<Moe>(ctx);
    const auto d_y = grads[0].defined() ? grads[0].contiguous() : at::zeros_like(x);
    const auto d_route = at::empty_like(moe.route_weights);
    const auto d_x = moe.run_backward(x, d_y, d_route);
    moe.gate_backward(x, d_route, grads[1], d_x);
    return {d_x, {}};
  }
};

// The choice of kernels::route() in ATen operations, without gradient. -> [T, K] int64 ascending.
at::Tensor aten_choice(const at::Tensor& scores, const at::Tensor& bias, const kernels::RouterShape& r) {
  auto choice = scores.detach() + bias;
  if (r.top_groups < r.num_groups) {
    const auto groups = choice.unflatten(1, {r.num_groups, -1});
    const auto best = std::get<0>(groups.topk(2, -1)).sum(-1);
    const auto kept_groups = at::zeros_like(best).scatter_(1, std::get<1>(best.topk(r.top_groups, -1)), 1.0);
    choice = groups.masked_fill(kept_groups.unsqueeze(-1) == 0, -std::numeric_limits<double>::infinity()).flatten(1);
  }
  return std::get<0>(std::get<1>(choice.topk(r.top_k, -1)).sort(-1));
}

// Of scores [T, E]: the balance losses of kernels::balance_losses(), each times its segment's tokens.
at::Tensor aten_balance(const at::Tensor& scores, const kernels::RouterShape& r, const std::vector<int32_t>& offsets) {
  if (offsets.size() < 2) return scores.narrow(0, 0, 0).sum(-1);  // of no segment, with a gradient all the same
  std::vector<at::Tensor> losses;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto rows = scores.narrow(0, offsets[s], offsets[s + 1] - offsets[s]);
    const auto top = std::get<1>(rows.detach().topk(r.top_k, -1));
    const auto f = at::zeros_like(rows).scatter_(1, top, 1.0).mean(0) * (static_cast<double>(r.num_experts) / r.top_k);
    const auto p = (rows / rows.sum(-1, true)).mean(0);
    losses.push_back((f * p).sum() * rows.size(0));
  }
  return at::stack(losses);
}

MoeResult aten_experts(const at::Tensor& x, const MoeWeights& w, const kernels::RouterShape& r,
                       const std::vector<int32_t>& offsets) {
  const auto scores = at::sigmoid(aten_linear(x, w.gate));
  const auto chosen = aten_choice(scores, w.bias, r);
  auto weights = scores.gather(1, chosen);
  if (r.normalises) weights = weights / (weights.sum(-1, true) + 1e-20);
  weights = weights * r.scaling;
  const auto flat = chosen.flatten();
  const auto order = flat.argsort(/*stable=*/true, 0, false);
  const auto loads = at::bincount(flat, {}, r.num_experts);
  const auto tokens = order.div(r.top_k, "floor");
  const auto host_loads = loads.cpu();
  const auto* const counts = host_loads.const_data_ptr<int64_t>();
  const ExpertRows rows{.ends = loads.cumsum(0).to(at::kInt), .counts = {counts, counts + r.num_experts}};
  const auto gate_up = aten_expert_linear(x.index_select(0, tokens), w.gate_up, rows, kGateUpScales);
  const auto outputs = aten_expert_linear(swiglu(gate_up, Backend::kAten), w.down, rows, kDownScales);
  const auto weighted = outputs * weights.flatten().index_select(0, order).unsqueeze(1);
  return {at::zeros_like(x).index_add(0, tokens, weighted), aten_balance(scores, r, offsets), host_loads};
}

}  // namespace

MoeResult routed_experts(const at::Tensor& x, const MoeWeights& weights, const kernels::RouterShape& router,
                         const std::vector<int32_t>& offsets, Backend backend) {
  if (backend == Backend::kAten) return aten_experts(x, weights, router, offsets);
  auto results = MoeFn::apply(x.contiguous(), Moe{.weights = weights, .router = router, .offsets = offsets});
  return {results[0], results[1], results[2]};
}

at::Tensor max_violation(const at::Tensor& loads) {
  const auto l = loads.to(at::kDouble);
  return std::get<0>(l.max(1)) / l.mean(1).clamp_min(1e-30) - 1;
}

}  // namespace r1::nn
