#pragma once
// A model's weights as they lie in their files, by published name: what the rollout decoder and the trainer load from.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "formats/tensor_view.h"
#include "model/config.h"

namespace r1::model {

// Where tensors come from. Thread-safe. Names are the published Hugging Face names whatever the file calls them. Views
// stay valid while the source lives.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The tensor as stored (its dtype may be a GGUF block type); throws Error naming tensor and file if it is missing.
  // For GGUF "llama" the rows of q and k (weight and bias) come un-permuted, in Hugging Face's order.
  virtual formats::TensorView get(std::string_view name) const = 0;
  virtual bool has(std::string_view name) const = 0;
  virtual std::string describe() const = 0;  // "models/x/model.safetensors", for messages
};

// A published model: a Hugging Face folder (config.json + safetensors), a .gguf file, or a folder that holds one .gguf
// file.
struct LoadedModel {
  ModelConfig config;
  std::unique_ptr<WeightSource> weights;
  std::filesystem::path path;  // the folder, or the .gguf file, which may lie in the folder that was asked for
  bool is_gguf = false;
};

// Checks that every parameter of the config is there with its shape, before anything is copied: the first that is
// missing or of another shape is named with expected and found. A tensor of the model's body that the config does not
// know is an error too: it would be left out of the computation. Does not scan values.
LoadedModel open_model(const std::filesystem::path& path);

// Throws Error naming the first tensor that holds a NaN or an infinity, with the index of the element; of block types,
// of the first element of the block. Then, for the tensors that a file holds twice (ModelConfig::stored_copies), naming
// the first whose values differ.
void check_finite(const LoadedModel& model);

// Weights held in memory by someone else (the trainer), float32.
class MemoryWeights : public WeightSource {
 public:
  void set(std::string name, std::vector<int64_t> shape, std::span<const float> data);  // keeps the span, not a copy
  formats::TensorView get(std::string_view name) const override;
  bool has(std::string_view name) const override;
  std::string describe() const override { return "weights in memory"; }

 private:
  std::map<std::string, formats::TensorView, std::less<>> tensors_;
};

// Random initial weights: normal(0, std) for matrices, ones for norms, zeros for biases; a function of (seed, name,
// index), whatever the number of threads.
struct InitializedWeights {
  std::vector<std::vector<float>> storage;
  MemoryWeights weights;
};
std::unique_ptr<InitializedWeights> random_weights(const ModelConfig& config, double std, uint64_t seed);

// XXH3 over all parameters' float32 bytes in config.parameters() order: the hash of a WeightsVersion.
uint64_t hash_weights(const ModelConfig& config, const WeightSource& weights);

// Writes a folder that transformers loads unchanged: config.json, generation_config.json, model.safetensors (sharded
// with an index above max_shard_bytes); dtype kF32, kF16 or kBF16 (a value too large for F16 is an Error). kF8E4M3, for
// DeepSeek-V3 alone, writes its matrices as FP8 with scales in blocks of config.fp8 (128 x 128 if it is not set) and
// the rest as BF16; matrices that are FP8 already keep their bits. MTP modules get their copies of embedding and head.
// `extra_files`: tokenizer.json and the like, copied from a folder if they are there (tokenizer.json,
// tokenizer_config.json, special_tokens_map.json, chat_template.jinja, vocab.json, merges.txt). Files are written into
// `folder` as it is: callers make it atomic with core/files.h AtomicFolder.
struct SaveOptions {
  formats::DType dtype = formats::DType::kF32;
  int64_t max_shard_bytes = int64_t{5} << 30;
  std::filesystem::path extra_files;  // empty: none
};
void save_model(const std::filesystem::path& folder, const ModelConfig& config, const WeightSource& weights,
                const SaveOptions& options);

}  // namespace r1::model
