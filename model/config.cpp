#include "model/config.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "model/config_v3.h"

namespace r1::model {
namespace {

// Above any published model, and low enough that products of two sizes stay within int64.
constexpr int64_t kMaxVocab = int64_t{1} << 28;
constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr int64_t kMaxLayers = int64_t{1} << 14;
constexpr int64_t kMaxHeads = int64_t{1} << 16;
constexpr int64_t kMaxPosition = int64_t{1} << 31;

constexpr const char* kMend = "mend the key, or fetch the model's config again";

[[noreturn]] void refuse(const std::string& where, const std::string& problem) { throw Error(where, problem, kMend); }

void check_sizes(const ModelConfig& c, const std::string& where) {
  const struct {
    const char* key;
    int64_t value, most;
  } sizes[] = {
      {"vocab_size", c.vocab_size, kMaxVocab},
      {"hidden_size", c.hidden_size, kMaxWidth},
      {"intermediate_size", c.intermediate_size, kMaxWidth},
      {"num_hidden_layers", c.num_layers, kMaxLayers},
      {"num_attention_heads", c.num_heads, kMaxHeads},
      {"num_key_value_heads", c.num_kv_heads, kMaxHeads},
      {"head_dim", c.head_dim, kMaxHeads},
      {"max_position_embeddings", c.max_position, kMaxPosition},
  };
  for (const auto& size : sizes) {
    if (size.value < 1 || size.value > size.most) {
      refuse(where, fmt::format("key '{}' is {}; 1 to {} are allowed", size.key, size.value, size.most));
    }
  }
}

void check_heads(const ModelConfig& c, const std::string& where) {
  if (c.num_heads % c.num_kv_heads != 0) {
    refuse(where, fmt::format("key 'num_attention_heads' is {}, which 'num_key_value_heads' {} does not divide",
                              c.num_heads, c.num_kv_heads));
  }
  if (c.head_dim % 2 != 0)
    refuse(where, fmt::format("key 'head_dim' is {}; rotary positions need an even number", c.head_dim));
  if (c.mla && c.num_kv_heads != c.num_heads) {
    refuse(where, fmt::format("key 'num_key_value_heads' is {}; MLA has as many as 'num_attention_heads', {}",
                              c.num_kv_heads, c.num_heads));
  }
  if (c.family == Family::kQwen2 && !c.qkv_bias)
    refuse(where, "qkv_bias is false, but Qwen2 always has q, k and v biases");
  if (c.family != Family::kQwen2 && c.qkv_bias) {
    refuse(where, fmt::format("qkv_bias is true, but {} has no biases here", to_string(c.family)));
  }
}

void check_rope(const ModelConfig& c, const std::string& where) {
  if (!(c.rope_theta > 0) || !std::isfinite(c.rope_theta)) {
    refuse(where, fmt::format("key 'rope_theta' is {}; a positive number is wanted", c.rope_theta));
  }
  if (const auto& s = c.rope_scaling) {
    if (!(s->factor >= 1) || !std::isfinite(s->factor)) {
      refuse(where, fmt::format("key 'rope_scaling.factor' is {}; 1 or more is wanted", s->factor));
    }
    if (!(s->low_freq_factor > 0) || !(s->high_freq_factor > s->low_freq_factor) ||
        !std::isfinite(s->high_freq_factor)) {
      refuse(
          where,
          fmt::format(
              "keys 'rope_scaling.low_freq_factor' {} and 'rope_scaling.high_freq_factor' {}; 0 < low < high is wanted",
              s->low_freq_factor, s->high_freq_factor));
    }
    if (s->original_max_position < 1) {
      refuse(where, fmt::format("key 'rope_scaling.original_max_position_embeddings' is {}; 1 or more is wanted",
                                s->original_max_position));
    }
  }
  if (c.rope_factors.empty()) return;
  if (static_cast<int64_t>(c.rope_factors.size()) != c.head_dim / 2) {
    refuse(where, fmt::format("rope_freqs.weight has {} factors; head_dim / 2 = {} are wanted", c.rope_factors.size(),
                              c.head_dim / 2));
  }
  const auto is_bad = [](float f) { return !(f > 0) || !std::isfinite(f); };
  if (std::any_of(c.rope_factors.begin(), c.rope_factors.end(), is_bad)) {
    refuse(where, "rope_freqs.weight holds a factor that is not positive and finite");
  }
}

void check_token(const ModelConfig& c, const char* key, int64_t id, const std::string& where) {
  if (id >= 0 && id < c.vocab_size) return;
  refuse(where, fmt::format("key '{}' is {}; ids are 0 to {} (vocab_size - 1)", key, id, c.vocab_size - 1));
}

void add_dense_layer(std::vector<ModelConfig::Parameter>& out, const ModelConfig& c, int64_t layer) {
  const auto add = [&](const char* name, std::vector<int64_t> shape) {
    out.push_back({fmt::format("model.layers.{}.{}", layer, name), std::move(shape)});
  };
  const int64_t q = c.num_heads * c.head_dim, kv = c.num_kv_heads * c.head_dim;
  add("self_attn.q_proj.weight", {q, c.hidden_size});
  if (c.qkv_bias) add("self_attn.q_proj.bias", {q});
  add("self_attn.k_proj.weight", {kv, c.hidden_size});
  if (c.qkv_bias) add("self_attn.k_proj.bias", {kv});
  add("self_attn.v_proj.weight", {kv, c.hidden_size});
  if (c.qkv_bias) add("self_attn.v_proj.bias", {kv});
  add("self_attn.o_proj.weight", {c.hidden_size, q});
  add("mlp.gate_proj.weight", {c.intermediate_size, c.hidden_size});
  add("mlp.up_proj.weight", {c.intermediate_size, c.hidden_size});
  add("mlp.down_proj.weight", {c.hidden_size, c.intermediate_size});
  add("input_layernorm.weight", {c.hidden_size});
  add("post_attention_layernorm.weight", {c.hidden_size});
}

}  // namespace

const char* to_string(Family f) {
  if (f == Family::kDeepseekV3) return "deepseek_v3";
  return f == Family::kLlama ? "llama" : "qwen2";
}

std::vector<ModelConfig::Parameter> ModelConfig::parameters() const {
  std::vector<Parameter> out;
  out.reserve(static_cast<size_t>(num_layers) * 12 + 3);
  out.push_back({"model.embed_tokens.weight", {vocab_size, hidden_size}});
  for (int64_t layer = 0; layer < num_layers; ++layer) {
    if (mla)
      add_v3_layer(out, *this, layer);
    else
      add_dense_layer(out, *this, layer);
  }
  out.push_back({"model.norm.weight", {hidden_size}});
  if (!tie_word_embeddings) out.push_back({"lm_head.weight", {vocab_size, hidden_size}});
  for (int64_t module = 0; module < num_mtp_layers; ++module) add_mtp_module(out, *this, module);
  return out;
}

int64_t ModelConfig::num_parameters() const {
  int64_t total = 0;
  for (const Parameter& parameter : parameters()) {
    int64_t count = 1;
    for (const int64_t size : parameter.shape) count *= size;
    total += count;
  }
  return total;
}

float ModelConfig::attention_scale() const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
  if (!yarn || yarn->mscale_all_dim == 0) return static_cast<float>(scale);
  const double m = yarn_mscale(yarn->factor, yarn->mscale_all_dim);
  return static_cast<float>(scale * m * m);
}

void validate(const ModelConfig& c, const std::string& where) {
  check_sizes(c, where);
  if (c.mla || c.moe || c.family == Family::kDeepseekV3) validate_v3(c, where);
  check_heads(c, where);
  check_rope(c, where);
  if (!(c.rms_norm_eps > 0) || !(c.rms_norm_eps < 1)) {
    refuse(where, fmt::format("key 'rms_norm_eps' is {}; a number between 0 and 1 is wanted", c.rms_norm_eps));
  }
  for (const int64_t id : c.eos_token_ids) check_token(c, "eos_token_id", id, where);
  if (c.bos_token_id) check_token(c, "bos_token_id", *c.bos_token_id, where);
  if (c.pad_token_id) check_token(c, "pad_token_id", *c.pad_token_id, where);
}

void check_tokenizer_fits(const ModelConfig& config, int64_t tokenizer_vocab_size, const std::string& where) {
  if (tokenizer_vocab_size <= config.vocab_size) return;
  throw Error(where,
              fmt::format("the tokenizer has {} ids, the model's embedding {} rows: id {} would have none",
                          tokenizer_vocab_size, config.vocab_size, config.vocab_size),
              "use the tokenizer that was published with the model");
}

}  // namespace r1::model
