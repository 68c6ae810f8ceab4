#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "model/weights.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;
using formats::DType;

namespace {

namespace fs = std::filesystem;

const std::string kFixtures = R1_FIXTURES;

ModelConfig tiny() {
  return {.vocab_size = 300,
          .hidden_size = 32,
          .intermediate_size = 48,
          .num_layers = 2,
          .num_heads = 4,
          .num_kv_heads = 2,
          .head_dim = 8,
          .max_position = 64,
          .eos_token_ids = {2}};
}

}  // namespace

TEST_CASE("A model that is saved and opened again is the same", "[property]") {
  for (const char* name : {"llama", "llama_sharded", "qwen2", "smollm2_tied_bf16", "gguf/tiny-llama-q4_0.gguf"}) {
    INFO(name);
    const TempFolder folder;
    const LoadedModel model = open_model(kFixtures + "/" + name);
    save_model(folder.path(), model.config, *model.weights, {});
    const LoadedModel saved = open_model(folder.path());
    CHECK(json::dump(to_json(saved.config, "float32")) == json::dump(to_json(model.config, "float32")));
    CHECK(hash_weights(saved.config, *saved.weights) == hash_weights(model.config, *model.weights));
    CHECK(folder.names() == std::vector<std::string>{"config.json", "generation_config.json", "model.safetensors"});
  }
}

TEST_CASE("A file of the same type is written bit for bit") {
  const TempFolder folder;
  const LoadedModel model = open_model(kFixtures + "/smollm2_tied_bf16");
  save_model(folder.path(), model.config, *model.weights, {.dtype = DType::kBF16});
  const formats::SafetensorsFile before(kFixtures + "/smollm2_tied_bf16/model.safetensors"),
      after(folder / "model.safetensors");
  REQUIRE(before.tensors().size() == after.tensors().size());
  for (const auto& t : before.tensors()) {
    const auto* copy = after.find(t.name);
    REQUIRE(copy != nullptr);
    CHECK(copy->dtype == DType::kBF16);
    CHECK(std::equal(t.bytes.begin(), t.bytes.end(), copy->bytes.begin(), copy->bytes.end()));
  }
  CHECK(json::parse_file(folder / "config.json").at("torch_dtype") == "bfloat16");
}

TEST_CASE("Weights saved as half floats are the nearest ones") {
  const ModelConfig c = tiny();
  const auto made = random_weights(c, 0.02, 3);
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    INFO(to_string(dtype));
    const TempFolder folder;
    save_model(folder.path(), c, made->weights, {.dtype = dtype});
    const LoadedModel saved = open_model(folder.path());
    int wrong = 0;
    for (const auto& parameter : c.parameters()) {
      const auto wanted = to_float32(made->weights.get(parameter.name)),
                 got = to_float32(saved.weights->get(parameter.name));
      for (size_t i = 0; i < wanted.size(); ++i) {
        const float rounded = dtype == DType::kF16 ? formats::f16_to_f32(formats::f32_to_f16(wanted[i]))
                                                   : formats::bf16_to_f32(formats::f32_to_bf16(wanted[i]));
        wrong += got[i] != rounded;
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("A model above the shard size is cut, and the index tells where each weight lies") {
  const TempFolder folder;
  const ModelConfig c = tiny();
  const auto made = random_weights(c, 0.02, 3);
  save_model(folder.path(), c, made->weights, {.max_shard_bytes = 40000});
  const auto index = json::parse_file(folder / "model.safetensors.index.json");
  CHECK(index.at("metadata").at("total_size") == 4 * c.num_parameters());
  CHECK(index.at("weight_map").as_object().size() == c.parameters().size());
  CHECK(index.at("weight_map").at("lm_head.weight") == "model-00004-of-00004.safetensors");
  CHECK_FALSE(fs::exists(folder / "model.safetensors"));
  for (int i = 1; i <= 4; ++i)
    CHECK(fs::file_size(folder / ("model-0000" + std::to_string(i) + "-of-00004.safetensors")) < 44000);
  const LoadedModel saved = open_model(folder.path());
  CHECK(hash_weights(c, *saved.weights) == hash_weights(c, made->weights));
}

TEST_CASE("What transformers' generate() starts from is written beside") {
  const TempFolder folder;
  ModelConfig c = tiny();
  c.eos_token_ids = {2, 7};
  c.bos_token_id = 1;
  save_model(folder.path(), c, random_weights(c, 0.02, 3)->weights, {});
  const auto generation = json::parse_file(folder / "generation_config.json").as_object();
  CHECK(generation.at("bos_token_id") == 1);
  CHECK(json::dump(generation.at("eos_token_id")) == "[2,7]");
  CHECK_FALSE(generation.contains("pad_token_id"));
}

TEST_CASE("Tokenizer files are copied along if they are there") {
  const TempFolder source, folder;
  put(source / "tokenizer.json", "{}");
  put(source / "chat_template.jinja", "{{ x }}");
  put(source / "secrets.txt", "no");
  const ModelConfig c = tiny();
  const auto made = random_weights(c, 0.02, 3);
  save_model(folder.path(), c, made->weights, {.extra_files = source.path()});
  CHECK(slurp(folder / "tokenizer.json") == "{}");
  CHECK(slurp(folder / "chat_template.jinja") == "{{ x }}");
  CHECK_FALSE(fs::exists(folder / "secrets.txt"));
  save_model(folder.path(), c, made->weights, {.extra_files = folder.path()});  // in place: the files stay whole
  CHECK(slurp(folder / "tokenizer.json") == "{}");
}

TEST_CASE("A save that cannot be right is refused") {
  const TempFolder folder;
  ModelConfig c = tiny();
  const auto made = random_weights(c, 0.02, 3);
  CHECK_THROWS_WITH(save_model(folder.path(), c, made->weights, {.dtype = DType::kI8}), Catch::Contains("dtype I8"));
  CHECK_THROWS_WITH(save_model(folder.path(), c, made->weights, {.max_shard_bytes = 0}),
                    Catch::Contains("max_shard_bytes is 0"));
  CHECK_THROWS_WITH(save_model(folder / "nowhere", c, made->weights, {}), Catch::Contains("no such folder"));
  made->storage[1][17] = 70000;
  CHECK_THROWS_WITH(
      save_model(folder.path(), c, made->weights, {.dtype = DType::kF16}),
      Catch::Contains("tensor 'model.layers.0.self_attn.q_proj.weight'") && Catch::Contains("element 17 is 70000"));
  c.num_kv_heads = 3;
  CHECK_THROWS_WITH(save_model(folder.path(), c, made->weights, {}), Catch::Contains("'num_key_value_heads' 3"));
}

// For tests/reference/check_saved_model.py; not part of a plain run.
TEST_CASE("Folders for transformers to load", "[.][reference]") {
  const char* out = std::getenv("R1_REFERENCE_OUT");
  REQUIRE(out != nullptr);
  const struct {
    const char* folder;
    const char* source;
    SaveOptions options;
  } cases[] = {
      {"llama", "llama", {}},
      {"llama_in_shards", "llama", {.max_shard_bytes = 200000}},
      {"qwen2", "qwen2", {}},
      {"smollm2_tied_bf16", "smollm2_tied_bf16", {.dtype = DType::kBF16}},
      {"deepseek_v3", "deepseek_v3", {}},
      {"deepseek_v3_in_shards", "deepseek_v3", {.max_shard_bytes = 100000}},
      {"gguf_f32", "gguf/tiny-llama-f32.gguf", {}},
      {"gguf_q8_0", "gguf/tiny-llama-q8_0.gguf", {}},
      {"gguf_q4_0", "gguf/tiny-llama-q4_0.gguf", {}},
      {"gguf_q4_1", "gguf/tiny-llama-q4_1.gguf", {}},
  };
  for (const auto& c : cases) {
    const LoadedModel model = open_model(kFixtures + "/" + c.source);
    AtomicFolder folder(fs::path(out) / c.folder);
    save_model(folder.path(), model.config, *model.weights, c.options);
    folder.commit();
  }
}
