// ModelConfig from GGUF metadata. Keys: formats.md 6.2.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "formats/gguf.h"
#include "model/config.h"

namespace r1::model {
namespace {

using formats::GgufFile;

constexpr const char* kMend = "use a Llama or Qwen2 file from a current converter";

[[noreturn]] void refuse(const GgufFile& file, const std::string& problem) {
  throw Error(file.path().string(), problem, kMend);
}

Family read_family(const GgufFile& file) {
  const std::string architecture = file.get_string("general.architecture");
  if (architecture == "llama") return Family::kLlama;
  if (architecture == "qwen2") return Family::kQwen2;
  refuse(file, fmt::format("metadata key 'general.architecture' is '{}'; known are llama and qwen2", architecture));
}

// Metadata fractions are float32 mostly; 1e-05 comes back as 1e-05 and not as 9.999999747378752e-06.
double shortest(double value) {
  const auto single = static_cast<float>(value);
  return static_cast<double>(single) == value ? std::strtod(fmt::format("{}", single).c_str(), nullptr) : value;
}

void refuse_unsupported(const GgufFile& file, const std::string& prefix) {
  if (file.find_int(prefix + "expert_count").value_or(0) > 0)
    refuse(file, fmt::format("metadata key '{}expert_count': mixtures of experts are not read here", prefix));
  if (file.find_int(prefix + "attention.sliding_window").value_or(0) > 0) {
    refuse(file, fmt::format("metadata key '{}attention.sliding_window': sliding windows are not supported", prefix));
  }
  const std::string scaling = file.find_string(prefix + "rope.scaling.type").value_or("none");
  const double factor = file.find_double(prefix + "rope.scaling.factor").value_or(1);
  if (scaling != "none" && factor != 1) {
    refuse(file,
           fmt::format(
               "metadata key '{}rope.scaling.type' is '{}'; only none, and Llama 3's rope_freqs.weight, are supported",
               prefix, scaling));
  }
}

int64_t read_vocab_size(const GgufFile& file, const std::string& prefix) {
  if (const auto size = file.find_int(prefix + "vocab_size")) return *size;
  if (const auto* tokens = file.find_strings("tokenizer.ggml.tokens")) return static_cast<int64_t>(tokens->size());
  return file.get_int(prefix + "vocab_size");
}

void read_heads(ModelConfig& c, const GgufFile& file, const std::string& prefix) {
  c.num_heads = file.get_int(prefix + "attention.head_count");
  c.num_kv_heads = file.find_int(prefix + "attention.head_count_kv").value_or(c.num_heads);
  if (c.num_heads < 1) refuse(file, fmt::format("metadata key '{}attention.head_count' is {}", prefix, c.num_heads));
  c.head_dim = file.find_int(prefix + "attention.key_length").value_or(c.hidden_size / c.num_heads);
  const auto same_as_head_dim = [&](const char* key) {
    const int64_t value = file.find_int(prefix + key).value_or(c.head_dim);
    if (value != c.head_dim)
      refuse(file,
             fmt::format("metadata key '{}{}' is {}; only the head's {} is supported", prefix, key, value, c.head_dim));
  };
  same_as_head_dim("attention.value_length");
  same_as_head_dim("rope.dimension_count");
}

void read_tokens(ModelConfig& c, const GgufFile& file) {
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    const auto id = file.find_int(key);
    if (id && std::find(c.eos_token_ids.begin(), c.eos_token_ids.end(), *id) == c.eos_token_ids.end())
      c.eos_token_ids.push_back(*id);
  }
  c.bos_token_id = file.find_int("tokenizer.ggml.bos_token_id");
  c.pad_token_id = file.find_int("tokenizer.ggml.padding_token_id");
}

// The factors that Llama 3's scaling would have been written as.
std::vector<float> llama3_factors(const ModelConfig& c, const Llama3RopeScaling& scaling) {
  ModelConfig plain = c, scaled = c;
  plain.rope_factors.clear();
  scaled.rope_factors.clear();
  plain.rope_scaling.reset();
  scaled.rope_scaling = scaling;
  const auto base = rope_frequencies(plain), stretched = rope_frequencies(scaled);
  std::vector<float> factors(base.size());
  for (size_t j = 0; j < base.size(); ++j) factors[j] = static_cast<float>(base[j] / stretched[j]);
  return factors;
}

bool nearly_equal(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::abs(x - y) <= 1e-5f * std::abs(y); });
}

// The converter writes factors only; the scaling that every Llama 3 was published with is recognised by them.
void read_rope_factors(ModelConfig& c, const GgufFile& file) {
  const auto* tensor = file.find("rope_freqs.weight");
  if (tensor == nullptr) return;
  if (tensor->num_elements() != c.head_dim / 2) {
    refuse(file, fmt::format("tensor 'rope_freqs.weight' has {} elements; half the head's {} are wanted",
                             tensor->num_elements(), c.head_dim));
  }
  c.rope_factors = formats::to_float32(*tensor);
  validate(c, file.path().string());
  const Llama3RopeScaling scaling{.factor = shortest(*std::max_element(c.rope_factors.begin(), c.rope_factors.end()))};
  const bool is_plain = nearly_equal(c.rope_factors, std::vector<float>(c.rope_factors.size(), 1.0f));
  if (!is_plain && !nearly_equal(c.rope_factors, llama3_factors(c, scaling))) return;
  if (!is_plain) c.rope_scaling = scaling;
  c.rope_factors.clear();
}

}  // namespace

ModelConfig config_from_gguf(const GgufFile& file) {
  ModelConfig c;
  c.family = read_family(file);
  const std::string prefix = std::string(to_string(c.family)) + ".";
  refuse_unsupported(file, prefix);
  c.vocab_size = read_vocab_size(file, prefix);
  c.hidden_size = file.get_int(prefix + "embedding_length");
  c.intermediate_size = file.get_int(prefix + "feed_forward_length");
  c.num_layers = file.get_int(prefix + "block_count");
  read_heads(c, file, prefix);
  c.max_position = file.get_int(prefix + "context_length");
  c.rms_norm_eps = shortest(file.get_double(prefix + "attention.layer_norm_rms_epsilon"));
  c.rope_theta = shortest(file.find_double(prefix + "rope.freq_base").value_or(c.rope_theta));
  c.tie_word_embeddings = file.find("output.weight") == nullptr;
  c.qkv_bias = c.family == Family::kQwen2;
  read_tokens(c, file);
  validate(c, file.path().string());
  read_rope_factors(c, file);
  return c;
}

}  // namespace r1::model
