#include "model/config.h"

#include "core/error.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;

namespace {

namespace bj = boost::json;

const std::string kFixtures = R1_FIXTURES;

ModelConfig from_text(const std::string& text) {
  return config_from_json(json::parse(text, "test").as_object(), "test");
}

// A small Llama's config with some keys replaced, or taken away where the new value is "".
std::string llama_with(std::initializer_list<std::pair<std::string, std::string>> changes) {
  bj::object o =
      json::parse(
          R"({"model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5})",
          "base")
          .as_object();
  for (const auto& [key, value] : changes) {
    o.erase(key);
    if (!value.empty()) o[key] = json::parse(value, key);
  }
  return json::dump(o);
}

void check_equal(const ModelConfig& a, const ModelConfig& b) {
  CHECK(json::dump(to_json(a, "float32")) == json::dump(to_json(b, "float32")));
}

}  // namespace

TEST_CASE("Both published spellings of a config say the same") {
  for (const char* name : {"llama", "qwen2"}) {
    INFO(name);
    const auto read = [&](const char* file) {
      const std::string path = kFixtures + "/" + name + "/" + file;
      return config_from_json(json::parse_file(path).as_object(), path);
    };
    check_equal(read("config.json"), read("config.v5.json"));
  }
}

TEST_CASE("A Llama's config is read with its rotary scaling and list of end tokens") {
  const ModelConfig c = config_from_folder(kFixtures + "/llama");
  CHECK(c.family == Family::kLlama);
  CHECK(c.vocab_size == 384);
  CHECK(c.hidden_size == 64);
  CHECK(c.intermediate_size == 112);
  CHECK(c.num_layers == 3);
  CHECK(c.num_heads == 4);
  CHECK(c.num_kv_heads == 2);
  CHECK(c.head_dim == 16);
  CHECK(c.max_position == 512);
  CHECK(c.rms_norm_eps == 1e-5);
  CHECK(c.rope_theta == 500000);
  CHECK(c.rope_scaling.value().original_max_position == 64);
  CHECK(c.rope_scaling.value().factor == 8);
  CHECK_FALSE(c.tie_word_embeddings);
  CHECK_FALSE(c.qkv_bias);
  CHECK(c.eos_token_ids == std::vector<int64_t>{2, 3});
  CHECK(c.bos_token_id == 1);
  CHECK_FALSE(c.pad_token_id.has_value());
}

TEST_CASE("A Qwen2's config has biases, and its single end token may stand alone") {
  const ModelConfig c = config_from_folder(kFixtures + "/qwen2");
  CHECK(c.family == Family::kQwen2);
  CHECK(c.qkv_bias);
  CHECK(c.head_dim == 16);
  CHECK(c.eos_token_ids == std::vector<int64_t>{2});
  CHECK_FALSE(c.rope_scaling.has_value());
}

TEST_CASE("Keys that may be left out have the values that transformers gives them") {
  const ModelConfig c = from_text(
      llama_with({{"num_key_value_heads", ""}, {"rms_norm_eps", ""}, {"pad_token_id", "-1"}, {"unknown_key", "[1]"}}));
  CHECK(c.num_kv_heads == 4);
  CHECK(c.head_dim == 8);
  CHECK(c.rms_norm_eps == 1e-6);
  CHECK(c.rope_theta == 10000);
  CHECK_FALSE(c.tie_word_embeddings);
  CHECK(c.eos_token_ids.empty());
  CHECK_FALSE(c.pad_token_id.has_value());
}

TEST_CASE("End tokens of generation_config.json are added to those of config.json") {
  const TempFolder folder;
  put(folder / "config.json", llama_with({{"eos_token_id", "7"}}));
  CHECK(config_from_folder(folder.path()).eos_token_ids == std::vector<int64_t>{7});
  put(folder / "generation_config.json", R"({"eos_token_id": [9, 7]})");
  CHECK(config_from_folder(folder.path()).eos_token_ids == std::vector<int64_t>{7, 9});
  put(folder / "generation_config.json", R"({"eos_token_id": 100})");
  CHECK_THROWS_WITH(config_from_folder(folder.path()),
                    Catch::Contains("generation_config.json") && Catch::Contains("'eos_token_id' is 100"));
}

TEST_CASE("A config that does not add up is refused by its key") {
  const struct {
    std::initializer_list<std::pair<std::string, std::string>> changes;
    const char* fragment;
  } cases[] = {
      {{{"model_type", "\"gemma\""}}, "key 'model_type' is 'gemma'; known are llama"},
      {{{"model_type", ""}}, "'model_type'"},
      {{{"vocab_size", ""}}, "'vocab_size'"},
      {{{"vocab_size", "0"}}, "key 'vocab_size' is 0; 1 to"},
      {{{"vocab_size", "\"100\""}}, "'vocab_size'"},
      {{{"vocab_size", "9223372036854775807"}}, "key 'vocab_size' is 9223372036854775807"},
      {{{"hidden_size", "-32"}}, "key 'hidden_size' is -32"},
      {{{"hidden_size", "33"}}, "key 'hidden_size' is 33, which 'num_attention_heads' 4 does not divide"},
      {{{"intermediate_size", "0"}}, "key 'intermediate_size' is 0"},
      {{{"num_hidden_layers", "1000000000"}}, "key 'num_hidden_layers' is 1000000000"},
      {{{"num_attention_heads", "0"}}, "'num_attention_heads' 0"},
      {{{"num_key_value_heads", "3"}}, "key 'num_attention_heads' is 4, which 'num_key_value_heads' 3 does not divide"},
      {{{"num_key_value_heads", "0"}}, "key 'num_key_value_heads' is 0"},
      {{{"head_dim", "0"}}, "key 'head_dim' is 0"},
      {{{"head_dim", "7"}}, "key 'head_dim' is 7; rotary positions need an even number"},
      {{{"head_dim", "-8"}}, "key 'head_dim' is -8"},
      {{{"max_position_embeddings", ""}}, "'max_position_embeddings'"},
      {{{"rms_norm_eps", "0"}}, "key 'rms_norm_eps' is 0"},
      {{{"rms_norm_eps", "-1e-6"}}, "key 'rms_norm_eps'"},
      {{{"rope_theta", "0"}}, "key 'rope_theta' is 0"},
      {{{"rope_scaling", R"({"rope_type": "yarn", "factor": 4})"}},
       "rope_type is 'yarn'; known are default and llama3"},
      {{{"rope_scaling", R"({"type": "linear", "factor": 4})"}}, "rope_type is 'linear'"},
      {{{"rope_parameters", R"({"full_attention": {"rope_type": "default"}})"}}, "'full_attention' is an object"},
      {{{"rope_scaling", R"({"rope_type": "llama3", "factor": 8})"}}, "'low_freq_factor'"},
      {{{"rope_scaling",
         R"({"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "original_max_position_embeddings": 8})"}},
       "0 < low < high is wanted"},
      {{{"rope_scaling",
         R"({"rope_type": "llama3", "factor": 0.5, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8})"}},
       "key 'rope_scaling.factor' is 0.5"},
      {{{"hidden_act", "\"gelu\""}}, "key 'hidden_act' is gelu; only silu is supported"},
      {{{"attention_bias", "true"}}, "key 'attention_bias' is true"},
      {{{"mlp_bias", "true"}}, "key 'mlp_bias' is true"},
      {{{"rope_interleaved", "true"}}, "key 'rope_interleaved' is true"},
      {{{"use_sliding_window", "true"}}, "key 'use_sliding_window' is true"},
      {{{"layer_types", R"(["full_attention", "sliding_attention"])"}}, "key 'layer_types' is \"sliding_attention\""},
      {{{"quantization_config", R"({"quant_method": "fp8"})"}}, "key 'quantization_config'"},
      {{{"eos_token_id", "100"}}, "key 'eos_token_id' is 100; ids are 0 to 99"},
      {{{"eos_token_id", R"(["</s>"])"}}, "key 'eos_token_id' holds \"</s>\""},
      {{{"bos_token_id", "5000"}}, "key 'bos_token_id' is 5000"},
  };
  for (const auto& c : cases) {
    INFO(c.fragment);
    CHECK_THROWS_WITH(from_text(llama_with(c.changes)), Catch::StartsWith("test") && Catch::Contains(c.fragment));
  }
}

TEST_CASE("A config file that is missing or no object is refused by its path") {
  const TempFolder folder;
  CHECK_THROWS_WITH(config_from_folder(folder.path()), Catch::Contains("config.json"));
  put(folder / "config.json", "[]");
  CHECK_THROWS_WITH(config_from_folder(folder.path()), Catch::Contains("config.json: not a JSON object"));
}

TEST_CASE("The ten published dense models have their parameters, by name, shape and number", "[golden]") {
  // tests/fixtures/real_shapes: tensors of the real models, layer 0 standing for all.
  const auto shapes = json::parse_file(kFixtures + "/real_shapes/real_shapes.json");
  const struct {
    const char* model;
    Family family;
    int64_t heads, kv_heads;
    bool is_tied;
  } cases[] = {
      {"Qwen2.5-1.5B (tied)", Family::kQwen2, 12, 2, true},
      {"DeepSeek-R1-Distill-Qwen-1.5B (untied)", Family::kQwen2, 12, 2, false},
      {"Qwen2.5-7B / Qwen2.5-Math-7B / R1-Distill-Qwen-7B", Family::kQwen2, 28, 4, false},
      {"Qwen2.5-14B / R1-Distill-Qwen-14B", Family::kQwen2, 40, 8, false},
      {"Qwen2.5-32B / R1-Distill-Qwen-32B", Family::kQwen2, 40, 8, false},
      {"Llama-3.1-8B / R1-Distill-Llama-8B", Family::kLlama, 32, 8, false},
      {"Llama-3.1-70B / Llama-3.3-70B-Instruct / R1-Distill-Llama-70B", Family::kLlama, 64, 8, false},
      {"SmolLM2-135M", Family::kLlama, 9, 3, true},
      {"SmolLM2-360M", Family::kLlama, 15, 5, true},
      {"SmolLM2-1.7B", Family::kLlama, 32, 32, true},
  };
  for (const auto& m : cases) {
    INFO(m.model);
    const auto& entry = shapes.at(m.model).as_object();
    const auto& published = entry.at("shapes").as_object();
    const auto size = [&](const char* name, size_t i) { return published.at(name).as_array().at(i).as_int64(); };
    ModelConfig c{.family = m.family,
                  .vocab_size = size("model.embed_tokens.weight", 0),
                  .hidden_size = size("model.embed_tokens.weight", 1),
                  .intermediate_size = size("model.layers.N.mlp.gate_proj.weight", 0),
                  .num_layers = entry.at("num_hidden_layers").as_int64(),
                  .num_heads = m.heads,
                  .num_kv_heads = m.kv_heads,
                  .head_dim = size("model.embed_tokens.weight", 1) / m.heads,
                  .max_position = 4096,
                  .tie_word_embeddings = m.is_tied,
                  .qkv_bias = m.family == Family::kQwen2};
    validate(c, m.model);
    CHECK(c.num_parameters() == entry.at("parameters_in_file").as_int64());
    CHECK(static_cast<int64_t>(c.parameters().size()) == entry.at("tensors_in_file").as_int64());
    size_t named = 0;
    for (const auto& parameter : c.parameters()) {
      std::string name = parameter.name;
      if (const size_t at = name.find("layers.0."); at != name.npos) name.replace(at, 9, "layers.N.");
      const auto* shape = published.if_contains(name);
      if (shape == nullptr) continue;
      CHECK(bj::value(bj::array(parameter.shape.begin(), parameter.shape.end())) == *shape);
      ++named;
    }
    CHECK(named == published.size());
  }
}

TEST_CASE("Parameters stand in the order of the layers") {
  const auto parameters = from_text(llama_with({})).parameters();
  CHECK(parameters.front().name == "model.embed_tokens.weight");
  CHECK(parameters[1].name == "model.layers.0.self_attn.q_proj.weight");
  CHECK(parameters[10].name == "model.layers.1.self_attn.q_proj.weight");
  CHECK(parameters[parameters.size() - 2].name == "model.norm.weight");
  CHECK(parameters.back().name == "lm_head.weight");
}

TEST_CASE("A config that is written is the config that is read") {
  for (const char* name : {"llama", "qwen2", "smollm2_tied_bf16"}) {
    INFO(name);
    const ModelConfig c = config_from_folder(kFixtures + "/" + name);
    const auto written = to_json(c, "bfloat16");
    check_equal(c, config_from_json(written, "written"));
    CHECK(written.at("torch_dtype") == "bfloat16");
    CHECK(written.at("model_type") == to_string(c.family));
  }
  ModelConfig odd = config_from_folder(kFixtures + "/llama");
  odd.rope_scaling.reset();
  odd.rope_factors.assign(8, 2.0f);
  CHECK_THROWS_WITH(to_json(odd, "float32"), Catch::Contains("rope_freqs.weight"));
}

TEST_CASE("A tokenizer with more ids than the embedding has rows is refused") {
  const ModelConfig c = from_text(llama_with({}));
  CHECK_NOTHROW(check_tokenizer_fits(c, 100, "tokenizer.json"));
  CHECK_NOTHROW(check_tokenizer_fits(c, 90, "tokenizer.json"));
  CHECK_THROWS_WITH(check_tokenizer_fits(c, 101, "tokenizer.json"),
                    Catch::StartsWith("tokenizer.json: the tokenizer has 101 ids, the model's embedding 100 rows"));
}
