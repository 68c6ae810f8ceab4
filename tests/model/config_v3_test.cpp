#include <cmath>
#include <cstring>

#include "core/error.h"
#include "formats/safetensors.h"
#include "model/config.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;

namespace {

namespace bj = boost::json;

const std::string kFixtures = R1_FIXTURES;

ModelConfig from_object(const bj::object& o) { return config_from_json(o, "test"); }

bj::object fixture(const char* file) { return json::parse_file(kFixtures + "/deepseek_v3/" + file).as_object(); }

// The fixture's config.json with one key replaced, or taken away where the new value is "".
bj::object with(const char* key, const std::string& value) {
  auto o = fixture("config.json");
  o.erase(key);
  if (!value.empty()) o[key] = json::parse(value, key);
  return o;
}

// The published config.json of the 671B model (facts: DeepSeek-V3).
bj::object published() {
  return json::parse(R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "vocab_size": 129280,
    "hidden_size": 7168, "num_hidden_layers": 61, "num_nextn_predict_layers": 1, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "first_k_dense_replace": 3, "moe_layer_freq": 1, "n_routed_experts": 256,
    "n_shared_experts": 1, "num_experts_per_tok": 8, "n_group": 8, "topk_group": 4, "topk_method": "noaux_tc",
    "scoring_func": "sigmoid", "norm_topk_prob": true, "routed_scaling_factor": 2.5, "num_attention_heads": 128,
    "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64, "v_head_dim": 128, "rms_norm_eps": 1e-6, "hidden_act": "silu",
    "max_position_embeddings": 163840, "rope_theta": 10000, "attention_bias": false, "tie_word_embeddings": false,
    "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32,
      "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}, "bos_token_id": 0, "eos_token_id": 1,
    "quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
      "weight_block_size": [128, 128]}, "torch_dtype": "bfloat16"})",
                     "published")
      .as_object();
}

struct Totals {
  int64_t tensors = 0, parameters = 0, bytes = 0;
};

// Tensors of the published files: FP8 matrices with their scales, BF16 for the rest, buffers in F32.
Totals totals(const ModelConfig& c) {
  Totals t;
  const auto add = [&](int64_t count, int64_t element_bytes) {
    ++t.tensors;
    t.bytes += count * element_bytes;
  };
  for (const auto& p : c.parameters()) {
    int64_t count = 1;
    for (const auto size : p.shape) count *= size;
    t.parameters += count;
    add(count, p.is_quantised ? 1 : p.is_buffer ? 4 : 2);
    if (p.is_quantised) add((p.shape[0] + 127) / 128 * ((p.shape[1] + 127) / 128), 4);
  }
  for (size_t i = 0; i < c.stored_copies().size(); ++i) {
    add(c.vocab_size * c.hidden_size, 2);
    t.parameters += c.vocab_size * c.hidden_size;
  }
  return t;
}

}  // namespace

TEST_CASE("DeepSeek-V3's published config has the published checkpoint's tensors, parameters and bytes", "[golden]") {
  auto c = from_object(published());
  const auto shapes = json::parse_file(kFixtures + "/real_shapes/real_shapes.json");
  const auto& expected = shapes.at("DeepSeek-V3").as_object();
  const auto check = [&](const char* key) {
    const auto& numbers = expected.at(key).as_array();
    const auto got = totals(c);
    CHECK(got.tensors == numbers.at(0).as_int64());
    CHECK(got.parameters == numbers.at(1).as_int64());
    CHECK(got.bytes == numbers.at(2).as_int64());
  };
  check("with layers.61 (MTP): tensors, parameters, bytes");
  c.num_mtp_layers = 0;
  check("main: tensors, parameters (without scales), bytes");
  CHECK(c.parameters().back().name == "lm_head.weight");
}

TEST_CASE("DeepSeek-V3 caches 576 values a layer, less than a twentieth of what its heads would") {
  const auto c = from_object(published());
  CHECK(c.kv_floats_per_layer() == 576);
  CHECK(c.kv_floats_per_token() == 61 * 576);
  const int64_t expanded = c.num_heads * (c.mla->qk_head_dim() + c.mla->v_head_dim);
  CHECK(expanded > 20 * c.kv_floats_per_layer());
}

TEST_CASE("YaRN's frequencies and softmax scale are transformers'", "[golden]") {
  CHECK(from_object(published()).attention_scale() == Approx(0.1352337789).epsilon(1e-7));
  const formats::SafetensorsFile reference(kFixtures + "/deepseek_v3/reference.safetensors");
  const auto c = from_object(fixture("config.json"));
  double scale = 0;
  std::memcpy(&scale, reference.find("softmax_scale")->bytes.data(), sizeof scale);
  CHECK(c.attention_scale() == Approx(scale).epsilon(1e-7));
  const formats::SafetensorsFile real(kFixtures + "/real_shapes/rope.safetensors");
  const struct {
    const formats::TensorView* wanted;
    ModelConfig config;
  } cases[] = {{reference.find("rope_inv_freq"), c},
               {real.find("deepseek_v3.inv_freq(dim64,yarn40)"), from_object(published())}};
  for (const auto& k : cases) {
    REQUIRE(k.wanted != nullptr);
    const auto wanted = to_float32(*k.wanted);
    const auto got = rope_frequencies(k.config);
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (size_t j = 0; j < got.size(); ++j) worst = std::max(worst, std::abs(got[j] / wanted[j] - 1));
    CHECK(worst < 2.5e-7);  // two units in float32's last place
  }
}

TEST_CASE("YaRN without both mscales multiplies cosine and sine by 0.1 ln(factor) + 1") {
  auto c = from_object(fixture("config.json"));
  CHECK(make_rope_tables(c, 1).cos[0] == 1);
  c.yarn->mscale = 0;
  CHECK(make_rope_tables(c, 1).cos[0] == Approx(0.1 * std::log(40.0) + 1));
}

TEST_CASE("A DeepSeek-V3 config is read in both spellings, and what is written is read back") {
  const auto c = from_object(fixture("config.json"));
  CHECK(c.family == Family::kDeepseekV3);
  CHECK(c.mla.value().q_lora_rank == 24);
  CHECK(c.mla.value().rope_interleave);
  CHECK(c.head_dim == 36);
  CHECK(c.rope_dim() == 16);
  CHECK(c.moe.value().num_groups == 4);
  CHECK(c.moe.value().top_groups == 2);
  CHECK(c.moe.value().routed_scaling_factor == 2.5);
  CHECK(c.num_mtp_layers == 1);
  CHECK_FALSE(c.is_moe_layer(1));
  CHECK(c.is_moe_layer(2));
  const auto written = json::dump(to_json(c, "float32"));
  CHECK(json::dump(to_json(from_object(fixture("config.v5.json")), "float32")) == written);
  CHECK(json::dump(to_json(from_object(json::parse(written, "written").as_object()), "float32")) == written);

  const auto v2_lite = from_object(with("q_lora_rank", "null"));
  CHECK(v2_lite.mla->q_lora_rank == 0);
  CHECK(to_json(v2_lite, "float32").at("q_lora_rank").is_null());
  CHECK(v2_lite.parameters()[2].name == "model.layers.0.self_attn.q_proj.weight");
  CHECK_FALSE(from_object(with("rope_interleave", "false")).mla->rope_interleave);
  const auto fp8 = from_object(published());
  CHECK(fp8.fp8.value().block_cols == 128);
  CHECK(to_json(fp8, "bfloat16").at("quantization_config").at("weight_block_size") == bj::array{128, 128});
}

TEST_CASE("A DeepSeek-V3 config that does not add up is refused by its key") {
  const struct {
    const char *key, *value, *fragment;
  } cases[] = {
      {"kv_lora_rank", "", "'kv_lora_rank'"},
      {"kv_lora_rank", "0", "key 'kv_lora_rank' is 0; 1 to"},
      {"q_lora_rank", "-1", "key 'q_lora_rank' is -1"},
      {"qk_nope_head_dim", "0", "key 'qk_nope_head_dim' is 0"},
      {"qk_rope_head_dim", "15", "key 'qk_rope_head_dim' is 15; rotary positions need an even number"},
      {"v_head_dim", "0", "key 'v_head_dim' is 0"},
      {"num_key_value_heads", "2", "key 'num_key_value_heads' is 2; MLA has as many as 'num_attention_heads', 4"},
      {"n_routed_experts", "", "'n_routed_experts'"},
      {"n_routed_experts", "15", "key 'n_routed_experts' is 15, which 'n_group' 4 does not divide"},
      {"n_routed_experts", "99999", "key 'n_routed_experts' is 99999"},
      {"n_group", "0", "key 'n_group' is 0"},
      {"n_group", "16", "groups of 1 expert"},
      {"topk_group", "5", "key 'topk_group' is 5; 1 to 4"},
      {"num_experts_per_tok", "9",
       "key 'num_experts_per_tok' is 9; 'topk_group' 2 of 'n_group' 4 leave 1 to 8 experts"},
      {"num_experts_per_tok", "0", "key 'num_experts_per_tok' is 0"},
      {"moe_intermediate_size", "0", "key 'moe_intermediate_size' is 0"},
      {"first_k_dense_replace", "5", "key 'first_k_dense_replace' is 5; 0 to 4"},
      {"moe_layer_freq", "2", "key 'moe_layer_freq' is 2; only 1 is supported"},
      {"scoring_func", "\"softmax\"", "key 'scoring_func' is 'softmax'; only 'sigmoid'"},
      {"topk_method", "\"greedy\"", "key 'topk_method' is 'greedy'; only 'noaux_tc'"},
      {"routed_scaling_factor", "0", "key 'routed_scaling_factor' is 0"},
      {"num_nextn_predict_layers", "65", "key 'num_nextn_predict_layers' is 65"},
      {"num_hidden_layers", "16000000", "key 'num_hidden_layers' is 16000000"},
      {"attention_bias", "true", "key 'attention_bias' is true"},
      {"rope_scaling", R"({"type": "llama3", "factor": 8})", "rope_type is 'llama3'; known are default and yarn"},
      {"rope_scaling", R"({"type": "yarn", "factor": 0.5, "original_max_position_embeddings": 4})",
       "'rope_scaling.factor' is 0.5"},
      {"rope_scaling", R"({"type": "yarn", "factor": 40})", "'original_max_position_embeddings'"},
      {"rope_scaling", R"({"type": "yarn", "factor": 40, "original_max_position_embeddings": 4, "beta_fast": 0.5})",
       "fast >= slow"},
      {"quantization_config", R"({"quant_method": "gptq"})", "key 'quant_method' is 'gptq'; only 'fp8'"},
      {"quantization_config", R"({"quant_method": "fp8", "weight_block_size": [128]})", "'weight_block_size' is [128]"},
      {"quantization_config", R"({"quant_method": "fp8", "weight_block_size": [0, 128]})",
       "weight_block_size[0]' is 0"},
  };
  for (const auto& c : cases) {
    INFO(c.fragment);
    CHECK_THROWS_WITH(from_object(with(c.key, c.value)), Catch::StartsWith("test") && Catch::Contains(c.fragment));
  }
}
