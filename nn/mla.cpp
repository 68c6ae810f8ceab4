#include "nn/mla.h"

#include <torch/torch.h>

#include <numeric>

#include "core/thread_pool.h"
#include "kernels/elementwise.h"
#include "nn/autograd.h"

namespace r1::nn {
namespace {

using kernels::RopeDirection;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::span<const int32_t> positions_of(const AttentionInputs& a) {
  return {a.positions.const_data_ptr<int32_t>(), static_cast<size_t>(a.positions.numel())};
}

// Rotates the rope part of every head of q [T, H (N + P)], in place.
void rotate_queries(const at::Tensor& q, const AttentionInputs& a, RopeDirection direction) {
  const auto& s = *a.mla;
  kernels::rope(compute_pool(),
                {.x = out(q) + s.nope_dim,
                 .ldx = q.size(1),
                 .num_heads = s.num_heads,
                 .dim = s.rope_dim,
                 .head_stride = s.qk_dim(),
                 .cos = in(a.cos),
                 .sin = in(a.sin),
                 .layout = a.layout,
                 .direction = direction},
                positions_of(a));
}

void rotate_key(const at::Tensor& k_pe, const AttentionInputs& a, RopeDirection direction) {
  kernels::rope(compute_pool(),
                {.x = out(k_pe),
                 .ldx = k_pe.size(1),
                 .num_heads = 1,
                 .dim = a.mla->rope_dim,
                 .head_stride = a.mla->rope_dim,
                 .cos = in(a.cos),
                 .sin = in(a.sin),
                 .layout = a.layout,
                 .direction = direction},
                positions_of(a));
}

// Attention as rollouts compute it: every segment's latents in blocks of their own, and each row over its context
// there.
void attend_absorbed(const AttentionInputs& inputs, const at::Tensor& q, const at::Tensor& k_pe, const Latents& latents,
                     const at::Tensor& y) {
  const auto& s = *inputs.mla;
  const auto blocks_of = [](int32_t tokens) {
    return (tokens + kernels::kKvBlockTokens - 1) / kernels::kKvBlockTokens;
  };
  std::vector<int32_t> blocks(static_cast<size_t>(blocks_of(inputs.offsets.back())) + inputs.offsets.size());
  std::iota(blocks.begin(), blocks.end(), 0);
  std::vector<int64_t> slots;
  std::vector<kernels::PagedRow> rows;
  int32_t first = 0;  // block of the segment
  for (size_t i = 0; i + 1 < inputs.offsets.size(); ++i) {
    const auto length = inputs.offsets[i + 1] - inputs.offsets[i];
    for (int32_t j = 0; j < length; ++j) {
      slots.push_back(int64_t{first} * kernels::kKvBlockTokens + j);
      rows.push_back({.block_table = blocks.data() + first, .context = j + 1});
    }
    first += blocks_of(length);
  }
  const auto cache = at::empty({first * kernels::latent_block_floats(s)}, q.options());
  kernels::store_latents(compute_pool(), s, in(latents.normed), s.latent_rank, in(k_pe), s.rope_dim, slots, out(cache));
  kernels::AbsorbedHeads::Buffers buffers;
  kernels::AbsorbedHeads(compute_pool(), s, in(latents.kv_b))
      .attend(compute_pool(), in(q), rows, in(cache), 0, buffers, out(y));
}

struct MlaFn : torch::autograd::Function<MlaFn> {
  struct Kept {
    std::shared_ptr<const AttentionInputs> inputs;
    at::Tensor q, k, v;  // rotated
  };

  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k_pe_in, const at::Tensor& kv,
                            std::shared_ptr<const AttentionInputs> inputs, const std::optional<Latents>& latents) {
    const auto& s = *inputs->mla;
    const auto t = q.size(0);
    const auto k_pe = k_pe_in.clone(at::MemoryFormat::Contiguous);
    rotate_queries(q, *inputs, RopeDirection::kForward);
    rotate_key(k_pe, *inputs, RopeDirection::kForward);
    const auto k = at::empty({t, int64_t{s.num_heads} * s.qk_dim()}, q.options());
    const auto v = at::empty({t, int64_t{s.num_heads} * s.v_dim}, q.options());
    kernels::expand_keys_values(compute_pool(), s, in(kv), in(k_pe), t, out(k), out(v));
    auto y = at::empty_like(v);
    const auto lse = at::empty({t, s.num_heads}, q.options());
    kernels::attention_packed(compute_pool(), s.expanded(), in(q), q.size(1), in(k), k.size(1), in(v), v.size(1),
                              inputs->offsets, out(y), y.size(1), out(lse));
    ctx->save_for_backward({y, lse});
    auto absorbed = y;
    if (latents) attend_absorbed(*inputs, q, k_pe, *latents, absorbed = at::empty_like(y));
    keep(ctx, Kept{std::move(inputs), q, k, v});
    return absorbed;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto& [inputs, q, k, v] = kept<Kept>(ctx);
    const auto& s = *inputs->mla;
    const auto d_y = grads[0].contiguous();
    const auto d_q = at::empty_like(q), d_k = at::empty_like(k), d_v = at::empty_like(v);
    kernels::attention_packed_backward(compute_pool(), s.expanded(),
                                       {.q = in(q),
                                        .k = in(k),
                                        .v = in(v),
                                        .out = in(saved[0]),
                                        .lse = in(saved[1]),
                                        .d_out = in(d_y),
                                        .ldq = q.size(1),
                                        .ldk = k.size(1),
                                        .ldv = v.size(1),
                                        .ldo = v.size(1),
                                        .d_q = out(d_q),
                                        .d_k = out(d_k),
                                        .d_v = out(d_v)},
                                       inputs->offsets);
    const auto d_kv = at::empty({q.size(0), int64_t{s.num_heads} * (s.nope_dim + s.v_dim)}, q.options());
    const auto d_k_pe = at::empty({q.size(0), s.rope_dim}, q.options());
    kernels::expand_keys_values_backward(compute_pool(), s, in(d_k), in(d_v), q.size(0), out(d_kv), out(d_k_pe));
    rotate_queries(d_q, *inputs, RopeDirection::kBackward);
    rotate_key(d_k_pe, *inputs, RopeDirection::kBackward);  // rotations are linear: the sum over heads may come first
    return {d_q, d_k_pe, d_kv, {}, {}};
  }
};

// x [T, h, P] rotated; cos and sin are [T, 1, P / 2]. The pairs' order within a head is that of transformers, which
// changes no score: q and k have the same.
at::Tensor aten_rope(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, kernels::RopeLayout layout) {
  const bool is_interleaved = layout == kernels::RopeLayout::kInterleaved;
  const auto pairs = is_interleaved ? x.unflatten(-1, {-1, 2}) : x.unflatten(-1, {2, -1}).transpose(-1, -2);
  const auto a = pairs.select(-1, 0), b = pairs.select(-1, 1);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, -1);
}

at::Tensor aten_mla(const at::Tensor& q, const at::Tensor& k_pe, const at::Tensor& kv, const AttentionInputs& a) {
  const auto& s = *a.mla;
  const auto t = q.size(0);
  const auto cos = a.cos.index_select(0, a.positions).unsqueeze(1),
             sin = a.sin.index_select(0, a.positions).unsqueeze(1);
  const auto q_parts = q.view({t, s.num_heads, s.qk_dim()}).split_with_sizes({s.nope_dim, s.rope_dim}, -1);
  const auto kv_parts = kv.view({t, s.num_heads, -1}).split_with_sizes({s.nope_dim, s.v_dim}, -1);
  const auto queries = at::cat({q_parts[0], aten_rope(q_parts[1], cos, sin, a.layout)}, -1);
  const auto shared = aten_rope(k_pe.unsqueeze(1), cos, sin, a.layout).expand({t, s.num_heads, s.rope_dim});
  const auto keys = at::cat({kv_parts[0], shared}, -1);
  std::vector<at::Tensor> outputs;
  for (size_t i = 0; i + 1 < a.offsets.size(); ++i) {
    const auto begin = a.offsets[i], length = a.offsets[i + 1] - begin;
    const auto slice = [&](const at::Tensor& x) { return x.narrow(0, begin, length).transpose(0, 1).unsqueeze(0); };
    const auto y = at::scaled_dot_product_attention(slice(queries), slice(keys), slice(kv_parts[1]), {}, 0.0,
                                                    /*is_causal=*/true, s.scale);
    outputs.push_back(y.squeeze(0).transpose(0, 1).reshape({length, -1}));
  }
  return at::cat(outputs, 0);
}

}  // namespace

at::Tensor mla_attention(const at::Tensor& q, const at::Tensor& k_pe, const at::Tensor& kv,
                         const AttentionInputs& inputs, Backend backend, const std::optional<Latents>& latents) {
  if (inputs.sharing.rows.defined()) {
    auto expanded = inputs;
    expanded.sharing = {};
    const auto at_rows = [&](const at::Tensor& x) { return x.index_select(0, inputs.sharing.rows); };
    auto own_latents = latents;
    if (own_latents) own_latents->normed = at_rows(own_latents->normed);
    return mla_attention(at_rows(q), at_rows(k_pe), at_rows(kv), expanded, backend, own_latents)
        .index_select(0, inputs.sharing.chosen);
  }
  if (backend == Backend::kAten) return aten_mla(q, k_pe, kv, inputs);
  return MlaFn::apply(q.contiguous(), k_pe, kv.contiguous(), std::make_shared<const AttentionInputs>(inputs), latents);
}

}  // namespace r1::nn
