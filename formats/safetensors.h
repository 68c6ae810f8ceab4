#pragma once
// safetensors files, at least as strict as the reference reader (tests/fixtures/safetensors_malformed): the offending
// tensor, key or offset is named.

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "formats/tensor_view.h"

namespace r1::formats {

// One mapped file. Views stay valid while this lives, moves included.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  const std::filesystem::path& path() const { return file_.path(); }
  const std::vector<TensorView>& tensors() const { return tensors_; }  // by offset
  const TensorView* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> by_name_;
  std::map<std::string, std::string> metadata_;
};

// Writes one file with the atomic protocol of core/files.h: tensors ordered by dtype alignment (descending), then name;
// header padded to 8 bytes. Metadata {"format": "pt"} is what transformers expects.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

// The same without holding every tensor: `tensors` tell name, dtype and shape (their bytes are not looked at), and
// bytes_of(i) gives tensor i's bytes when its turn comes; they need to live until the next call only.
void stream_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                        const std::function<std::span<const std::byte>(size_t)>& bytes_of,
                        const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

// A model folder's tensors: model.safetensors, or every shard that model.safetensors.index.json names. A weight that
// the index promises and no shard holds is an error that names both.
class SafetensorsFolder {
 public:
  explicit SafetensorsFolder(const std::filesystem::path& folder);
  const TensorView* find(std::string_view name) const;
  std::vector<std::string> names() const;  // sorted

 private:
  std::vector<SafetensorsFile> files_;
  std::map<std::string, const TensorView*, std::less<>> by_name_;
};

}  // namespace r1::formats
