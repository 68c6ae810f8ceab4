#include <fmt/ranges.h>

#include "core/error.h"
#include "core/json.h"
#include "formats/quote.h"
#include "formats/safetensors.h"

namespace r1::formats {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Tensor name -> shard's file name.
std::map<std::string, std::string, std::less<>> read_weight_map(const fs::path& index) {
  const auto document = json::parse_file(index);
  const auto* top = document.if_object();
  if (top == nullptr) throw Error(index.string(), "not a JSON object", "fetch the file again");
  std::map<std::string, std::string, std::less<>> weight_map;
  for (const auto& [name, shard] : json::get_object(*top, "weight_map", index.string())) {
    const auto* text = shard.if_string();
    // A shard lies beside its index: a path would let a hostile index name any file of the machine.
    if (text == nullptr || text->empty() || text->find('/') != boost::json::string::npos || *text == "..") {
      throw Error(
          index.string(),
          fmt::format("weight_map: key {}: not the name of a file in this folder", quote_name(std::string_view(name))),
          "fetch the index again");
    }
    weight_map.emplace(std::string_view(name), std::string_view(*text));
  }
  if (weight_map.empty()) throw Error(index.string(), "weight_map is empty", "fetch the index again");
  return weight_map;
}

[[noreturn]] void refuse_folder(const fs::path& folder) {
  std::vector<std::string> others;
  std::error_code unreadable;  // then the folder has nothing for us all the same
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth")
      others.push_back(entry.path().filename().string());
  }
  const std::string instead =
      others.empty() ? ""
                     : fmt::format("; there is {}, whose format can run code and is not read", fmt::join(others, ", "));
  throw Error(
      folder.string(), fmt::format("neither {} nor {}{}", kSingle, kIndex, instead),
      "fetch the model's safetensors files, or save it with transformers' save_pretrained(safe_serialization=True)");
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) {
  if (is_there(folder / kSingle)) {
    files_.emplace_back(folder / kSingle);
    for (const TensorView& t : files_[0].tensors()) by_name_.emplace(t.name, &t);
    return;
  }
  const fs::path index = folder / kIndex;
  if (!is_there(index)) refuse_folder(folder);
  const auto weight_map = read_weight_map(index);

  std::map<std::string, size_t, std::less<>> shards;  // file name -> place in files_
  for (const auto& [name, shard] : weight_map) {
    if (!shards.emplace(shard, files_.size()).second) continue;
    if (!is_there(folder / shard)) {
      throw Error(
          index.string(),
          fmt::format("weight_map: tensor {} is in {}, which is not there", quote_name(name), quote_name(shard)),
          "fetch the missing shard into the folder");
    }
    files_.emplace_back(folder / shard);
  }
  for (const auto& [name, shard] : weight_map) {
    const TensorView* tensor = files_[shards.find(shard)->second].find(name);
    if (tensor == nullptr) {
      throw Error(index.string(),
                  fmt::format("weight_map: tensor {} is promised in {}, which does not hold it", quote_name(name),
                              quote_name(shard)),
                  "fetch index and shards again from one revision");
    }
    by_name_.emplace(name, tensor);
  }
}

const TensorView* SafetensorsFolder::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  names.reserve(by_name_.size());
  for (const auto& entry : by_name_) names.push_back(entry.first);
  return names;
}

}  // namespace r1::formats
