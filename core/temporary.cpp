#include "core/temporary.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "core/error.h"
#include "core/kill_point.h"

namespace r1::temporary {
namespace {

namespace fs = std::filesystem;

std::string prefix_of(const fs::path& target) { return "." + target.filename().string() + ".tmp."; }

fs::path parent_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : fs::path("."); }

// One after another, so that two threads that write the same target do not share a temporary.
fs::path next_name(const fs::path& target) {
  static std::atomic<uint64_t> count = 0;
  return parent_of(target) / fmt::format("{}{}.{}", prefix_of(target), ::getpid(), ++count);
}

enum class LockResult { kHeld, kTaken, kUnsupported };

LockResult try_lock(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return LockResult::kTaken;
  return errno == EWOULDBLOCK ? LockResult::kHeld : LockResult::kUnsupported;
}

bool is_still_named(int fd, const fs::path& path) {
  struct stat open_file, named;
  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 && open_file.st_ino == named.st_ino &&
         open_file.st_dev == named.st_dev;
}

// A leftover that cannot be removed is no reason to refuse the write, so errors pass in silence.
void remove_stale(const fs::path& target) {
  const std::string prefix = prefix_of(target);
  std::error_code ignored;
  for (fs::directory_iterator it(parent_of(target), ignored), end; it != end; it.increment(ignored)) {
    if (!it->path().filename().string().starts_with(prefix)) continue;
    const posix::Descriptor left(::open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (left.get() >= 0 && try_lock(left.get()) == LockResult::kTaken) fs::remove_all(it->path(), ignored);
  }
}

// Tries names until one is locked and still there: between making it and locking it another process's remove_stale()
// may have taken it for a leftover.
template <typename Make>
Temporary make(const fs::path& target, Make make_and_open) {
  remove_stale(target);
  for (;;) {
    const fs::path path = next_name(target);
    posix::Descriptor descriptor = make_and_open(path);
    if (descriptor.get() < 0) continue;
    const LockResult lock = try_lock(descriptor.get());
    if (lock == LockResult::kUnsupported) return {path, std::move(descriptor)};
    if (lock == LockResult::kTaken && is_still_named(descriptor.get(), path)) return {path, std::move(descriptor)};
  }
}

}  // namespace

Temporary make_file(const fs::path& target) {
  return make(target, [&](const fs::path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST && errno != EINTR) posix::fail(target, "create its temporary file", errno);
    return posix::Descriptor(fd);
  });
}

Temporary make_folder(const fs::path& target) {
  return make(target, [&](const fs::path& path) {
    if (::mkdir(path.c_str(), 0777) != 0) {
      if (errno != EEXIST) posix::fail(target, "create its temporary folder", errno);
      return posix::Descriptor();
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) posix::fail(target, "open its temporary folder", errno);
    return posix::Descriptor(fd);
  });
}

fs::path resolve_target(const fs::path& path) {
  fs::path target = path.has_filename() ? path : path.parent_path();
  std::error_code ignored;
  if (fs::is_symlink(target, ignored)) {
    if (const fs::path real = fs::canonical(target, ignored); !ignored) target = real;
  }
  const fs::path name = target.filename();
  if (name.empty() || name == "." || name == "..") {
    throw Error(path.empty() ? "''" : path.string(), "it names nothing that can be written", "name a file or folder");
  }
  return target;
}

fs::path aside_name(const fs::path& target) {
  return parent_of(target) / fmt::format(".{}.old", target.filename().string());
}

void replace_folder(const fs::path& temporary, const fs::path& target, Exchange exchange) {
  std::error_code ignored;
  if (::rename(temporary.c_str(), target.c_str()) == 0) return;  // no target, or an empty one
  if (errno != EEXIST && errno != ENOTEMPTY) posix::fail(target, "rename its temporary folder", errno);
  if (exchange == Exchange::kTry &&
      ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    kill_point("folder.exchanged");
    fs::remove_all(temporary, ignored);
    return;
  }
  const fs::path aside = aside_name(target);
  fs::remove_all(aside, ignored);
  if (::rename(target.c_str(), aside.c_str()) != 0) posix::fail(target, "move the old folder aside", errno);
  kill_point("folder.moved_aside");
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    const int code = errno;
    fs::rename(aside, target, ignored);
    posix::fail(target, "rename its temporary folder", code);
  }
  kill_point("folder.replaced");
  fs::remove_all(aside, ignored);
}

}  // namespace r1::temporary
