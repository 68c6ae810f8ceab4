#include "train/run_folder.h"

#include <sstream>

#include "core/error.h"
#include "core/log.h"

namespace r1::train {
namespace {

std::filesystem::path made(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw Error(path.string(), fmt::format("cannot be made: {}", error.message()), "choose another --run folder");
  return path;
}

// The first line in which two texts differ, as "old -> new".
std::string first_difference(const std::string& old_text, const std::string& new_text) {
  std::istringstream a(old_text), b(new_text);
  std::string old_line, new_line;
  while (true) {
    const bool has_a = static_cast<bool>(std::getline(a, old_line)), has_b = static_cast<bool>(std::getline(b, new_line));
    if (!has_a && !has_b) return {};
    if (!has_a) old_line = "(nothing)";
    if (!has_b) new_line = "(nothing)";
    if (old_line != new_line) return fmt::format("`{}` -> `{}`", old_line, new_line);
  }
}

}  // namespace

RunFolder::RunFolder(const std::filesystem::path& path, const Config& config) : path_(made(path)), lock_(path_) {
  const auto settings = config.effective_toml();
  const auto file = path_ / "config.toml";
  if (std::filesystem::exists(file)) {
    const auto difference = first_difference(read_file(file), settings);
    if (!difference.empty()) {
      throw Error(file.string(), fmt::format("the run was made with other settings: {}", difference),
                  "go on with the same settings, or choose another --run folder");
    }
  } else {
    write_file_atomic(file, settings);
  }
  log::set_file(path_ / "r1.log");
}

RunFolder::~RunFolder() { log::set_file({}); }

}  // namespace r1::train
