#pragma once
// What a published config.json (or GGUF metadata) says of a decoder, checked. Dense families: Qwen2/2.5, Llama 3.x,
// SmolLM2 (a Llama). DeepSeek-V3 joins with its own fields.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace r1::formats {
class GgufFile;
}

namespace r1::model {

enum class Family { kLlama, kQwen2 };
const char* to_string(Family f);

// Llama 3's long-context scaling of rotary frequencies (formats: rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 8, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_max_position = 8192;
};

struct ModelConfig {
  Family family = Family::kLlama;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  int64_t max_position = 0;  // max_position_embeddings
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  std::optional<Llama3RopeScaling> rope_scaling;
  // GGUF's rope_freqs.weight [head_dim / 2], by which f_j is divided; set only where no Llama3RopeScaling gives the
  // same.
  std::vector<float> rope_factors;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;  // Qwen2: always
  std::vector<int64_t> eos_token_ids;
  std::optional<int64_t> bos_token_id, pad_token_id;

  // Parameters by published name with their shapes, in the order of the layers; lm_head.weight only if untied.
  struct Parameter {
    std::string name;
    std::vector<int64_t> shape;
  };
  std::vector<Parameter> parameters() const;
  int64_t num_parameters() const;
  int64_t kv_floats_per_token() const { return num_layers * num_kv_heads * head_dim * 2; }
};

// Throws Error naming the key for configs that do not add up (heads not divisible, sizes < 1, unknown rope type, ...).
void validate(const ModelConfig& config, const std::string& where);

// Both spellings: transformers 4 (rope_theta, rope_scaling, torch_dtype) and 5 (rope_parameters, dtype). Unknown keys
// are ignored, as transformers does; an unknown model_type is an Error that lists the known ones.
ModelConfig config_from_json(const boost::json::object& o, const std::string& where);
ModelConfig config_from_folder(
    const std::filesystem::path& folder);  // eos ids: config.json's, then generation_config.json's
ModelConfig config_from_gguf(const formats::GgufFile& file);

// config.json in the published (transformers 4) spelling, which transformers 4 and 5 load. Throws Error for
// rope_factors, which no published spelling can say.
boost::json::object to_json(const ModelConfig& config, const std::string& torch_dtype);

// Throws Error unless every id of a tokenizer with this many ids has a row in the embedding. `where` names the
// tokenizer's file.
void check_tokenizer_fits(const ModelConfig& config, int64_t tokenizer_vocab_size, const std::string& where);

// Rotary tables: cos, sin [num_positions, head_dim / 2], scaling applied. Computed in float32 throughout, angle =
// position * f_j included, as transformers does: at far positions float64 would give other angles than the model was
// trained with.
struct RopeTables {
  int64_t num_positions = 0;
  int64_t half_dim = 0;
  std::vector<float> cos, sin;
};
RopeTables make_rope_tables(const ModelConfig& config, int64_t num_positions);
// f_j of the tables, [head_dim / 2]; each is a float32.
std::vector<double> rope_frequencies(const ModelConfig& config);

}  // namespace r1::model
