#include "model/weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/thread_pool.h"
#include "formats/quote.h"
#include "model/weight_sources.h"

namespace r1::model {
namespace {

namespace fs = std::filesystem;
using formats::DType;
using formats::TensorView;

bool is_weight_type(DType t) {
  const bool is_float = t == DType::kF32 || t == DType::kF16 || t == DType::kBF16 || t == DType::kF64;
  return is_float || (t >= DType::kQ4_0 && t <= DType::kQ6_K);
}

// The scales of an FP8 matrix: there, of the block grid's shape, finite and not negative.
void check_scales(const FileWeights& source, const ModelConfig::Parameter& p, const Fp8Config& fp8) {
  const std::string name = scale_name(p.name);
  const TensorView* found = source.find(name);
  const auto refuse = [&](const std::string& problem) {
    throw Error(source.describe(), fmt::format("tensor {} {}", formats::quote_name(name), problem),
                "fetch the model's files again: an FP8 matrix is nothing without its scales");
  };
  const std::vector<int64_t> wanted{(p.shape[0] + fp8.block_rows - 1) / fp8.block_rows,
                                    (p.shape[1] + fp8.block_cols - 1) / fp8.block_cols};
  if (found == nullptr) return refuse(fmt::format("is missing; {} is stored as F8_E4M3", formats::quote_name(p.name)));
  if (found->dtype != DType::kF32) refuse(fmt::format("is stored as {}; F32 is wanted", to_string(found->dtype)));
  if (found->shape != wanted) {
    refuse(
        fmt::format("has shape {}; blocks of {} x {} want {}", found->shape, fp8.block_rows, fp8.block_cols, wanted));
  }
  const auto scales = to_float32(*found);
  const auto bad = std::find_if(scales.begin(), scales.end(), [](float s) { return !std::isfinite(s) || s < 0; });
  if (bad != scales.end()) refuse(fmt::format("holds {} at element {}", *bad, bad - scales.begin()));
}

void check_type(const ModelConfig& config, const FileWeights& source, const ModelConfig::Parameter& p, DType type) {
  if (is_weight_type(type)) return;
  if (type == DType::kF8E4M3 && config.fp8 && p.is_quantised) return check_scales(source, p, *config.fp8);
  throw Error(source.describe(), fmt::format("tensor {} is stored as {}", formats::quote_name(p.name), to_string(type)),
              config.family == Family::kDeepseekV3
                  ? "use weights in F32, F16, BF16 or F64, or F8_E4M3 with quantization_config in config.json"
                  : "use weights in F32, F16, BF16, F64 or one of GGUF's types Q4_0 to Q6_K");
}

void check_parameter(const ModelConfig& config, const FileWeights& source, const ModelConfig::Parameter& wanted) {
  const std::string name = formats::quote_name(wanted.name);
  const TensorView* found = source.find(wanted.name);
  if (found == nullptr) {
    throw Error(source.describe(),
                fmt::format("tensor {} is missing; the config wants it with shape {}", name, wanted.shape),
                "fetch the model's files again, or mend the config if it tells another model");
  }
  if (found->shape != wanted.shape) {
    throw Error(source.describe(),
                fmt::format("tensor {} has shape {}; the config wants {}", name, found->shape, wanted.shape),
                "use config and weights of the same model");
  }
  check_type(config, source, wanted, found->dtype);
}

// A copy may be left out; one that is there must fit its source (check_finite() compares the values).
void check_copies(const ModelConfig& config, const FileWeights& source, std::set<std::string, std::less<>>& known) {
  for (const auto& copy : config.stored_copies()) {
    const TensorView *found = source.find(copy.name), *original = source.find(copy.source);
    known.insert(copy.name);
    if (found == nullptr || (found->shape == original->shape && found->dtype == original->dtype)) continue;
    throw Error(source.describe(),
                fmt::format("tensor {} has shape {} and type {}; as a copy of {} it has {} and {}",
                            formats::quote_name(copy.name), found->shape, to_string(found->dtype),
                            formats::quote_name(copy.source), original->shape, to_string(original->dtype)),
                "fetch the model's files again");
  }
}

// Of the tensors that no parameter names, those may be left alone: tables that follow from the config, a stored copy of
// tied embeddings, and heads beside the language model.
bool may_be_ignored(std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq") || name == "rope_freqs.weight" || name == "lm_head.weight" ||
         !(name.starts_with("model.") || name.starts_with("blk."));
}

void check_parameters(const ModelConfig& config, const FileWeights& source) {
  std::set<std::string, std::less<>> known;
  for (const auto& parameter : config.parameters()) {
    check_parameter(config, source, parameter);
    known.insert(parameter.name);
    if (parameter.is_quantised && config.fp8) known.insert(scale_name(parameter.name));
  }
  check_copies(config, source, known);
  for (const std::string& name : source.names()) {
    if (known.contains(name)) continue;
    if (!may_be_ignored(name)) {
      throw Error(source.describe(),
                  fmt::format("tensor {} is no part of the {} model that the config tells", formats::quote_name(name),
                              to_string(config.family)),
                  "use config and weights of the same model");
    }
    log::debug("{}: tensor {} is left alone", source.describe(), formats::quote_name(name));
  }
}

LoadedModel open_gguf(const fs::path& path) {
  auto source = std::make_unique<GgufWeights>(path);
  LoadedModel model{.config = source->config(), .path = path, .is_gguf = true};
  check_parameters(model.config, *source);
  model.weights = std::move(source);
  return model;
}

// transformers saves DeepSeek-V3 without its MTP modules and leaves num_nextn_predict_layers in the config as it was.
void leave_out_absent_mtp(ModelConfig& config, const FileWeights& source, const fs::path& folder) {
  if (config.num_mtp_layers == 0) return;
  const auto first = fmt::format("model.layers.{}.", config.num_layers);
  for (const std::string& name : source.names()) {
    if (name.starts_with(first)) return;
  }
  log::info("{}: no MTP module, although config.json speaks of {}; the model is taken without",
            formats::quote_name(folder.string()), config.num_mtp_layers);
  config.num_mtp_layers = 0;
}

LoadedModel open_folder(const fs::path& folder) {
  LoadedModel model{.config = config_from_folder(folder), .path = folder};
  auto source = std::make_unique<FolderWeights>(folder, model.config.fp8);
  leave_out_absent_mtp(model.config, *source, folder);
  check_parameters(model.config, *source);
  model.weights = std::move(source);
  return model;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The folder's GGUF file, if it has no safetensors; nothing if it has none.
fs::path find_gguf(const fs::path& folder) {
  if (is_there(folder / "model.safetensors") || is_there(folder / "model.safetensors.index.json")) return {};
  std::vector<std::string> found;
  std::error_code unreadable;  // open_folder() tells what is wrong
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().extension() == ".gguf") found.push_back(entry.path().filename().string());
  }
  if (found.size() > 1) {
    std::sort(found.begin(), found.end());
    throw Error(folder.string(), fmt::format("{} GGUF files: {}", found.size(), fmt::join(found, ", ")),
                "name one of them");
  }
  return found.empty() ? fs::path() : folder / found[0];
}

}  // namespace

LoadedModel open_model(const fs::path& path) {
  std::error_code ignored;
  if (!is_there(path)) {
    throw Error(path.string(), "no such file or folder",
                "name a folder with config.json and *.safetensors, or a .gguf file");
  }
  if (!fs::is_directory(path, ignored)) return open_gguf(path);
  const fs::path gguf = find_gguf(path);
  return gguf.empty() ? open_folder(path) : open_gguf(gguf);
}

void MemoryWeights::set(std::string name, std::vector<int64_t> shape, std::span<const float> data) {
  TensorView view{.name = name, .dtype = DType::kF32, .shape = std::move(shape), .bytes = std::as_bytes(data)};
  if (view.num_elements() != static_cast<int64_t>(data.size())) {
    throw Error(fmt::format("MemoryWeights: tensor {}", formats::quote_name(name)),
                fmt::format("shape {} for {} elements", view.shape, data.size()), "pass all elements of the tensor");
  }
  tensors_[std::move(name)] = std::move(view);
}

TensorView MemoryWeights::get(std::string_view name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) {
    throw Error(describe(), fmt::format("tensor {} is missing", formats::quote_name(name)),
                "set() every parameter of the config");
  }
  return it->second;
}

bool MemoryWeights::has(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }

uint64_t hash_weights(const ModelConfig& config, const WeightSource& weights) {
  constexpr int64_t kChunk = 1 << 16;  // elements that one thread converts; a multiple of every block
  constexpr int64_t kBuffer =
      1 << 20;  // elements that are converted before they are hashed; small enough for the cache
  StreamHash hash;
  std::vector<float> buffer;
  for (const auto& parameter : config.parameters()) {
    const TensorView t = weights.get(parameter.name);
    if (t.dtype == DType::kF32) {
      hash.add(t.bytes);
      continue;
    }
    const int64_t count = t.num_elements();
    for (int64_t begin = 0; begin < count; begin += kBuffer) {
      buffer.resize(static_cast<size_t>(std::min(kBuffer, count - begin)));
      const auto length = static_cast<int64_t>(buffer.size());
      compute_pool().parallel_for((length + kChunk - 1) / kChunk, 1, [&](int64_t first, int64_t last) {
        const int64_t from = first * kChunk, size = std::min(last * kChunk, length) - from;
        to_float32(slice(t, begin + from, size),
                   std::span(buffer).subspan(static_cast<size_t>(from), static_cast<size_t>(size)));
      });
      hash.add(std::as_bytes(std::span(buffer)));
    }
  }
  return hash.value();
}

}  // namespace r1::model
