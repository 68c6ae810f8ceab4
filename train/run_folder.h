#pragma once
// A run's folder: config.toml, r1.log, rollouts.db, metrics/, checkpoints/, model/ (the result). One process at a time.

#include <filesystem>
#include <string>

#include "core/config.h"
#include "core/files.h"

namespace r1::train {

class RunFolder {
 public:
  // Makes or opens the folder and locks it; the log goes to its r1.log. A folder that holds a run made with other settings
  // is refused, naming the first line that differs: going on with it would mix two runs.
  RunFolder(const std::filesystem::path& path, const Config& config);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path metrics() const { return path_ / "metrics"; }
  std::filesystem::path model() const { return path_ / "model"; }
  // Whether the run went to its end before (model() is there).
  bool is_finished() const { return std::filesystem::exists(model() / "config.json"); }

 private:
  std::filesystem::path path_;
  FolderLock lock_;
};

}  // namespace r1::train
