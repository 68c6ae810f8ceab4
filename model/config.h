#pragma once
// What a published config.json (or GGUF metadata) says of a decoder, checked. Dense families: Qwen2/2.5, Llama 3.x,
// SmolLM2 (a Llama). DeepSeek-V3 (arXiv:2412.19437) has fields of its own: MlaConfig, MoeConfig, MTP modules.

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

enum class Family { kLlama, kQwen2, kDeepseekV3 };
const char* to_string(Family f);

// Llama 3's long-context scaling of rotary frequencies (formats: rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 8, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_max_position = 8192;
};

// YaRN (arXiv:2309.00071) as DeepSeek-V3 publishes it (formats: rope type "yarn").
struct YarnRopeScaling {
  double factor = 40;
  int64_t original_max_position = 4096;
  double beta_fast = 32, beta_slow = 1;
  double mscale = 0, mscale_all_dim = 0;  // 0: not given
};

// Multi-head latent attention (DeepSeek-V3 section 2.1.1). A head's query and key are [nope | rope].
struct MlaConfig {
  int64_t q_lora_rank = 0;  // 0: queries are not compressed (one q_proj)
  int64_t kv_lora_rank = 0;
  int64_t qk_nope_head_dim = 0;
  int64_t qk_rope_head_dim = 0;
  int64_t v_head_dim = 0;
  bool rope_interleave = true;  // rotary pairs (2j, 2j + 1), as published; else (j, j + dim / 2)

  int64_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
  int64_t latent_dim() const { return kv_lora_rank + qk_rope_head_dim; }  // cached floats a token a layer
};

// DeepSeekMoE (section 2.1.2): sigmoid gate, a bias that only chooses (noaux_tc), group-limited top-k.
struct MoeConfig {
  int64_t num_experts = 0;         // n_routed_experts
  int64_t num_shared_experts = 0;  // n_shared_experts; one MLP of num_shared_experts * intermediate_size
  int64_t top_k = 0;               // num_experts_per_tok
  int64_t num_groups = 1;          // n_group
  int64_t top_groups = 1;          // topk_group
  int64_t intermediate_size = 0;   // moe_intermediate_size
  int64_t first_layer = 0;         // first_k_dense_replace
  bool norm_topk_prob = true;
  double routed_scaling_factor = 1;
};

// Weights stored as e4m3 with one float32 scale a block (section 3.3, quantization_config).
struct Fp8Config {
  int64_t block_rows = 128, block_cols = 128;
};

struct ModelConfig {
  Family family = Family::kLlama;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;      // of queries and keys; MLA: nope + rope
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
  // DeepSeek-V3 only.
  std::optional<MlaConfig> mla;
  std::optional<MoeConfig> moe;
  std::optional<YarnRopeScaling> yarn;
  std::optional<Fp8Config> fp8;  // how the files hold the matrices; nothing else depends on it
  int64_t num_mtp_layers = 0;    // num_nextn_predict_layers; module k is model.layers.{num_layers + k}

  // Parameters by published name with their shapes, in the order of the layers; lm_head.weight only if untied; experts
  // split; MTP modules last.
  struct Parameter {
    std::string name;
    std::vector<int64_t> shape;
    bool is_buffer = false;     // no gradient: the gate's e_score_correction_bias, float32 in every file
    bool is_quantised = false;  // among the matrices that DeepSeek-V3 holds as FP8 (section 3.3.1)
  };
  std::vector<Parameter> parameters() const;
  int64_t num_parameters() const;
  // Tensors that published files hold twice: an MTP module's embedding and head are the main model's.
  struct Copy {
    std::string name, source;
  };
  std::vector<Copy> stored_copies() const;

  bool is_moe_layer(int64_t layer) const { return moe && layer >= moe->first_layer; }
  int64_t rope_dim() const { return mla ? mla->qk_rope_head_dim : head_dim; }
  // Floats of the KV cache a token, all layers but MTP's: keys and values, or MLA's latents.
  int64_t kv_floats_per_layer() const { return mla ? mla->latent_dim() : num_kv_heads * head_dim * 2; }
  int64_t kv_floats_per_token() const { return num_layers * kv_floats_per_layer(); }
  // The factor of q . k before the softmax: head_dim^-1/2, times YaRN's mscale^2.
  float attention_scale() const;
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

// Rotary tables: cos, sin [num_positions, rope_dim / 2], scaling (and YaRN's factor of both) applied. Computed in
// float32 throughout, angle = position * f_j included, as transformers does: at far positions float64 would give other
// angles than the model was trained with.
struct RopeTables {
  int64_t num_positions = 0;
  int64_t half_dim = 0;
  std::vector<float> cos, sin;
};
RopeTables make_rope_tables(const ModelConfig& config, int64_t num_positions);
// f_j of the tables, [rope_dim / 2]; each is a float32.
std::vector<double> rope_frequencies(const ModelConfig& config);

}  // namespace r1::model
