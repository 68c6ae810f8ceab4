#pragma once
// The two kinds of file that open_model() reads.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "formats/safetensors.h"
#include "model/weights.h"

namespace r1::model {

// Weights in files, as open_model() checks them.
class FileWeights : public WeightSource {
 public:
  // The tensor as it lies in the file, rows of q and k included; null if there is none.
  virtual const formats::TensorView* find(std::string_view name) const = 0;
  // Hugging Face's names; a tensor that has none there under its own.
  virtual std::vector<std::string> names() const = 0;
  bool has(std::string_view name) const override { return find(name) != nullptr; }
};

// A Hugging Face folder: names and values as they are; FP8 matrices with their scales.
class FolderWeights : public FileWeights {
 public:
  FolderWeights(const std::filesystem::path& folder, const std::optional<Fp8Config>& fp8)
      : path_(folder), folder_(folder), fp8_(fp8) {}
  formats::TensorView get(std::string_view name) const override;
  const formats::TensorView* find(std::string_view name) const override { return folder_.find(name); }
  std::string describe() const override { return path_.string(); }
  std::vector<std::string> names() const override { return folder_.names(); }

 private:
  std::filesystem::path path_;
  formats::SafetensorsFolder folder_;
  std::optional<Fp8Config> fp8_;
};

// A GGUF file under Hugging Face's names, with the rows of q and k put back into Hugging Face's order.
class GgufWeights : public FileWeights {
 public:
  explicit GgufWeights(const std::filesystem::path& path);
  formats::TensorView get(std::string_view name) const override;
  const formats::TensorView* find(std::string_view name) const override;
  std::string describe() const override { return file_.path().string(); }
  const formats::GgufFile& file() const { return file_; }
  const ModelConfig& config() const { return config_; }
  std::vector<std::string> names() const override;

 private:
  // Heads of the tensor if its rows are permuted in the file, else 0.
  int64_t permuted_heads(std::string_view name) const;

  formats::GgufFile file_;
  ModelConfig config_;
  mutable std::mutex mutex_;  // guards unpermuted_, which fills as tensors are asked for
  mutable std::map<std::string, std::vector<std::byte>, std::less<>> unpermuted_;
};

// Where an FP8 matrix's scales lie: "X.weight" -> "X.weight_scale_inv".
inline std::string scale_name(std::string_view weight) { return std::string(weight) + "_scale_inv"; }

// "model.layers.3.mlp.up_proj.weight" <-> "blk.3.ffn_up.weight"; nothing for names that have no counterpart.
std::optional<std::string> gguf_name(std::string_view published);
std::optional<std::string> published_name(std::string_view gguf);

}  // namespace r1::model
