#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/kill_point.h"
#include "core/temporary.h"

namespace r1 {
namespace {

namespace fs = std::filesystem;

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) sync_folder(entry.path());
    if (entry.is_regular_file()) sync_file(entry.path());
  }
  sync_folder(folder);
}

}  // namespace

void recover_folder(const fs::path& target) {
  const fs::path real = temporary::resolve_target(target);
  const fs::path aside = temporary::aside_name(real);
  std::error_code ignored;
  if (!fs::exists(aside, ignored)) return;
  if (fs::exists(real, ignored)) {
    fs::remove_all(aside, ignored);
    return;
  }
  std::error_code code;
  fs::rename(aside, real, code);
  if (code) posix::fail(target, fmt::format("restore it from '{}'", aside.string()), code.value());
}

AtomicFolder::AtomicFolder(const fs::path& target) : target_(temporary::resolve_target(target)) {
  std::error_code code;
  fs::create_directories(parent_of(target_), code);
  if (code) posix::fail(parent_of(target_), "create folder", code.value());
  recover_folder(target_);
  if (fs::exists(target_, code) && !fs::is_directory(target_, code)) {
    throw Error(target.string(), "it exists and is not a folder", "choose another path, or move the file away");
  }
  temporary::Temporary made = temporary::make_folder(target_);
  temporary_ = made.path;
  lock_ = made.descriptor.release();
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
  posix::Descriptor(lock_).reset();
}

void AtomicFolder::commit() {
  if (committed_) return;
  kill_point("folder.filled");
  try {
    sync_tree(temporary_);
  } catch (const fs::filesystem_error& e) {
    posix::fail(target_, "list its temporary folder", e.code().value());
  }
  kill_point("folder.synced");
  temporary::replace_folder(temporary_, target_, temporary::Exchange::kTry);
  committed_ = true;
  kill_point("folder.renamed");
  sync_folder(parent_of(target_));
}

}  // namespace r1
