#pragma once
// What the file code of core/ shares: an owned descriptor, and system errors as Error.

#include <filesystem>
#include <string_view>

namespace r1::posix {

// Closes what it holds; -1 holds nothing.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  int release();
  // Closes now; false if the system reports that what was written did not all arrive.
  bool reset();

 private:
  int fd_;
};

// Throws Error "PATH: cannot ACTION: <reason of code>" with a mend that fits the reason.
[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int code);

// open(2) with O_CLOEXEC; throws Error.
Descriptor open(const std::filesystem::path& path, int flags, std::string_view action);

// Writes all of it, whatever the pieces the system takes; throws Error.
void write_all(int fd, std::string_view content, const std::filesystem::path& path);

// fsync(2); throws Error. Things that cannot be synced (pipes, devices) are let through.
void sync(int fd, const std::filesystem::path& path);

}  // namespace r1::posix
