#include "train/checkpoint.h"

#include <torch/torch.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/kill_point.h"
#include "core/log.h"
#include "formats/safetensors.h"

namespace r1::train {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

constexpr std::string_view kPrefix = "step-";
constexpr const char* kManifest = "manifest.json";

std::string folder_name(int64_t step) { return fmt::format("{}{:08}", kPrefix, step); }

std::optional<int64_t> step_of(const fs::path& folder) {
  const auto name = folder.filename().string();
  int64_t step = 0;
  if (!name.starts_with(kPrefix)) return {};
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  return step;
}

formats::DType dtype_of(const std::string& name, const at::Tensor& t) {
  if (t.scalar_type() == at::kFloat) return formats::DType::kF32;
  if (t.scalar_type() == at::kLong) return formats::DType::kI64;
  throw Error("checkpoint", fmt::format("tensor '{}' is neither float32 nor int64", name), "convert it before saving");
}

void write_tensors(const fs::path& path, const std::map<std::string, at::Tensor>& tensors) {
  std::vector<at::Tensor> host;
  std::vector<formats::TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    host.push_back(tensor.detach().cpu().contiguous());
    const auto& t = host.back();
    views.push_back({.name = name,
                     .dtype = dtype_of(name, t),
                     .shape = t.sizes().vec(),
                     .bytes = {static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()}});
  }
  formats::write_safetensors(path, views);
}

std::map<std::string, at::Tensor> read_tensors(const fs::path& path) {
  std::map<std::string, at::Tensor> out;
  const formats::SafetensorsFile file(path);
  for (const auto& view : file.tensors()) {
    const auto type = view.dtype == formats::DType::kF32 ? at::kFloat : at::kLong;
    out[view.name] = torch::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, type).clone();
  }
  return out;
}

// Every file below `folder` but the manifest, by relative path.
std::map<std::string, fs::path> files_in(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = fs::relative(entry.path(), folder).string();
    if (entry.is_regular_file() && name != kManifest) out[name] = entry.path();
  }
  return out;
}

std::string file_hash(const fs::path& path) { return to_hex(hash64(MappedFile(path).bytes())); }

void write_manifest(const fs::path& folder) {
  bj::object files;
  for (const auto& [name, path] : files_in(folder)) {
    files[name] = {{"bytes", static_cast<int64_t>(fs::file_size(path))}, {"xxh3", file_hash(path)}};
  }
  write_file_atomic(folder / kManifest, json::dump_pretty(bj::object{{"format", 1}, {"files", files}}));
}

void check_manifest(const fs::path& folder) {
  const auto path = folder / kManifest;
  const auto fail = [&](const std::string& what) {
    throw Error(folder.string(), what, "remove this checkpoint folder; an older one is used if there is one");
  };
  if (!fs::exists(path)) fail(fmt::format("{} is missing: the checkpoint was not finished", kManifest));
  const auto manifest = json::parse_file(path);
  if (!manifest.is_object()) fail(fmt::format("{} is not an object", kManifest));
  for (const auto& [name, entry] : json::get_object(manifest.as_object(), "files", path.string())) {
    const auto file = folder / std::string(name);
    const auto where = fmt::format("{}: {}", path.string(), std::string_view(name));
    if (!entry.is_object()) fail(fmt::format("{} does not describe {}", kManifest, std::string_view(name)));
    if (!fs::is_regular_file(file)) fail(fmt::format("{} is missing", std::string_view(name)));
    const auto bytes = json::get_int(entry.as_object(), "bytes", where);
    if (static_cast<int64_t>(fs::file_size(file)) != bytes) {
      fail(fmt::format("{} has {} bytes, its manifest says {}", std::string_view(name), fs::file_size(file), bytes));
    }
    if (file_hash(file) != json::get_string(entry.as_object(), "xxh3", where)) {
      fail(fmt::format("{} was changed or damaged after it was written", std::string_view(name)));
    }
  }
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path folder, int64_t keep_last) : folder_(std::move(folder)), keep_last_(keep_last) {
  fs::create_directories(folder_);
}

fs::path CheckpointStore::save(const Checkpoint& checkpoint, const std::function<void(const fs::path&)>& save_model) const {
  const auto target = folder_ / folder_name(checkpoint.step);
  kill_point("checkpoint.begin");
  AtomicFolder folder(target);
  fs::create_directories(folder.path() / "model");
  save_model(folder.path() / "model");
  kill_point("checkpoint.model");
  write_tensors(folder.path() / "tensors.safetensors", checkpoint.tensors);
  kill_point("checkpoint.tensors");
  auto state = checkpoint.state;
  state["step"] = checkpoint.step;
  write_file_atomic(folder.path() / "state.json", json::dump_pretty(state));
  write_manifest(folder.path());
  kill_point("checkpoint.manifest");
  folder.commit();
  kill_point("checkpoint.commit");
  const auto all = steps();
  for (int64_t i = 0; keep_last_ > 0 && i < std::ssize(all) - keep_last_; ++i) {
    if (all[i] != checkpoint.step) fs::remove_all(folder_ / folder_name(all[i]));
  }
  return target;
}

Checkpoint CheckpointStore::load(const fs::path& folder) {
  check_manifest(folder);
  const auto path = folder / "state.json";
  const auto state = json::parse_file(path);
  if (!state.is_object()) throw Error(path.string(), "not a JSON object", "remove this checkpoint folder");
  return {.step = json::get_int(state.as_object(), "step", path.string()),
          .state = state.as_object(),
          .tensors = read_tensors(folder / "tensors.safetensors"),
          .folder = folder};
}

std::optional<Checkpoint> CheckpointStore::load_latest() const {
  const auto all = steps();
  std::string problems;
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    try {
      return load(folder_ / folder_name(*step));
    } catch (const Error& e) {
      log::warn("skips a checkpoint: {}: {}", e.where, e.problem);
      problems += fmt::format("\n  {}: {}", e.where, e.problem);
    }
  }
  if (all.empty()) return {};
  throw Error(folder_.string(), "every checkpoint is damaged:" + problems,
              "restore one from a copy, or start a new run in another folder");
}

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<int64_t> out;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (const auto step = step_of(entry.path()); step && entry.is_directory()) out.push_back(*step);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace r1::train
