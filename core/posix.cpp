#include "core/posix.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/kill_point.h"

namespace r1::posix {
namespace {

constexpr size_t kWritePiece = size_t{1} << 20;

std::string mend_for(const std::filesystem::path& path, int code) {
  const auto parent = path.has_parent_path() ? path.parent_path().string() : std::string(".");
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return fmt::format("check the path; to make its folder, run: mkdir -p '{}'", parent);
    case EACCES:
    case EPERM:
    case EROFS:
      return fmt::format("allow this user to use it (ls -ld '{}' '{}'), or choose another path", path.string(), parent);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fmt::format("free space (df -h '{}'; for a quota, quota -s), or choose a path on another disk", parent);
    case EMFILE:
    case ENFILE:
      return "allow more open files: ulimit -n 65536";
    case EISDIR:
      return "name a file, not a folder";
    case EIO:
      return "read the kernel's messages (dmesg): the disk or its connection may be failing";
    default:
      return fmt::format("check '{}' and the disk that holds it", path.string());
  }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

bool Descriptor::reset() {
  const int fd = release();
  return fd < 0 || ::close(fd) == 0 || errno == EINTR;
}

void fail(const std::filesystem::path& path, std::string_view action, int code) {
  throw Error(path.empty() ? "''" : path.string(), fmt::format("cannot {}: {}", action, std::strerror(code)),
              mend_for(path, code));
}

Descriptor open(const std::filesystem::path& path, int flags, std::string_view action) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (fd >= 0) return Descriptor(fd);
    if (errno != EINTR) fail(path, action, errno);
  }
}

void write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    kill_point("file.write");
    const ssize_t written = ::write(fd, content.data(), std::min(content.size(), kWritePiece));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write", errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
}

void sync(int fd, const std::filesystem::path& path) {
  while (::fsync(fd) != 0) {
    if (errno == EINVAL || errno == EROFS) return;
    if (errno != EINTR) fail(path, "sync to disk", errno);
  }
}

}  // namespace r1::posix
