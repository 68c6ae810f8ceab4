// tests/fixtures/gguf/tiny-llama-*.gguf: the same weights in six types, q and k permuted as llama.cpp's converters do
// it.

#include <cmath>

#include "core/error.h"
#include "formats/gguf.h"
#include "model/weight_sources.h"
#include "tests/core/temp_folder.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;
using namespace gguf_bytes;

namespace {

namespace fs = std::filesystem;

const std::string kGguf = std::string(R1_FIXTURES) + "/gguf/";

struct KeyValue {
  std::string key, bytes;
};

// Metadata of a small model, with room for changes: the value of a key that is given again is replaced; "" takes it
// away.
std::string metadata(const std::string& architecture, const std::vector<KeyValue>& changes) {
  const std::string a = architecture + ".";
  std::vector<KeyValue> pairs = {
      {"general.architecture", u32(kString) + text(architecture)},
      {a + "block_count", u32(kU32) + u32(1)},
      {a + "context_length", u32(kU32) + u32(64)},
      {a + "embedding_length", u32(kU32) + u32(8)},
      {a + "feed_forward_length", u32(kU64) + u64(4)},
      {a + "attention.head_count", u32(kU32) + u32(2)},
      {a + "attention.head_count_kv", u32(kU32) + u32(1)},
      {a + "attention.layer_norm_rms_epsilon", u32(kF32) + num(1e-5f)},
      {a + "rope.freq_base", u32(kF32) + num(130000.0f)},
      {a + "vocab_size", u32(kU32) + u32(4)},
  };
  for (const KeyValue& change : changes) {
    std::erase_if(pairs, [&](const KeyValue& p) { return p.key == change.key; });
    if (!change.bytes.empty()) pairs.push_back(change);
  }
  std::string all;
  for (const KeyValue& p : pairs) all += text(p.key) + p.bytes;
  return u64(pairs.size()) + all;
}

// A file of that metadata with float32 tensors: name, dimensions (fastest first), values.
struct Tensor {
  std::string name;
  std::vector<uint64_t> dims;
  std::vector<float> values;
};
std::string gguf_file(const std::string& pairs, const std::vector<Tensor>& tensors) {
  std::string table, data;
  for (const Tensor& t : tensors) {
    table += text(t.name) + u32(static_cast<uint32_t>(t.dims.size()));
    for (const uint64_t size : t.dims) table += u64(size);
    table += u32(kTypeF32) + u64(data.size());
    for (const float value : t.values) data += num(value);
    data = padded(data);
  }
  return padded("GGUF" + u32(3) + u64(tensors.size()) + pairs + table) + data;
}

std::vector<float> counted(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

std::vector<Tensor> tiny_tensors() {
  std::vector<Tensor> tensors = {
      {"token_embd.weight", {8, 4}, counted(32)},     {"output_norm.weight", {8}, counted(8)},
      {"blk.0.attn_norm.weight", {8}, counted(8)},    {"blk.0.ffn_norm.weight", {8}, counted(8)},
      {"blk.0.attn_q.weight", {8, 8}, counted(64)},   {"blk.0.attn_k.weight", {8, 4}, counted(32)},
      {"blk.0.attn_v.weight", {8, 4}, counted(32)},   {"blk.0.attn_output.weight", {8, 8}, counted(64)},
      {"blk.0.ffn_gate.weight", {8, 4}, counted(32)}, {"blk.0.ffn_up.weight", {8, 4}, counted(32)},
      {"blk.0.ffn_down.weight", {4, 8}, counted(32)},
  };
  return tensors;
}

void add_biases(std::vector<Tensor>& tensors) {
  tensors.push_back({"blk.0.attn_q.bias", {8}, counted(8)});
  tensors.push_back({"blk.0.attn_k.bias", {4}, counted(4)});
  tensors.push_back({"blk.0.attn_v.bias", {4}, counted(4)});
}

ModelConfig config_of(const std::string& bytes) {
  const TempFolder folder;
  put(folder / "f.gguf", bytes);
  return config_from_gguf(formats::GgufFile(folder / "f.gguf"));
}

}  // namespace

TEST_CASE("The same weights in six types are the same within the type's precision", "[golden]") {
  const LoadedModel exact = open_model(kGguf + "tiny-llama-f32.gguf");
  CHECK(exact.is_gguf);
  CHECK(exact.config.tie_word_embeddings);
  CHECK_FALSE(exact.weights->has("lm_head.weight"));
  CHECK(exact.config.rms_norm_eps == 1e-5);
  const struct {
    const char* type;
    double relative;  // of the largest weight of the tensor
  } cases[] = {{"f16", 5e-4}, {"bf16", 4e-3}, {"q8_0", 4.1e-3}, {"q4_1", 0.067}, {"q4_0", 0.13}};
  for (const auto& c : cases) {
    INFO(c.type);
    const LoadedModel model = open_model(kGguf + "tiny-llama-" + c.type + ".gguf");
    CHECK_NOTHROW(check_finite(model));
    double worst = 0;
    for (const auto& parameter : exact.config.parameters()) {
      const auto a = to_float32(exact.weights->get(parameter.name)), b = to_float32(model.weights->get(parameter.name));
      REQUIRE(a.size() == b.size());
      double largest = 0, error = 0;
      for (size_t i = 0; i < a.size(); ++i) {
        largest = std::max<double>(largest, std::abs(a[i]));
        error = std::max<double>(error, std::abs(a[i] - b[i]));
      }
      worst = std::max(worst, error / largest);
    }
    CHECK(worst <= c.relative);
    CHECK(worst > 0);
  }
}

TEST_CASE("Rows of a Llama's q and k are put back into the published order, whatever their type") {
  const TempFolder folder;
  put(folder / "f.gguf", gguf_file(metadata("llama", {}), tiny_tensors()));
  const LoadedModel model = open_model(folder / "f.gguf");
  const auto rows = [&](const char* name) {
    const auto t = model.weights->get(name);
    const auto values = to_float32(t);
    std::vector<int> first;  // the file's row, told by its first element
    for (int64_t r = 0; r < t.shape[0]; ++r)
      first.push_back(static_cast<int>(values[static_cast<size_t>(r * t.shape[1])]) / 8);
    return first;
  };
  // head_dim 4: the file holds rows 0 2 1 3 of each head.
  CHECK(rows("model.layers.0.self_attn.q_proj.weight") == std::vector<int>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(rows("model.layers.0.self_attn.k_proj.weight") == std::vector<int>{0, 2, 1, 3});
  CHECK(rows("model.layers.0.self_attn.v_proj.weight") == std::vector<int>{0, 1, 2, 3});
  CHECK(rows("model.layers.0.self_attn.o_proj.weight") == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  const auto once = model.weights->get("model.layers.0.self_attn.q_proj.weight");
  CHECK(once.name == "model.layers.0.self_attn.q_proj.weight");
  CHECK(once.bytes.data() == model.weights->get("model.layers.0.self_attn.q_proj.weight").bytes.data());

  // Block types move whole rows: the same gather on a Q4_0 file equals the gather of its dequantised rows.
  const formats::GgufFile raw(kGguf + "tiny-llama-q4_0.gguf");
  const LoadedModel blocks = open_model(kGguf + "tiny-llama-q4_0.gguf");
  const auto stored = to_float32(*raw.find("blk.1.attn_k.weight")),
             moved = to_float32(blocks.weights->get("model.layers.1.self_attn.k_proj.weight"));
  const auto width = static_cast<size_t>(blocks.config.hidden_size), dim = static_cast<size_t>(blocks.config.head_dim);
  size_t different = 0;
  for (size_t row = 0; row < stored.size() / width; ++row) {
    const size_t source = row / dim * dim + 2 * (row % (dim / 2)) + row % dim / (dim / 2);
    different += !std::equal(&moved[row * width], &moved[row * width] + width, &stored[source * width]);
  }
  CHECK(different == 0);
}

TEST_CASE("A Qwen2's rows lie in the published order already, biases too") {
  const TempFolder folder;
  auto tensors = tiny_tensors();
  add_biases(tensors);
  tensors.push_back({"output.weight", {8, 4}, counted(32)});
  put(folder / "f.gguf", gguf_file(metadata("qwen2", {}), tensors));
  const LoadedModel model = open_model(folder / "f.gguf");
  CHECK(model.config.family == Family::kQwen2);
  CHECK_FALSE(model.config.tie_word_embeddings);
  CHECK(to_float32(model.weights->get("model.layers.0.self_attn.q_proj.weight")) == counted(64));
  CHECK(to_float32(model.weights->get("model.layers.0.self_attn.k_proj.bias")) == counted(4));
  CHECK(to_float32(model.weights->get("lm_head.weight")) == counted(32));
}

TEST_CASE("GGUF's names are the published ones and back") {
  for (const auto& parameter : ModelConfig{.num_layers = 12, .qkv_bias = true}.parameters()) {
    INFO(parameter.name);
    REQUIRE(gguf_name(parameter.name).has_value());
    CHECK(published_name(*gguf_name(parameter.name)) == parameter.name);
  }
  CHECK(gguf_name("model.layers.11.mlp.up_proj.weight") == "blk.11.ffn_up.weight");
  for (const char* name : {"", "model.", "model.layers.", "model.layers.3", "model.layers.3.weight",
                           "model.layers.3.mlp.up_proj", "model.layers.3.mlp.up_proj.scale", "blk.3.ffn_up.weight"}) {
    INFO(name);
    CHECK_FALSE(gguf_name(name).has_value());
  }
}

TEST_CASE("The config comes from the metadata") {
  const ModelConfig c = config_of(gguf_file(metadata("llama", {{"tokenizer.ggml.eos_token_id", u32(kU32) + u32(2)},
                                                               {"tokenizer.ggml.eot_token_id", u32(kU32) + u32(3)},
                                                               {"tokenizer.ggml.bos_token_id", u32(kU32) + u32(1)}}),
                                            tiny_tensors()));
  CHECK(c.family == Family::kLlama);
  CHECK(c.vocab_size == 4);
  CHECK(c.hidden_size == 8);
  CHECK(c.intermediate_size == 4);
  CHECK(c.num_layers == 1);
  CHECK(c.num_heads == 2);
  CHECK(c.num_kv_heads == 1);
  CHECK(c.head_dim == 4);
  CHECK(c.max_position == 64);
  CHECK(c.rms_norm_eps == 1e-5);  // not 9.999999747378752e-06
  CHECK(c.rope_theta == 130000);
  CHECK(c.tie_word_embeddings);
  CHECK(c.eos_token_ids == std::vector<int64_t>{2, 3});
  CHECK(c.bos_token_id == 1);
}

TEST_CASE("Metadata that does not tell a model we know is refused by its key") {
  const struct {
    KeyValue change;
    const char* fragment;
  } cases[] = {
      {{"general.architecture", u32(kString) + text("gemma")},
       "'general.architecture' is 'gemma'; known are llama and qwen2"},
      {{"general.architecture", ""}, "metadata key 'general.architecture' is missing"},
      {{"general.architecture", u32(kU32) + u32(1)}, "'general.architecture' is a whole number; a string is wanted"},
      {{"llama.block_count", ""}, "metadata key 'llama.block_count' is missing"},
      {{"llama.block_count", u32(kU32) + u32(UINT32_MAX)}, "key 'num_hidden_layers' is 4294967295"},
      {{"llama.embedding_length", u32(kF32) + num(8.0f)}, "'llama.embedding_length' is a fraction"},
      {{"llama.attention.head_count", u32(kU32) + u32(0)}, "'llama.attention.head_count' is 0"},
      {{"llama.attention.head_count_kv", u32(kArray) + u32(kU32) + u64(1) + u32(1)},
       "'llama.attention.head_count_kv' is an array"},
      {{"llama.attention.key_length", u32(kU32) + u32(3)}, "'llama.attention.value_length' is"},
      {{"llama.attention.value_length", u32(kU32) + u32(6)}, "'llama.attention.value_length' is 6; only the head's 4"},
      {{"llama.rope.dimension_count", u32(kU32) + u32(2)}, "'llama.rope.dimension_count' is 2; only the head's 4"},
      {{"llama.rope.scaling.type", u32(kString) + text("yarn")}, ""},
      {{"llama.expert_count", u32(kU32) + u32(8)}, "'llama.expert_count': mixtures of experts"},
      {{"llama.attention.sliding_window", u32(kU32) + u32(8)}, "'llama.attention.sliding_window'"},
      {{"llama.vocab_size", ""}, "metadata key 'llama.vocab_size' is missing"},
      {{"tokenizer.ggml.eos_token_id", u32(kU32) + u32(4)}, "key 'eos_token_id' is 4; ids are 0 to 3"},
  };
  for (const auto& c : cases) {
    INFO(c.change.key << " -> " << c.fragment);
    const std::string bytes = gguf_file(metadata("llama", {c.change}), tiny_tensors());
    if (*c.fragment == '\0') {
      CHECK_NOTHROW(config_of(bytes));  // a type without a factor scales by 1
    } else if (c.change.key == "llama.attention.key_length") {
      CHECK_THROWS_WITH(config_of(bytes), Catch::Contains("key 'head_dim' is 3"));
    } else {
      CHECK_THROWS_WITH(config_of(bytes), Catch::Contains(c.fragment));
    }
  }
  CHECK_THROWS_WITH(config_of(gguf_file(metadata("llama", {{"llama.rope.scaling.type", u32(kString) + text("yarn")},
                                                           {"llama.rope.scaling.factor", u32(kF32) + num(4.0f)}}),
                                        tiny_tensors())),
                    Catch::Contains("'llama.rope.scaling.type' is 'yarn'"));
}

TEST_CASE("Llama 3's scaling is recognised in rope_freqs.weight, and other factors are kept as they are") {
  const auto with_factors = [](const std::vector<float>& factors) {
    auto tensors = tiny_tensors();
    tensors.push_back({"rope_freqs.weight", {factors.size()}, factors});
    return config_of(gguf_file(metadata("llama", {{"llama.context_length", u32(kU32) + u32(131072)}}), tensors));
  };
  // head_dim 4, theta 130000: f = 1 and 130000^(-1/2), a wave of 2265 positions, between 8192 / 4 and 8192.
  ModelConfig scaled = with_factors({1, 1});
  CHECK(scaled.rope_factors.empty());
  CHECK_FALSE(scaled.rope_scaling.has_value());
  ModelConfig base = scaled;
  scaled.rope_scaling = Llama3RopeScaling{.factor = 1.5};
  std::vector<float> factors(2);
  for (size_t j = 0; j < 2; ++j)
    factors[j] = static_cast<float>(rope_frequencies(base)[j] / rope_frequencies(scaled)[j]);
  CHECK(factors[1] > 1.0f);
  CHECK(factors[1] < 1.5f);

  const ModelConfig odd = with_factors({1, 3});
  CHECK(odd.rope_factors == std::vector<float>{1, 3});
  CHECK_FALSE(odd.rope_scaling.has_value());
  CHECK(rope_frequencies(odd)[1] == Approx(rope_frequencies(base)[1] / 3));
  CHECK_THROWS_WITH(with_factors({1, 2, 3}), Catch::Contains("'rope_freqs.weight' has 3 elements; half the head's 4"));
  CHECK_THROWS_WITH(with_factors({1, 0}), Catch::Contains("rope_freqs.weight holds a factor"));
  CHECK_THROWS_WITH(with_factors({1, NAN}), Catch::Contains("rope_freqs.weight holds a factor"));
}

TEST_CASE("A GGUF file whose tensors do not fit its metadata is refused by the published name") {
  const TempFolder folder;
  const auto open_with = [&](const std::vector<Tensor>& tensors) {
    put(folder / "f.gguf", gguf_file(metadata("llama", {}), tensors));
    open_model(folder / "f.gguf");
  };
  auto tensors = tiny_tensors();
  tensors.erase(tensors.begin() + 9);
  CHECK_THROWS_WITH(open_with(tensors), Catch::Contains("tensor 'model.layers.0.mlp.up_proj.weight' is missing"));
  tensors = tiny_tensors();
  tensors[4].dims = {4, 16};
  CHECK_THROWS_WITH(open_with(tensors), Catch::Contains("q_proj.weight' has shape [16, 4]; the config wants [8, 8]"));
  tensors = tiny_tensors();
  add_biases(tensors);
  CHECK_THROWS_WITH(open_with(tensors), Catch::Contains("q_proj.bias' is no part of the llama model"));
  tensors = tiny_tensors();
  tensors.push_back({"blk.0.attn_q_norm.weight", {4}, counted(4)});
  CHECK_THROWS_WITH(open_with(tensors), Catch::Contains("'blk.0.attn_q_norm.weight' is no part of"));
}

TEST_CASE("A folder that holds one GGUF file is that model, and one that holds two is not") {
  const TempFolder folder;
  fs::copy(kGguf + "tiny-llama-q4_1.gguf", folder / "a.gguf");
  const LoadedModel model = open_model(folder.path());
  CHECK(model.is_gguf);
  CHECK(model.path == folder / "a.gguf");
  CHECK(model.weights->describe() == (folder / "a.gguf").string());
  fs::copy(kGguf + "tiny-llama-f16.gguf", folder / "b.gguf");
  CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains("2 GGUF files: a.gguf, b.gguf"));
}

TEST_CASE("A scale that is not finite is found in every block type") {
  for (const auto& [type, scale_at] : {std::pair{"q8_0", 0}, {"q4_0", 0}, {"q4_1", 2}}) {
    INFO(type);
    const TempFolder folder;
    const std::string source = kGguf + "tiny-llama-" + type + ".gguf";
    std::string bytes = slurp(source);
    const formats::GgufFile file(source);
    const formats::TensorView& t = *file.find("blk.1.ffn_up.weight");
    const auto base = reinterpret_cast<const char*>(t.bytes.data());
    const std::string tensor_bytes(base, t.bytes.size());
    const size_t at = bytes.find(tensor_bytes);
    REQUIRE(at != std::string::npos);
    const auto block_bytes = static_cast<size_t>(block_layout(t.dtype).bits / 8);
    bytes[at + 3 * block_bytes + static_cast<size_t>(scale_at)] = 0;
    bytes[at + 3 * block_bytes + static_cast<size_t>(scale_at) + 1] = 0x7c;
    put(folder / "f.gguf", bytes);
    CHECK_THROWS_WITH(check_finite(open_model(folder / "f.gguf")),
                      Catch::Contains("tensor 'model.layers.1.mlp.up_proj.weight': element 96 is not a finite number"));
  }
}
