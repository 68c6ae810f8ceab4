// The keys of config.json that only model_type deepseek_v3 has (formats: DeepSeek-V3's published config).

#include "core/error.h"
#include "model/config_v3.h"

namespace r1::model {
namespace {

namespace bj = boost::json;

// A key whose other values would change the results.
void want_string(const bj::object& o, const char* key, const char* wanted, const std::string& where) {
  const std::string value = json::find_string(o, key, where).value_or(wanted);
  if (value == wanted) return;
  throw Error(where, fmt::format("key '{}' is '{}'; only '{}' is supported", key, value, wanted),
              "use a model with this setting");
}

MlaConfig read_mla(const bj::object& o, const std::string& where) {
  return {.q_lora_rank = json::find_int(o, "q_lora_rank", where).value_or(0),
          .kv_lora_rank = json::get_int(o, "kv_lora_rank", where),
          .qk_nope_head_dim = json::get_int(o, "qk_nope_head_dim", where),
          .qk_rope_head_dim = json::get_int(o, "qk_rope_head_dim", where),
          .v_head_dim = json::get_int(o, "v_head_dim", where),
          .rope_interleave = json::find_bool(o, "rope_interleave", where).value_or(true)};
}

MoeConfig read_moe(const bj::object& o, const std::string& where) {
  want_string(o, "topk_method", "noaux_tc", where);
  want_string(o, "scoring_func", "sigmoid", where);
  if (const auto every = json::find_int(o, "moe_layer_freq", where).value_or(1); every != 1) {
    throw Error(where, fmt::format("key 'moe_layer_freq' is {}; only 1 is supported", every),
                "use a model whose layers from first_k_dense_replace on all have experts");
  }
  return {.num_experts = json::get_int(o, "n_routed_experts", where),
          .num_shared_experts = json::find_int(o, "n_shared_experts", where).value_or(0),
          .top_k = json::get_int(o, "num_experts_per_tok", where),
          .num_groups = json::find_int(o, "n_group", where).value_or(1),
          .top_groups = json::find_int(o, "topk_group", where).value_or(1),
          .intermediate_size = json::get_int(o, "moe_intermediate_size", where),
          .first_layer = json::find_int(o, "first_k_dense_replace", where).value_or(0),
          .norm_topk_prob = json::find_bool(o, "norm_topk_prob", where).value_or(true),
          .routed_scaling_factor = json::find_double(o, "routed_scaling_factor", where).value_or(1)};
}

std::optional<Fp8Config> read_fp8(const bj::object& o, const std::string& where) {
  const auto* value = o.if_contains("quantization_config");
  if (value == nullptr || value->is_null()) return {};
  const auto& q = json::get_object(o, "quantization_config", where);
  const std::string place = where + ": key 'quantization_config'";
  want_string(q, "quant_method", "fp8", place);
  want_string(q, "fmt", "e4m3", place);
  want_string(q, "activation_scheme", "dynamic", place);
  const auto& block = json::get_array(q, "weight_block_size", place);
  if (block.size() != 2 || !block[0].is_int64() || !block[1].is_int64()) {
    throw Error(place, fmt::format("'weight_block_size' is {}; two whole numbers are wanted", json::dump(block)),
                "write [128, 128], or fetch the config again");
  }
  return Fp8Config{.block_rows = block[0].get_int64(), .block_cols = block[1].get_int64()};
}

bj::value yarn_json(const std::optional<YarnRopeScaling>& s) {
  if (!s) return nullptr;
  bj::object o{{"type", "yarn"},
               {"factor", s->factor},
               {"original_max_position_embeddings", s->original_max_position},
               {"beta_fast", s->beta_fast},
               {"beta_slow", s->beta_slow}};
  if (s->mscale != 0) o["mscale"] = s->mscale;
  if (s->mscale_all_dim != 0) o["mscale_all_dim"] = s->mscale_all_dim;
  return o;
}

void write_mla(bj::object& o, const MlaConfig& m) {
  o["q_lora_rank"] = m.q_lora_rank > 0 ? bj::value(m.q_lora_rank) : bj::value(nullptr);
  o["kv_lora_rank"] = m.kv_lora_rank;
  o["qk_nope_head_dim"] = m.qk_nope_head_dim;
  o["qk_rope_head_dim"] = m.qk_rope_head_dim;
  o["v_head_dim"] = m.v_head_dim;
  if (!m.rope_interleave) o["rope_interleave"] = false;  // a key of transformers alone
}

void write_moe(bj::object& o, const MoeConfig& m) {
  o["n_routed_experts"] = m.num_experts;
  o["n_shared_experts"] = m.num_shared_experts;
  o["num_experts_per_tok"] = m.top_k;
  o["n_group"] = m.num_groups;
  o["topk_group"] = m.top_groups;
  o["moe_intermediate_size"] = m.intermediate_size;
  o["moe_layer_freq"] = 1;
  o["first_k_dense_replace"] = m.first_layer;
  o["norm_topk_prob"] = m.norm_topk_prob;
  o["routed_scaling_factor"] = m.routed_scaling_factor;
  o["topk_method"] = "noaux_tc";
  o["scoring_func"] = "sigmoid";
}

}  // namespace

YarnRopeScaling read_yarn(const bj::object& rope, const std::string& where) {
  const auto number = [&](const char* key, double otherwise) {
    return json::find_double(rope, key, where).value_or(otherwise);
  };
  return {.factor = json::get_double(rope, "factor", where),
          .original_max_position = json::get_int(rope, "original_max_position_embeddings", where),
          .beta_fast = number("beta_fast", 32),
          .beta_slow = number("beta_slow", 1),
          .mscale = number("mscale", 0),
          .mscale_all_dim = number("mscale_all_dim", 0)};
}

void read_v3(ModelConfig& c, const bj::object& o, const std::string& where) {
  c.mla = read_mla(o, where);
  c.moe = read_moe(o, where);
  c.fp8 = read_fp8(o, where);
  c.head_dim = c.mla->qk_head_dim();
  c.num_mtp_layers = json::find_int(o, "num_nextn_predict_layers", where).value_or(0);
}

void write_v3(bj::object& o, const ModelConfig& c) {
  o.erase("head_dim");  // transformers means the rotary dimension by it
  write_mla(o, *c.mla);
  write_moe(o, *c.moe);
  o["attention_bias"] = false;
  o["ep_size"] = 1;
  o["num_nextn_predict_layers"] = c.num_mtp_layers;
  o["rope_scaling"] = yarn_json(c.yarn);
  if (!c.fp8) return;
  o["quantization_config"] = {{"activation_scheme", "dynamic"},
                              {"fmt", "e4m3"},
                              {"quant_method", "fp8"},
                              {"weight_block_size", bj::array{c.fp8->block_rows, c.fp8->block_cols}}};
}

}  // namespace r1::model
