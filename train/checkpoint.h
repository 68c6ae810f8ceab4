#pragma once
// Checkpoints that are whole or absent. A checkpoint is a folder
//   checkpoints/step-00000100/
//     model/               a published folder (float32), which transformers loads too
//     state.json           step, cursors, random streams, optimizer counters
//     tensors.safetensors  optimizer moments, the reference policy, whatever else the stage keeps
//     manifest.json        XXH3 and size of every other file; written last
// Protocol: write to a temporary folder, sync files and folder, manifest last, rename, sync the parent. A reader takes
// the newest folder whose manifest holds; a damaged one is named in a warning and the one before it is taken.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace r1::train {

struct Checkpoint {
  int64_t step = 0;  // updates done
  boost::json::object state;
  std::map<std::string, at::Tensor> tensors;  // float32 or int64, on the CPU when loaded
  std::filesystem::path folder;               // of a loaded checkpoint
  std::filesystem::path model_folder() const { return folder / "model"; }
};

class CheckpointStore {
 public:
  // keep_last: older checkpoints beyond so many are removed after a save (never the one just saved); 0 keeps all. Cleans up
  // temporary folders that a killed process left.
  CheckpointStore(std::filesystem::path folder, int64_t keep_last);

  // `save_model` fills the model folder. Returns the checkpoint's folder.
  std::filesystem::path save(const Checkpoint& checkpoint,
                             const std::function<void(const std::filesystem::path&)>& save_model) const;

  // The newest checkpoint that is whole; nothing if there is none at all. Throws Error if there are checkpoints and every
  // one is damaged, naming what is wrong with each: a run must not start over in silence.
  std::optional<Checkpoint> load_latest() const;
  // Reads one folder; throws Error naming the file that is missing or does not match its manifest.
  static Checkpoint load(const std::filesystem::path& folder);

  // Steps of all checkpoint folders, ascending, whole or not.
  std::vector<int64_t> steps() const;

 private:
  std::filesystem::path folder_;
  int64_t keep_last_;
};

}  // namespace r1::train
