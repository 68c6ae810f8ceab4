#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "core/error.h"
#include "core/files.h"
#include "core/posix.h"

namespace r1 {
namespace {

namespace fs = std::filesystem;

// Nothing if the holder has not written its id yet.
long holder_of(int fd) {
  std::array<char, 32> text{};
  long pid = 0;
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid;
}

[[noreturn]] void fail_held(const fs::path& folder, long pid) {
  if (pid <= 0) throw Error(folder.string(), "another process uses this folder", "wait until it ends, then try again");
  if (pid == ::getpid()) throw Error(folder.string(), "this process uses it already", "open the folder only once");
  throw Error(folder.string(), fmt::format("process {} uses this folder", pid),
              fmt::format("wait until it ends, or stop it (ps -fp {0}; kill {0})", pid));
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) {
  posix::Descriptor file = posix::open(folder / ".lock", O_RDWR | O_CREAT, "open the lock file");
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) fail_held(folder, holder_of(file.get()));
    if (errno != EINTR) posix::fail(folder / ".lock", "lock", errno);
  }
  // The id only serves the error text, so a disk too full to take it does not undo the lock.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.get(), 0) == 0) [[maybe_unused]]
    const auto written = ::pwrite(file.get(), pid.data(), pid.size(), 0);
  descriptor_ = file.release();
}

// The file stays: removing it would let two processes lock two files of the same name.
FolderLock::~FolderLock() { posix::Descriptor(descriptor_).reset(); }

}  // namespace r1
