// A published folder out of weights.

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/thread_pool.h"
#include "formats/quote.h"
#include "formats/safetensors.h"
#include "kernels/fp8.h"
#include "model/weight_sources.h"
#include "model/weights.h"

namespace r1::model {
namespace {

namespace bj = boost::json;
namespace fs = std::filesystem;
using formats::DType;
using formats::TensorView;

constexpr const char* kTokenizerFiles[] = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "vocab.json",
    "merges.txt"};

const char* torch_name(DType t) {
  if (t == DType::kF32) return "float32";
  if (t == DType::kF16) return "float16";
  if (t == DType::kBF16 || t == DType::kF8E4M3) return "bfloat16";
  throw Error("save_model", fmt::format("dtype {}", to_string(t)),
              "save as F32, F16 or BF16 (DeepSeek-V3: or F8_E4M3)");
}

// A tensor of the files and where its values come from.
struct Stored {
  TensorView tensor;
  std::string source;  // name in the WeightSource; of scales, that of their matrix
  bool is_scale = false;
};

// Every tensor of the published folder, in the order of the config.
std::vector<Stored> stored_tensors(const ModelConfig& config, DType dtype) {
  const DType rest = dtype == DType::kF8E4M3 ? DType::kBF16 : dtype;
  std::vector<Stored> out;
  for (auto& p : config.parameters()) {
    const bool is_fp8 = dtype == DType::kF8E4M3 && p.is_quantised;
    const DType type = is_fp8 ? dtype : p.is_buffer ? DType::kF32 : rest;
    out.push_back({.tensor = {.name = p.name, .dtype = type, .shape = p.shape}, .source = p.name});
    if (!is_fp8) continue;
    const std::vector<int64_t> grid{(p.shape[0] + config.fp8->block_rows - 1) / config.fp8->block_rows,
                                    (p.shape[1] + config.fp8->block_cols - 1) / config.fp8->block_cols};
    out.push_back({.tensor = {.name = scale_name(p.name), .dtype = DType::kF32, .shape = grid},
                   .source = p.name,
                   .is_scale = true});
  }
  for (const auto& copy : config.stored_copies()) {
    out.push_back({.tensor = {.name = copy.name, .dtype = rest, .shape = {config.vocab_size, config.hidden_size}},
                   .source = copy.source});
  }
  return out;
}

// The weights in the files' types, one tensor at a time.
class Converter {
 public:
  Converter(const ModelConfig& config, const WeightSource& source) : fp8_(config.fp8), source_(source) {}

  // Valid until the next call.
  std::span<const std::byte> operator()(const Stored& wanted) {
    const TensorView stored = source_.get(wanted.source);
    if (wanted.is_scale || wanted.tensor.dtype == DType::kF8E4M3) return fp8(stored, wanted.is_scale);
    const DType dtype = wanted.tensor.dtype;
    if (stored.dtype == dtype) return stored.bytes;
    floats_.resize(static_cast<size_t>(stored.num_elements()));
    to_float32(stored, floats_);
    bytes_.resize(floats_.size() * static_cast<size_t>(block_layout(dtype).bits / 8));
    from_float32(floats_, dtype, bytes_);
    if (dtype == DType::kF16) check_range(wanted.tensor.name);
    return bytes_;
  }

 private:
  std::span<const std::byte> fp8(const TensorView& stored, bool wants_scales) {
    if (stored.scales && stored.scales->block_rows == fp8_->block_rows &&
        stored.scales->block_cols == fp8_->block_cols) {
      return wants_scales ? stored.scales->bytes : stored.bytes;
    }
    if (quantised_name_ != stored.name) {  // a small model's matrix and scales come one after the other
      floats_ = to_float32(stored);
      const auto quantised = kernels::quantise_fp8(compute_pool(), {floats_.data(), stored.shape[0], stored.shape[1]},
                                                   {.block = {fp8_->block_rows, fp8_->block_cols}});
      scales_ = quantised.scales;
      quantised_ = kernels::e4m3_bytes(quantised);
      quantised_name_ = stored.name;
    }
    return wants_scales ? std::as_bytes(std::span(scales_)) : std::as_bytes(std::span(quantised_));
  }

  void check_range(const std::string& name) const {
    const auto bad = std::find_if(floats_.begin(), floats_.end(),
                                  [](float x) { return std::abs(x) >= 65520.0f && std::isfinite(x); });
    if (bad == floats_.end()) return;
    throw Error(fmt::format("save_model: tensor {}", formats::quote_name(name)),
                fmt::format("element {} is {}, beyond F16's largest 65504", bad - floats_.begin(), *bad),
                "save as BF16 or F32");
  }

  const std::optional<Fp8Config> fp8_;
  const WeightSource& source_;
  std::vector<float> floats_;
  std::vector<std::byte> bytes_;
  std::vector<uint8_t> quantised_;
  std::vector<float> scales_;
  std::string quantised_name_;
};

int64_t bytes_of(const TensorView& t) { return t.num_elements() * block_layout(t.dtype).bits / 8; }

// Tensors in their order, cut where a shard would exceed max_bytes; a larger tensor gets a shard of its own.
std::vector<std::vector<Stored>> plan_shards(std::vector<Stored> tensors, int64_t max_bytes) {
  std::vector<std::vector<Stored>> shards(1);
  int64_t bytes = 0;
  for (auto& t : tensors) {
    const int64_t size = bytes_of(t.tensor);
    if (bytes + size > max_bytes && !shards.back().empty()) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += size;
    shards.back().push_back(std::move(t));
  }
  return shards;
}

void write_weights(const fs::path& folder, const ModelConfig& config, const WeightSource& weights,
                   const SaveOptions& options) {
  const auto shards = plan_shards(stored_tensors(config, options.dtype), options.max_shard_bytes);
  Converter convert(config, weights);
  bj::object weight_map;
  int64_t total_bytes = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const auto& shard = shards[i];
    const std::string file = shards.size() == 1 ? "model.safetensors"
                                                : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    std::vector<TensorView> tensors;
    for (const Stored& t : shard) tensors.push_back(t.tensor);
    formats::stream_safetensors(folder / file, tensors, [&](size_t k) { return convert(shard[k]); });
    for (const TensorView& t : tensors) {
      weight_map[t.name] = file;
      total_bytes += bytes_of(t);
    }
  }
  if (shards.size() == 1) return;
  const bj::object metadata = {{"total_parameters", config.num_parameters()}, {"total_size", total_bytes}};
  write_file_atomic(folder / "model.safetensors.index.json",
                    json::dump_pretty(bj::object{{"metadata", metadata}, {"weight_map", std::move(weight_map)}}));
}

// The config as the files will be: fp8 set if and only if they hold FP8.
ModelConfig config_of_files(const ModelConfig& config, const SaveOptions& options) {
  ModelConfig c = config;
  if (options.dtype != DType::kF8E4M3) {
    c.fp8.reset();
  } else if (c.family != Family::kDeepseekV3) {
    throw Error("save_model", fmt::format("dtype F8_E4M3 for a {} model", to_string(c.family)),
                "save as F32, F16 or BF16: only DeepSeek-V3 is published as FP8");
  } else if (!c.fp8) {
    c.fp8.emplace();
  }
  return c;
}

// What transformers' generate() starts from.
bj::object generation_config(const bj::object& config) {
  bj::object o{{"_from_model_config", true}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (!config.at(key).is_null()) o[key] = config.at(key);
  }
  return o;
}

void copy_extra_files(const fs::path& from, const fs::path& folder) {
  std::error_code ignored;
  if (from.empty() || fs::equivalent(from, folder, ignored)) return;
  for (const char* name : kTokenizerFiles) {
    if (fs::exists(from / name, ignored)) write_file_atomic(folder / name, read_file(from / name));
  }
}

}  // namespace

void save_model(const fs::path& folder, const ModelConfig& config, const WeightSource& weights,
                const SaveOptions& options) {
  validate(config, folder.string());
  if (options.max_shard_bytes < 1) {
    throw Error("save_model", fmt::format("max_shard_bytes is {}", options.max_shard_bytes), "pass 1 or more");
  }
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) throw Error(folder.string(), "no such folder", "make the folder first");
  const ModelConfig stored = config_of_files(config, options);
  const bj::object published = to_json(stored, torch_name(options.dtype));
  write_weights(folder, stored, weights, options);
  copy_extra_files(options.extra_files, folder);
  write_file_atomic(folder / "generation_config.json", json::dump_pretty(generation_config(published)));
  write_file_atomic(folder / "config.json", json::dump_pretty(published));
}

}  // namespace r1::model
