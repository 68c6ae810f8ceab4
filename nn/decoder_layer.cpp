#include "nn/decoder_layer.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "model/shapes.h"
#include "nn/mla.h"

namespace r1::nn {
namespace {

MlaAttention bind_mla(const Parameters& p, const model::ModelConfig& c, const std::string& prefix,
                      const ProductOf& product) {
  const bool compresses = c.mla->q_lora_rank > 0;
  MlaAttention a;
  a.input = product(
      p.stack(prefix + (compresses ? "q_a_proj.weight" : "q_proj.weight"), prefix + "kv_a_proj_with_mqa.weight"));
  if (compresses) {
    a.q_norm = p.get(prefix + "q_a_layernorm.weight");
    a.q_b = product(p.get(prefix + "q_b_proj.weight"));
  }
  a.kv_norm = p.get(prefix + "kv_a_layernorm.weight");
  a.kv_b = product(p.get(prefix + "kv_b_proj.weight"));
  a.output = product(p.get(prefix + "o_proj.weight"));
  return a;
}

Mlp bind_mlp(const Parameters& p, const std::string& prefix, const ProductOf& product) {
  return {.gate_up = product(p.stack(prefix + "gate_proj.weight", prefix + "up_proj.weight")),
          .down = product(p.get(prefix + "down_proj.weight"))};
}

MoeWeights bind_moe(const Parameters& p, const std::string& prefix, int64_t num_experts, const ProductOf& product) {
  const auto first = prefix + "experts.0.", last = fmt::format("{}experts.{}.", prefix, num_experts - 1);
  return {.gate = p.get(prefix + "gate.weight"),
          .bias = p.get(prefix + "gate.e_score_correction_bias").weight,
          .gate_up = product(p.stack(first + "gate_proj.weight", last + "up_proj.weight")),
          .down = product(p.stack(first + "down_proj.weight", last + "down_proj.weight"))};
}

at::Tensor run_mla(const MlaAttention& a, const model::ModelConfig& c, const at::Tensor& x,
                   const AttentionInputs& inputs, Backend b) {
  const auto& m = *c.mla;
  const auto q_width = a.q_b.weight.defined() ? m.q_lora_rank : c.num_heads * m.qk_head_dim();
  const auto parts = linear(x, a.input, {}, b).split_with_sizes({q_width, m.kv_lora_rank, m.qk_rope_head_dim}, 1);
  // The queries are rotated in place, which a view of the product would not bear.
  const auto q = a.q_b.weight.defined() ? linear(rms_norm(parts[0], a.q_norm, model::kLatentNormEps, b), a.q_b, {}, b)
                                        : parts[0].clone(at::MemoryFormat::Contiguous);
  const auto latent = rms_norm(parts[1], a.kv_norm, model::kLatentNormEps, b);
  const auto kv = linear(latent, a.kv_b, {}, b);
  std::optional<Latents> latents;
  if (inputs.absorbs_latents) latents = {.normed = latent.detach(), .kv_b = a.kv_b.weight};
  const auto attended = mla_attention(q, parts[2], kv, inputs, b, latents);
  return linear(attended, a.output, {}, b, {.input = kernels::Fp8Scale::kPowerOfTwo});
}

at::Tensor run_mlp(const Mlp& m, const at::Tensor& x, Backend b) {
  return linear(swiglu(linear(x, m.gate_up, {}, b), b), m.down, {}, b);
}

}  // namespace

DecoderLayer bind_layer(const Parameters& p, const model::ModelConfig& c, int64_t index, const ProductOf& product) {
  const auto prefix = fmt::format("model.layers.{}.", index), attention = prefix + "self_attn.", mlp = prefix + "mlp.";
  DecoderLayer layer{.attention_norm = p.get(prefix + "input_layernorm.weight"),
                     .mlp_norm = p.get(prefix + "post_attention_layernorm.weight")};
  if (c.mla) {
    layer.mla = bind_mla(p, c, attention, product);
  } else {
    layer.attention = {
        .qkv = product(p.stack(attention + "q_proj.weight", attention + "v_proj.weight")),
        .qkv_bias = c.qkv_bias ? p.stack(attention + "q_proj.bias", attention + "v_proj.bias") : Parameter{},
        .output = product(p.get(attention + "o_proj.weight"))};
  }
  if (!c.is_moe_layer(index)) {
    layer.mlp = bind_mlp(p, mlp, product);
    return layer;
  }
  layer.moe = bind_moe(p, mlp, c.moe->num_experts, product);
  if (c.moe->num_shared_experts > 0) layer.mlp = bind_mlp(p, mlp + "shared_experts.", product);
  return layer;
}

std::vector<at::Tensor> run_layer(const DecoderLayer& layer, const model::ModelConfig& c, const at::Tensor& hidden,
                                  const AttentionInputs& inputs, const std::vector<int32_t>& balanced, Backend b) {
  const auto normed = rms_norm(hidden, layer.attention_norm, c.rms_norm_eps, b);
  const auto attended =
      layer.mla ? run_mla(*layer.mla, c, normed, inputs, b)
                : linear(rope_attention(linear(normed, layer.attention->qkv, layer.attention->qkv_bias, b), inputs, b),
                         layer.attention->output, {}, b);
  const auto middle = hidden + attended;
  const auto x = rms_norm(middle, layer.mlp_norm, c.rms_norm_eps, b);
  if (!layer.moe) return {middle + run_mlp(*layer.mlp, x, b)};
  const auto routed = routed_experts(x, *layer.moe, model::router_shape(c), balanced, b);
  const auto output = layer.mlp ? routed.output + run_mlp(*layer.mlp, x, b) : routed.output;
  return {middle + output, routed.balance, routed.loads};
}

}  // namespace r1::nn
