#include "model/config_v3.h"

#include <cmath>

#include "core/error.h"

namespace r1::model {
namespace {

constexpr const char* kMend = "mend the key, or fetch the model's config again";
constexpr int64_t kMaxRank = int64_t{1} << 20;
constexpr int64_t kMaxExperts = int64_t{1} << 14;
constexpr int64_t kMaxExpertsOfAll = int64_t{1} << 22;  // experts times layers: names and shapes of all fit in memory
constexpr int64_t kMaxMtp = 64;

[[noreturn]] void refuse(const std::string& where, const std::string& problem) { throw Error(where, problem, kMend); }

void check_range(const std::string& where, const char* key, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return;
  refuse(where, fmt::format("key '{}' is {}; {} to {} are allowed", key, value, least, most));
}

// Adds tensors below one prefix.
class Adder {
 public:
  Adder(std::vector<ModelConfig::Parameter>& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}
  void kept(const std::string& name, std::vector<int64_t> shape) { out_.push_back({prefix_ + name, std::move(shape)}); }
  void quantised(const std::string& name, std::vector<int64_t> shape) {
    out_.push_back({.name = prefix_ + name, .shape = std::move(shape), .is_quantised = true});
  }
  void buffer(const std::string& name, std::vector<int64_t> shape) {
    out_.push_back({.name = prefix_ + name, .shape = std::move(shape), .is_buffer = true});
  }
  void mlp(const std::string& name, int64_t hidden, int64_t width) {
    quantised(name + ".gate_proj.weight", {width, hidden});
    quantised(name + ".up_proj.weight", {width, hidden});
    quantised(name + ".down_proj.weight", {hidden, width});
  }

 private:
  std::vector<ModelConfig::Parameter>& out_;
  std::string prefix_;
};

void add_attention(Adder& add, const ModelConfig& c) {
  const auto& m = *c.mla;
  const int64_t queries = c.num_heads * m.qk_head_dim();
  if (m.q_lora_rank > 0) {
    add.quantised("self_attn.q_a_proj.weight", {m.q_lora_rank, c.hidden_size});
    add.kept("self_attn.q_a_layernorm.weight", {m.q_lora_rank});
    add.quantised("self_attn.q_b_proj.weight", {queries, m.q_lora_rank});
  } else {
    add.quantised("self_attn.q_proj.weight", {queries, c.hidden_size});
  }
  add.quantised("self_attn.kv_a_proj_with_mqa.weight", {m.latent_dim(), c.hidden_size});
  add.kept("self_attn.kv_a_layernorm.weight", {m.kv_lora_rank});
  add.quantised("self_attn.kv_b_proj.weight", {c.num_heads * (m.qk_nope_head_dim + m.v_head_dim), m.kv_lora_rank});
  add.quantised("self_attn.o_proj.weight", {c.hidden_size, c.num_heads * m.v_head_dim});
}

void add_moe(Adder& add, const ModelConfig& c) {
  const auto& m = *c.moe;
  add.kept("mlp.gate.weight", {m.num_experts, c.hidden_size});
  add.buffer("mlp.gate.e_score_correction_bias", {m.num_experts});
  for (int64_t e = 0; e < m.num_experts; ++e) {
    add.mlp(fmt::format("mlp.experts.{}", e), c.hidden_size, m.intermediate_size);
  }
  if (m.num_shared_experts > 0) {
    add.mlp("mlp.shared_experts", c.hidden_size, m.num_shared_experts * m.intermediate_size);
  }
}

void check_mla(const ModelConfig& c, const std::string& where) {
  const auto& m = *c.mla;
  check_range(where, "q_lora_rank", m.q_lora_rank, 0, kMaxRank);
  check_range(where, "kv_lora_rank", m.kv_lora_rank, 1, kMaxRank);
  check_range(where, "qk_nope_head_dim", m.qk_nope_head_dim, 1, 1 << 14);
  check_range(where, "qk_rope_head_dim", m.qk_rope_head_dim, 2, 1 << 14);
  check_range(where, "v_head_dim", m.v_head_dim, 1, 1 << 14);
  if (m.qk_rope_head_dim % 2 != 0) {
    refuse(where,
           fmt::format("key 'qk_rope_head_dim' is {}; rotary positions need an even number", m.qk_rope_head_dim));
  }
  if (c.head_dim != m.qk_head_dim()) {
    refuse(where,
           fmt::format("head_dim is {}; 'qk_nope_head_dim' + 'qk_rope_head_dim' are {}", c.head_dim, m.qk_head_dim()));
  }
}

void check_moe(const ModelConfig& c, const std::string& where) {
  const auto& m = *c.moe;
  check_range(where, "n_routed_experts", m.num_experts, 1, kMaxExperts);
  check_range(where, "n_shared_experts", m.num_shared_experts, 0, 1 << 10);
  check_range(where, "moe_intermediate_size", m.intermediate_size, 1, int64_t{1} << 20);
  check_range(where, "first_k_dense_replace", m.first_layer, 0, c.num_layers);
  check_range(where, "n_group", m.num_groups, 1, m.num_experts);
  if (m.num_experts % m.num_groups != 0) {
    refuse(where, fmt::format("key 'n_routed_experts' is {}, which 'n_group' {} does not divide", m.num_experts,
                              m.num_groups));
  }
  const int64_t group_size = m.num_experts / m.num_groups;
  if (m.num_groups > 1 && group_size < 2) {
    refuse(where, fmt::format("key 'n_group' is {}: groups of {} expert; a group's score is the sum of its best two",
                              m.num_groups, group_size));
  }
  check_range(where, "topk_group", m.top_groups, 1, m.num_groups);
  if (m.top_k < 1 || m.top_k > m.top_groups * group_size) {
    refuse(where, fmt::format("key 'num_experts_per_tok' is {}; 'topk_group' {} of 'n_group' {} leave 1 to {} experts",
                              m.top_k, m.top_groups, m.num_groups, m.top_groups * group_size));
  }
  if (!(m.routed_scaling_factor > 0) || !std::isfinite(m.routed_scaling_factor)) {
    refuse(where,
           fmt::format("key 'routed_scaling_factor' is {}; a positive number is wanted", m.routed_scaling_factor));
  }
  if (m.num_experts * (c.num_layers + c.num_mtp_layers) > kMaxExpertsOfAll) {
    refuse(where, fmt::format("keys 'n_routed_experts' {} and 'num_hidden_layers' {}: more than {} experts in all",
                              m.num_experts, c.num_layers, kMaxExpertsOfAll));
  }
}

void check_yarn(const YarnRopeScaling& s, const std::string& where) {
  const auto positive = [&](const char* key, double value, double least) {
    if (value >= least && std::isfinite(value)) return;
    refuse(where, fmt::format("key 'rope_scaling.{}' is {}; {} or more is wanted", key, value, least));
  };
  positive("factor", s.factor, 1);
  positive("beta_slow", s.beta_slow, 1e-6);
  positive("mscale", s.mscale, 0);
  positive("mscale_all_dim", s.mscale_all_dim, 0);
  if (!(s.beta_fast >= s.beta_slow) || !std::isfinite(s.beta_fast)) {
    refuse(where,
           fmt::format("keys 'rope_scaling.beta_fast' {} and 'rope_scaling.beta_slow' {}; fast >= slow is wanted",
                       s.beta_fast, s.beta_slow));
  }
  check_range(where, "rope_scaling.original_max_position_embeddings", s.original_max_position, 1, int64_t{1} << 31);
}

}  // namespace

void add_v3_layer(std::vector<ModelConfig::Parameter>& out, const ModelConfig& c, int64_t layer) {
  Adder add(out, fmt::format("model.layers.{}.", layer));
  add.kept("input_layernorm.weight", {c.hidden_size});
  add_attention(add, c);
  add.kept("post_attention_layernorm.weight", {c.hidden_size});
  if (c.is_moe_layer(layer))
    add_moe(add, c);
  else
    add.mlp("mlp", c.hidden_size, c.intermediate_size);
}

void add_mtp_module(std::vector<ModelConfig::Parameter>& out, const ModelConfig& c, int64_t module) {
  const int64_t layer = c.num_layers + module;
  Adder add(out, fmt::format("model.layers.{}.", layer));
  add.kept("enorm.weight", {c.hidden_size});
  add.kept("hnorm.weight", {c.hidden_size});
  add.kept("eh_proj.weight", {c.hidden_size, 2 * c.hidden_size});
  add_v3_layer(out, c, layer);
  add.kept("shared_head.norm.weight", {c.hidden_size});
}

std::vector<ModelConfig::Copy> ModelConfig::stored_copies() const {
  std::vector<Copy> out;
  for (int64_t module = 0; module < num_mtp_layers; ++module) {
    const auto prefix = fmt::format("model.layers.{}.", num_layers + module);
    const char* const head = tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
    out.push_back({prefix + "embed_tokens.weight", "model.embed_tokens.weight"});
    out.push_back({prefix + "shared_head.head.weight", head});
  }
  return out;
}

void validate_v3(const ModelConfig& c, const std::string& where) {
  if (c.family != Family::kDeepseekV3 || !c.mla || !c.moe) {
    refuse(where, "MLA and MoE come together, with model_type deepseek_v3");
  }
  check_range(where, "num_nextn_predict_layers", c.num_mtp_layers, 0, kMaxMtp);
  check_mla(c, where);
  check_moe(c, where);
  if (c.rope_scaling) refuse(where, "rope_type llama3 does not go with model_type deepseek_v3");
  if (c.yarn) check_yarn(*c.yarn, where);
  if (c.fp8) {
    check_range(where, "quantization_config.weight_block_size[0]", c.fp8->block_rows, 1, 1 << 16);
    check_range(where, "quantization_config.weight_block_size[1]", c.fp8->block_cols, 1, 1 << 16);
  }
}

}  // namespace r1::model
