// A published folder out of weights.

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "formats/quote.h"
#include "formats/safetensors.h"
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
  if (t == DType::kBF16) return "bfloat16";
  throw Error("save_model", fmt::format("dtype {}", to_string(t)), "save as F32, F16 or BF16");
}

// The weights in the file's dtype, one tensor at a time.
class Converter {
 public:
  Converter(const WeightSource& source, DType dtype) : source_(source), dtype_(dtype) {}

  // Valid until the next call.
  std::span<const std::byte> operator()(const std::string& name) {
    const TensorView stored = source_.get(name);
    if (stored.dtype == dtype_) return stored.bytes;
    floats_.resize(static_cast<size_t>(stored.num_elements()));
    to_float32(stored, floats_);
    bytes_.resize(floats_.size() * static_cast<size_t>(block_layout(dtype_).bits / 8));
    from_float32(floats_, dtype_, bytes_);
    if (dtype_ == DType::kF16) check_range(name);
    return bytes_;
  }

 private:
  void check_range(const std::string& name) const {
    const auto bad = std::find_if(floats_.begin(), floats_.end(),
                                  [](float x) { return std::abs(x) >= 65520.0f && std::isfinite(x); });
    if (bad == floats_.end()) return;
    throw Error(fmt::format("save_model: tensor {}", formats::quote_name(name)),
                fmt::format("element {} is {}, beyond F16's largest 65504", bad - floats_.begin(), *bad),
                "save as BF16 or F32");
  }

  const WeightSource& source_;
  const DType dtype_;
  std::vector<float> floats_;
  std::vector<std::byte> bytes_;
};

// Parameters in the config's order, cut where a shard would exceed max_bytes; a larger tensor gets a shard of its own.
std::vector<std::vector<TensorView>> plan_shards(const ModelConfig& config, const SaveOptions& options) {
  std::vector<std::vector<TensorView>> shards(1);
  int64_t bytes = 0;
  for (auto& parameter : config.parameters()) {
    TensorView t{.name = std::move(parameter.name), .dtype = options.dtype, .shape = std::move(parameter.shape)};
    const int64_t size = t.num_elements() * block_layout(t.dtype).bits / 8;
    if (bytes + size > options.max_shard_bytes && !shards.back().empty()) {
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
  const auto shards = plan_shards(config, options);
  Converter convert(weights, options.dtype);
  bj::object weight_map;
  for (size_t i = 0; i < shards.size(); ++i) {
    const auto& shard = shards[i];
    const std::string file = shards.size() == 1 ? "model.safetensors"
                                                : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    formats::stream_safetensors(folder / file, shard, [&](size_t k) { return convert(shard[k].name); });
    for (const TensorView& t : shard) weight_map[t.name] = file;
  }
  if (shards.size() == 1) return;
  const int64_t total = config.num_parameters();
  const bj::object metadata = {{"total_parameters", total},
                               {"total_size", total * block_layout(options.dtype).bits / 8}};
  write_file_atomic(folder / "model.safetensors.index.json",
                    json::dump_pretty(bj::object{{"metadata", metadata}, {"weight_map", std::move(weight_map)}}));
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
  const bj::object published = to_json(config, torch_name(options.dtype));
  write_weights(folder, config, weights, options);
  copy_extra_files(options.extra_files, folder);
  write_file_atomic(folder / "generation_config.json", json::dump_pretty(generation_config(published)));
  write_file_atomic(folder / "config.json", json::dump_pretty(published));
}

}  // namespace r1::model
