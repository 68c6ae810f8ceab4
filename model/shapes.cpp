#include "model/shapes.h"

namespace r1::model {

kernels::AttentionShape attention_shape(const ModelConfig& c) {
  return {.num_heads = static_cast<int>(c.num_heads),
          .num_kv_heads = static_cast<int>(c.num_kv_heads),
          .head_dim = static_cast<int>(c.head_dim),
          .v_head_dim = static_cast<int>(c.head_dim),
          .scale = c.attention_scale()};
}

kernels::MlaShape mla_shape(const ModelConfig& c) {
  return {.num_heads = static_cast<int>(c.num_heads),
          .nope_dim = static_cast<int>(c.mla->qk_nope_head_dim),
          .rope_dim = static_cast<int>(c.mla->qk_rope_head_dim),
          .v_dim = static_cast<int>(c.mla->v_head_dim),
          .latent_rank = static_cast<int>(c.mla->kv_lora_rank),
          .scale = c.attention_scale()};
}

kernels::RouterShape router_shape(const ModelConfig& c) {
  return {.num_experts = static_cast<int>(c.moe->num_experts),
          .top_k = static_cast<int>(c.moe->top_k),
          .num_groups = static_cast<int>(c.moe->num_groups),
          .top_groups = static_cast<int>(c.moe->top_groups),
          .normalises = c.moe->norm_topk_prob,
          .scaling = static_cast<float>(c.moe->routed_scaling_factor)};
}

}  // namespace r1::model
