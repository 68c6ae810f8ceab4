// config.json in and out. Keys: formats.md 2; transformers' LlamaConfig and Qwen2Config.

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "model/config.h"
#include "model/config_v3.h"

namespace r1::model {
namespace {

namespace bj = boost::json;
namespace fs = std::filesystem;

constexpr const char* kGenerationConfig = "generation_config.json";

Family read_family(const bj::object& o, const std::string& where) {
  const std::string type = json::get_string(o, "model_type", where);
  if (type == "llama") return Family::kLlama;
  if (type == "qwen2") return Family::kQwen2;
  if (type == "deepseek_v3") return Family::kDeepseekV3;
  throw Error(where,
              fmt::format("key 'model_type' is '{}'; known are llama (Llama 3.x, SmolLM2), qwen2 (Qwen2, Qwen2.5) and "
                          "deepseek_v3 (DeepSeek-V3, R1)",
                          type),
              "use a model of a known family");
}

// Features that would change the results if they were passed over.
void refuse_unsupported(const bj::object& o, const std::string& where) {
  const auto refuse = [&](std::string_view key, const std::string& value, const char* wanted) {
    throw Error(where, fmt::format("key '{}' is {}; only {} is supported", key, value, wanted),
                "use a model without this feature");
  };
  const std::string activation = json::find_string(o, "hidden_act", where).value_or("silu");
  if (activation != "silu") refuse("hidden_act", activation, "silu");
  for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window", "rope_interleaved"}) {
    if (json::find_bool(o, key, where).value_or(false)) refuse(key, "true", "false");
  }
  const auto* quantization = o.if_contains("quantization_config");
  if (quantization != nullptr && !quantization->is_null() && read_family(o, where) != Family::kDeepseekV3) {
    refuse("quantization_config", "set", "null");
  }
  const auto* types = o.if_contains("layer_types");
  if (types == nullptr || types->is_null()) return;
  for (const auto& type : json::get_array(o, "layer_types", where)) {
    if (!type.is_string() || type.get_string() != "full_attention")
      refuse("layer_types", json::dump(type), "\"full_attention\"");
  }
}

// "rope_parameters" (transformers 5) or "rope_scaling" (4), if given.
const bj::object* find_rope(const bj::object& o, std::string_view& key, const std::string& where) {
  for (const std::string_view name : {"rope_parameters", "rope_scaling"}) {
    const auto* value = o.if_contains(name);
    if (value == nullptr || value->is_null()) continue;
    key = name;
    return &json::get_object(o, name, where);
  }
  return nullptr;
}

void read_rope(ModelConfig& c, const bj::object& o, const std::string& where) {
  c.rope_theta = json::find_double(o, "rope_theta", where).value_or(c.rope_theta);
  std::string_view key;
  const bj::object* rope = find_rope(o, key, where);
  if (rope == nullptr) return;
  const std::string place = fmt::format("{}: key '{}'", where, key);
  for (const auto& [name, value] : *rope) {
    if (value.is_object())
      throw Error(place,
                  fmt::format("'{}' is an object: one table for all layers is supported", std::string_view(name)),
                  "use a model whose layers rotate alike");
  }
  c.rope_theta = json::find_double(*rope, "rope_theta", place).value_or(c.rope_theta);
  auto type = json::find_string(*rope, "rope_type", place);
  if (!type) type = json::find_string(*rope, "type", place).value_or("default");
  if (*type == "default") return;
  const std::string scaled = c.family == Family::kDeepseekV3 ? "yarn" : "llama3";
  if (*type != scaled)
    throw Error(place, fmt::format("rope_type is '{}'; known are default and {}", *type, scaled),
                "use a model with one of these");
  if (scaled == "yarn") {
    c.yarn = read_yarn(*rope, place);
    return;
  }
  c.rope_scaling = Llama3RopeScaling{
      .factor = json::get_double(*rope, "factor", place),
      .low_freq_factor = json::get_double(*rope, "low_freq_factor", place),
      .high_freq_factor = json::get_double(*rope, "high_freq_factor", place),
      .original_max_position = json::get_int(*rope, "original_max_position_embeddings", place),
  };
}

// An id, a list of ids, or null.
std::vector<int64_t> read_ids(const bj::object& o, std::string_view key, const std::string& where) {
  const auto* value = o.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) return {json::get_int(o, key, where)};
  std::vector<int64_t> ids;
  for (const auto& id : value->get_array()) {
    if (!id.is_int64())
      throw Error(where, fmt::format("key '{}' holds {}; token ids are whole numbers", key, json::dump(id)),
                  "mend the list");
    ids.push_back(id.get_int64());
  }
  return ids;
}

// Old configs write "no such token" as -1.
std::optional<int64_t> read_token(const bj::object& o, std::string_view key, const std::string& where) {
  const auto ids = read_ids(o, key, where);
  return ids.empty() || ids[0] < 0 ? std::nullopt : std::optional(ids[0]);
}

int64_t default_head_dim(const ModelConfig& c, const std::string& where) {
  if (c.num_heads > 0 && c.hidden_size % c.num_heads == 0) return c.hidden_size / c.num_heads;
  throw Error(
      where,
      fmt::format(
          "key 'hidden_size' is {}, which 'num_attention_heads' {} does not divide, and 'head_dim' is not given",
          c.hidden_size, c.num_heads),
      "give 'head_dim'");
}

bj::value rope_scaling_json(const std::optional<Llama3RopeScaling>& s) {
  if (!s) return nullptr;
  return {{"rope_type", "llama3"},
          {"factor", s->factor},
          {"low_freq_factor", s->low_freq_factor},
          {"high_freq_factor", s->high_freq_factor},
          {"original_max_position_embeddings", s->original_max_position}};
}

const char* architecture(Family f) {
  if (f == Family::kDeepseekV3) return "DeepseekV3ForCausalLM";
  return f == Family::kLlama ? "LlamaForCausalLM" : "Qwen2ForCausalLM";
}

bj::value or_null(const std::optional<int64_t>& id) { return id ? bj::value(*id) : bj::value(nullptr); }

bj::value ids_json(const std::vector<int64_t>& ids) {
  if (ids.empty()) return nullptr;
  if (ids.size() == 1) return ids[0];
  return bj::array(ids.begin(), ids.end());
}

// What only one of the families has, at the values that it always has here.
void add_family_keys(bj::object& o, const ModelConfig& c) {
  if (c.family == Family::kDeepseekV3) {
    write_v3(o, c);
  } else if (c.family == Family::kLlama) {
    o["attention_bias"] = false;
    o["mlp_bias"] = false;
    o["pretraining_tp"] = 1;
  } else {
    o["max_window_layers"] = c.num_layers;
    o["sliding_window"] = nullptr;
    o["use_sliding_window"] = false;
  }
}

}  // namespace

ModelConfig config_from_json(const bj::object& o, const std::string& where) {
  ModelConfig c;
  c.family = read_family(o, where);
  refuse_unsupported(o, where);
  c.vocab_size = json::get_int(o, "vocab_size", where);
  c.hidden_size = json::get_int(o, "hidden_size", where);
  c.intermediate_size = json::get_int(o, "intermediate_size", where);
  c.num_layers = json::get_int(o, "num_hidden_layers", where);
  c.num_heads = json::get_int(o, "num_attention_heads", where);
  c.num_kv_heads = json::find_int(o, "num_key_value_heads", where).value_or(c.num_heads);
  if (c.family == Family::kDeepseekV3) {
    read_v3(c, o, where);
  } else {
    const auto head_dim = json::find_int(o, "head_dim", where);
    c.head_dim = head_dim ? *head_dim : default_head_dim(c, where);
  }
  c.max_position = json::get_int(o, "max_position_embeddings", where);
  c.rms_norm_eps = json::find_double(o, "rms_norm_eps", where).value_or(c.rms_norm_eps);
  read_rope(c, o, where);
  c.tie_word_embeddings = json::find_bool(o, "tie_word_embeddings", where).value_or(false);
  c.qkv_bias = c.family == Family::kQwen2;
  c.eos_token_ids = read_ids(o, "eos_token_id", where);
  c.bos_token_id = read_token(o, "bos_token_id", where);
  c.pad_token_id = read_token(o, "pad_token_id", where);
  validate(c, where);
  return c;
}

ModelConfig config_from_folder(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  const auto document = json::parse_file(path);
  if (!document.is_object()) throw Error(path.string(), "not a JSON object", "fetch the file again");
  ModelConfig c = config_from_json(document.get_object(), path.string());

  // Instruct models end a turn with tokens that only generation_config.json lists.
  const fs::path generation = folder / kGenerationConfig;
  std::error_code ignored;
  if (!fs::exists(generation, ignored)) return c;
  const auto more = json::parse_file(generation);
  if (!more.is_object()) throw Error(generation.string(), "not a JSON object", "fetch the file again");
  for (const int64_t id : read_ids(more.get_object(), "eos_token_id", generation.string())) {
    if (std::find(c.eos_token_ids.begin(), c.eos_token_ids.end(), id) == c.eos_token_ids.end())
      c.eos_token_ids.push_back(id);
  }
  validate(c, generation.string());
  return c;
}

bj::object to_json(const ModelConfig& c, const std::string& torch_dtype) {
  if (!c.rope_factors.empty()) {
    throw Error("config.json",
                "the model's rotary factors (GGUF's rope_freqs.weight) fit no rope_type that config.json can name",
                "save a model whose factors are Llama 3's");
  }
  bj::object o;
  o["architectures"] = bj::array{architecture(c.family)};
  o["attention_dropout"] = 0.0;
  o["bos_token_id"] = or_null(c.bos_token_id);
  o["eos_token_id"] = ids_json(c.eos_token_ids);
  o["head_dim"] = c.head_dim;
  o["hidden_act"] = "silu";
  o["hidden_size"] = c.hidden_size;
  o["initializer_range"] = 0.02;
  o["intermediate_size"] = c.intermediate_size;
  o["max_position_embeddings"] = c.max_position;
  o["model_type"] = to_string(c.family);
  o["num_attention_heads"] = c.num_heads;
  o["num_hidden_layers"] = c.num_layers;
  o["num_key_value_heads"] = c.num_kv_heads;
  o["pad_token_id"] = or_null(c.pad_token_id);
  o["rms_norm_eps"] = c.rms_norm_eps;
  o["rope_scaling"] = rope_scaling_json(c.rope_scaling);
  o["rope_theta"] = c.rope_theta;
  o["tie_word_embeddings"] = c.tie_word_embeddings;
  o["torch_dtype"] = torch_dtype;
  o["use_cache"] = true;
  o["vocab_size"] = c.vocab_size;
  add_family_keys(o, c);
  return o;
}

}  // namespace r1::model
