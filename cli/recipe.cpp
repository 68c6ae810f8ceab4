#include "cli/recipe.h"

#include "cli/precision.h"
#include "core/error.h"

namespace r1::cli {
namespace {

model::Family family_of(const std::string& name) {
  if (name == "deepseek_v3") return model::Family::kDeepseekV3;
  return name == "llama" ? model::Family::kLlama : model::Family::kQwen2;
}

// The published config's keys, within [model].
void read_fresh_v3(model::ModelConfig& c, const ConfigTable& t) {
  c.mla = {.q_lora_rank = t.get_int("q_lora_rank", 0),
           .kv_lora_rank = t.get_int("kv_lora_rank", 32),
           .qk_nope_head_dim = t.get_int("qk_nope_head_dim", 16),
           .qk_rope_head_dim = t.get_int("qk_rope_head_dim", 16),
           .v_head_dim = t.get_int("v_head_dim", 24)};
  c.moe = {.num_experts = t.get_int("n_routed_experts", 16),
           .num_shared_experts = t.get_int("n_shared_experts", 1),
           .top_k = t.get_int("num_experts_per_tok", 4),
           .num_groups = t.get_int("n_group", 1),
           .top_groups = t.get_int("topk_group", 1),
           .intermediate_size = t.get_int("moe_intermediate_size", 64),
           .first_layer = t.get_int("first_k_dense_replace", 1),
           .norm_topk_prob = t.get_bool("norm_topk_prob", true),
           .routed_scaling_factor = t.get_double("routed_scaling_factor", 1.0)};
  c.num_kv_heads = c.num_heads;
  c.head_dim = c.mla->qk_head_dim();
  c.num_mtp_layers = t.get_int("num_nextn_predict_layers", 1);
}

model::ModelConfig read_fresh_model(const ConfigTable& t) {
  model::ModelConfig c;
  c.family = family_of(t.get_choice("family", "llama", {"llama", "qwen2", "deepseek_v3"}));
  c.hidden_size = t.get_int("hidden_size", 128);
  c.intermediate_size = t.get_int("intermediate_size", 384);
  c.num_layers = t.get_int("num_layers", 4);
  c.num_heads = t.get_int("num_heads", 4);
  if (c.family == model::Family::kDeepseekV3) {
    read_fresh_v3(c, t);
  } else {
    c.num_kv_heads = t.get_int("num_kv_heads", c.num_heads);
    c.head_dim = t.get_int("head_dim", c.num_heads > 0 ? c.hidden_size / c.num_heads : 0);
  }
  c.max_position = t.get_int("max_position", 1024);
  c.rope_theta = t.get_double("rope_theta", 10000);
  c.rms_norm_eps = t.get_double("rms_norm_eps", 1e-6);
  c.tie_word_embeddings = t.get_bool("tie_word_embeddings", true);
  c.qkv_bias = c.family == model::Family::kQwen2;
  return c;
}

ModelRecipe read_model(const ConfigTable& t) {
  ModelRecipe r;
  r.path = t.get_string("path", "");
  r.fresh = read_fresh_model(t);
  r.precision = t.get_choice("precision", "f32", {"f32", "bf16", "fp8"});
  if (r.path.empty()) precision_of(r.precision, r.fresh, "model.precision");  // refused before anything is begun
  r.recomputes_layers = t.get_bool("recompute_layers", false);
  return r;
}

TokenizerRecipe read_tokenizer(const ConfigTable& t) {
  TokenizerRecipe r;
  r.path = t.get_string("path", "");
  r.vocab_size = t.get_int("vocab_size", r.vocab_size);
  r.max_integer = t.get_int("max_integer", r.max_integer);
  r.num_documents = t.get_int("num_documents", r.num_documents);
  return r;
}

rollout::EngineConfig read_engine(const ConfigTable& t) {
  rollout::EngineConfig c;
  c.max_batch_tokens = t.get_int("max_batch_tokens", c.max_batch_tokens);
  c.max_running = t.get_int("max_running", c.max_running);
  c.kv_cache_mb = t.get_int("kv_cache_mb", c.kv_cache_mb);
  c.max_context = t.get_int("max_context", c.max_context);
  c.num_draft_tokens = t.get_int("num_draft_tokens", c.num_draft_tokens);
  return c;
}

}  // namespace

Recipe read_recipe(const Config& config) {
  Recipe r;
  r.model = read_model(config.table("model"));
  r.tokenizer = read_tokenizer(config.table("tokenizer"));
  r.pretrain = sft::read_pretrain_config(config);
  r.traces = tasks::read_trace_options(config.table("pretrain").table("traces"));
  for (const auto& table : config.root().tables("tasks")) r.task_sets.push_back(tasks::read_set_config(table));
  r.prompt = tasks::read_prompt_style(config.table("prompt"));
  r.rewards = rewards::read_reward_options(config.table("rewards"));
  r.engine = read_engine(config.table("engine"));
  r.rl = rl::read_rl_config(config);
  config.check_all_used();
  return r;
}

}  // namespace r1::cli
