#include "model/weights.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/hash.h"
#include "core/thread_pool.h"
#include "formats/safetensors.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;
using formats::DType;
using formats::TensorView;

namespace {

namespace fs = std::filesystem;

const std::string kFixtures = R1_FIXTURES;

// A copy of the llama fixture whose model.safetensors holds what `change` makes of its tensors.
template <typename Change>
void copy_changed(const TempFolder& folder, Change change) {
  fs::copy(kFixtures + "/llama/config.json", folder / "config.json");
  const formats::SafetensorsFile file(kFixtures + "/llama/model.safetensors");
  std::vector<TensorView> tensors = file.tensors();
  change(tensors);
  formats::write_safetensors(folder / "model.safetensors", tensors);
}

TensorView& named(std::vector<TensorView>& tensors, std::string_view name) {
  for (TensorView& t : tensors) {
    if (t.name == name) return t;
  }
  throw std::runtime_error("no such tensor");
}

ModelConfig tiny() {
  return {.vocab_size = 300,
          .hidden_size = 32,
          .intermediate_size = 48,
          .num_layers = 2,
          .num_heads = 4,
          .num_kv_heads = 2,
          .head_dim = 8,
          .max_position = 64};
}

}  // namespace

TEST_CASE("A published folder opens with every parameter in its shape") {
  for (const char* name : {"llama", "llama_sharded", "qwen2", "smollm2_tied_bf16"}) {
    INFO(name);
    const LoadedModel model = open_model(kFixtures + "/" + name);
    CHECK_FALSE(model.is_gguf);
    CHECK(model.weights->describe() == kFixtures + "/" + name);
    for (const auto& parameter : model.config.parameters()) {
      REQUIRE(model.weights->has(parameter.name));
      REQUIRE(model.weights->get(parameter.name).shape == parameter.shape);
    }
    CHECK_NOTHROW(check_finite(model));
    CHECK_FALSE(model.weights->has("lm_head.bias"));
    CHECK_THROWS_WITH(model.weights->get("lm_head.bias"), Catch::Contains("tensor 'lm_head.bias' is missing"));
  }
  CHECK_FALSE(open_model(kFixtures + "/smollm2_tied_bf16").weights->has("lm_head.weight"));
}

TEST_CASE("A folder whose tensors do not fit its config is refused by the tensor's name") {
  const std::string norm = "model.layers.1.input_layernorm.weight";
  const float one = 1;
  const auto one_bytes = std::as_bytes(std::span(&one, 1));
  SECTION("one is missing") {
    const TempFolder folder;
    copy_changed(folder,
                 [&](auto& tensors) { std::erase_if(tensors, [&](const TensorView& t) { return t.name == norm; }); });
    CHECK_THROWS_WITH(open_model(folder.path()),
                      Catch::StartsWith(folder.path().string()) &&
                          Catch::Contains("tensor '" + norm + "' is missing; the config wants it with shape [64]"));
  }
  SECTION("one has another shape") {
    const TempFolder folder;
    copy_changed(folder, [&](auto& tensors) { named(tensors, norm).shape = {8, 8}; });
    CHECK_THROWS_WITH(open_model(folder.path()),
                      Catch::Contains("tensor '" + norm + "' has shape [8, 8]; the config wants [64]"));
  }
  SECTION("one has a type that holds no weights") {
    const TempFolder folder;
    copy_changed(folder, [&](auto& tensors) { named(tensors, norm).dtype = DType::kI32; });
    CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains("tensor '" + norm + "' is stored as I32"));
  }
  SECTION("one is too many in the body: it would be left out of the computation") {
    for (const char* extra : {"model.layers.0.self_attn.q_proj.bias", "model.layers.3.input_layernorm.weight"}) {
      const TempFolder folder;
      copy_changed(folder, [&](auto& tensors) { tensors.push_back({extra, DType::kF32, {1}, one_bytes}); });
      CHECK_THROWS_WITH(open_model(folder.path()),
                        Catch::Contains(std::string("tensor '") + extra + "' is no part of the llama model"));
    }
  }
  SECTION("one is too many, but harmless") {
    const TempFolder folder;
    copy_changed(folder, [&](auto& tensors) {
      tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", DType::kF32, {1}, one_bytes});
      tensors.push_back({"value_head.weight", DType::kF32, {1}, one_bytes});
    });
    CHECK_NOTHROW(open_model(folder.path()));
  }
}

TEST_CASE("A path without a model is refused") {
  const TempFolder folder;
  CHECK_THROWS_WITH(open_model(folder / "nowhere"), Catch::Contains("nowhere: no such file or folder"));
  CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains("config.json"));
  put(folder / "notes.txt", "hello, this is no model");
  CHECK_THROWS_WITH(open_model(folder / "notes.txt"), Catch::Contains("not with \"GGUF\""));
  fs::copy(kFixtures + "/llama/config.json", folder / "config.json");
  CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains("neither model.safetensors nor"));
}

TEST_CASE("A weight that is not finite is named with its place") {
  const std::string name = "model.layers.2.mlp.up_proj.weight";
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kF64}) {
      INFO(bad << " as " << to_string(dtype));
      const TempFolder folder;
      std::vector<std::byte> bytes;
      copy_changed(folder, [&](auto& tensors) {
        TensorView& t = named(tensors, name);
        std::vector<float> values = to_float32(t);
        values[7001] = bad;
        values[7100] = bad;
        if (dtype == DType::kF64) {
          const std::vector<double> wide(values.begin(), values.end());
          bytes.assign(std::as_bytes(std::span(wide)).begin(), std::as_bytes(std::span(wide)).end());
        } else {
          bytes.resize(values.size() * static_cast<size_t>(block_layout(dtype).bits / 8));
          formats::from_float32(values, dtype, bytes);
        }
        t.dtype = dtype;
        t.bytes = bytes;
      });
      const LoadedModel model = open_model(folder.path());
      CHECK_THROWS_WITH(check_finite(model),
                        Catch::Contains("tensor '" + name + "': element 7001 is not a finite number"));
    }
  }
}

TEST_CASE("Weights in memory are handed out as they are set") {
  MemoryWeights weights;
  const std::vector<float> values = {1, 2, 3, 4};
  weights.set("w", {2, 2}, values);
  CHECK(weights.get("w").bytes.data() == reinterpret_cast<const std::byte*>(values.data()));
  CHECK(weights.has("w"));
  CHECK_THROWS_WITH(weights.get("v"), Catch::Contains("weights in memory: tensor 'v' is missing"));
  CHECK_THROWS_WITH(weights.set("v", {3}, values), Catch::Contains("tensor 'v': shape [3] for 4 elements"));
}

TEST_CASE("Random weights are a function of seed, name and index, and of nothing else") {
  const ModelConfig c = tiny();
  const auto a = random_weights(c, 0.02, 1), same = random_weights(c, 0.02, 1), other = random_weights(c, 0.02, 2);
  CHECK(hash_weights(c, a->weights) == hash_weights(c, same->weights));
  CHECK(hash_weights(c, a->weights) != hash_weights(c, other->weights));

  set_compute_threads(1);
  const auto single = random_weights(c, 0.02, 1);
  set_compute_threads(3);
  const auto triple = random_weights(c, 0.02, 1);
  CHECK(hash_weights(c, single->weights) == hash_weights(c, a->weights));
  CHECK(hash_weights(c, triple->weights) == hash_weights(c, a->weights));

  ModelConfig deeper = c;
  deeper.num_layers = 3;
  deeper.vocab_size = 400;
  const auto grown = random_weights(deeper, 0.02, 1);
  const char* name = "model.layers.1.mlp.up_proj.weight";
  CHECK(to_float32(grown->weights.get(name)) == to_float32(a->weights.get(name)));
}

TEST_CASE("Random weights are normal in matrices, one in norms and zero in biases", "[property]") {
  ModelConfig c = tiny();
  c.family = Family::kQwen2;
  c.qkv_bias = true;
  c.vocab_size = 4001;
  const auto made = random_weights(c, 0.5, 7);
  const auto values = to_float32(made->weights.get("model.embed_tokens.weight"));
  double sum = 0, squares = 0, fourth = 0;
  for (const double x : values) {
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  const auto n = static_cast<double>(values.size());
  CHECK(std::abs(sum / n) < 4 * 0.5 / std::sqrt(n));
  CHECK(squares / n == Approx(0.25).epsilon(4 * std::sqrt(2 / n)));
  CHECK(fourth / n == Approx(3 * 0.0625).epsilon(0.05));  // the normal's kurtosis is 3
  CHECK(to_float32(made->weights.get("model.norm.weight")) == std::vector<float>(32, 1.0f));
  CHECK(to_float32(made->weights.get("model.layers.0.self_attn.k_proj.bias")) == std::vector<float>(16, 0.0f));
  CHECK_THROWS_WITH(random_weights(c, -1, 7), Catch::Contains("std is -1"));
}

TEST_CASE("The hash of weights depends on their values and not on how they are stored") {
  const LoadedModel single = open_model(kFixtures + "/llama"), sharded = open_model(kFixtures + "/llama_sharded");
  const uint64_t hash = hash_weights(single.config, *single.weights);
  CHECK(hash == hash_weights(sharded.config, *sharded.weights));

  std::string bytes;  // XXH3 over the float32 bytes in the parameters' order
  for (const auto& parameter : single.config.parameters()) {
    const auto values = to_float32(single.weights->get(parameter.name));
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  CHECK(hash == hash64(bytes));

  // bf16 on disk and the same values as float32 in memory.
  const LoadedModel half = open_model(kFixtures + "/smollm2_tied_bf16");
  InitializedWeights wide;
  for (const auto& parameter : half.config.parameters()) {
    wide.storage.push_back(to_float32(half.weights->get(parameter.name)));
    wide.weights.set(parameter.name, parameter.shape, wide.storage.back());
  }
  CHECK(hash_weights(half.config, *half.weights) == hash_weights(half.config, wide.weights));
  wide.storage[3][5] += 1e-3f;
  CHECK(hash_weights(half.config, *half.weights) != hash_weights(half.config, wide.weights));
}
