#include "core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/posix.h"

namespace r1 {
namespace {

constexpr size_t kReadPiece = size_t{1} << 18;
constexpr size_t kMaxLine = size_t{1} << 26;  // without a limit, a file of zeros would fill the memory
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

struct OpenFile {
  posix::Descriptor descriptor;
  struct stat status;
};

// Folders and endless devices are refused here, before anything is read.
OpenFile open_to_read(const std::filesystem::path& path) {
  OpenFile file{posix::open(path, O_RDONLY, "open"), {}};
  const int fd = file.descriptor.get();
  if (::fstat(fd, &file.status) != 0) posix::fail(path, "examine", errno);
  if (S_ISDIR(file.status.st_mode)) posix::fail(path, "read", EISDIR);
  if (S_ISBLK(file.status.st_mode) || (S_ISCHR(file.status.st_mode) && ::isatty(fd) == 0)) {
    throw Error(path.string(), "it is a device, wanted a file", "name a file");
  }
  return file;
}

size_t read_some(int fd, char* to, size_t size, const std::filesystem::path& path) {
  for (;;) {
    const ssize_t got = ::read(fd, to, size);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) posix::fail(path, "read", errno);
  }
}

// A sparse file may claim any size at no cost.
void check_fits_memory(const OpenFile& file, const std::filesystem::path& path) {
  const auto memory = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  if (!S_ISREG(file.status.st_mode) || file.status.st_size <= memory) return;
  throw Error(path.string(),
              fmt::format("it has {} bytes, more than this machine's memory ({})", file.status.st_size, memory),
              "check that it is the file you meant; data sets are read by the line");
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const OpenFile file = open_to_read(path);
  if (!S_ISREG(file.status.st_mode)) {
    throw Error(path.string(), "it is a pipe or socket, wanted a file that can be mapped", "write it to a file first");
  }
  const auto size = static_cast<size_t>(file.status.st_size);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
  if (address == MAP_FAILED) posix::fail(path, "map into memory", errno);
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

std::string read_file(const std::filesystem::path& path) {
  const OpenFile file = open_to_read(path);
  check_fits_memory(file, path);
  // One byte more than the size, so that the read after the last byte finds the end without growing the buffer.
  std::string content(S_ISREG(file.status.st_mode) ? static_cast<size_t>(file.status.st_size) + 1 : kReadPiece, '\0');
  size_t size = 0;
  for (;;) {
    const size_t got = read_some(file.descriptor.get(), content.data() + size, content.size() - size, path);
    if (got == 0) break;
    size += got;
    if (size == content.size()) content.resize(size + std::max(size, kReadPiece));
  }
  content.resize(size);
  return content;
}

void for_each_line(const std::filesystem::path& path, const std::function<void(int64_t, std::string_view)>& line) {
  const OpenFile file = open_to_read(path);
  std::vector<char> piece(kReadPiece);
  std::string rest;  // of a line that an earlier piece began
  int64_t number = 0;
  const auto emit = [&](std::string_view text) {
    if (number == 0 && text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(++number, text);
  };
  while (const size_t got = read_some(file.descriptor.get(), piece.data(), piece.size(), path)) {
    std::string_view left(piece.data(), got);
    for (auto end = left.find('\n'); end != left.npos; end = left.find('\n')) {
      if (rest.empty()) {
        emit(left.substr(0, end));
      } else {
        emit(rest.append(left.substr(0, end)));
        rest.clear();
      }
      left.remove_prefix(end + 1);
    }
    rest.append(left);
    if (rest.size() > kMaxLine) {
      throw Error(fmt::format("{}:{}", path.string(), number + 1),
                  fmt::format("the line is longer than {} bytes", kMaxLine),
                  "check that it is a text file with newlines");
    }
  }
  if (!rest.empty() && !(number == 0 && rest == kUtf8Mark)) emit(rest);
}

void sync_file(const std::filesystem::path& path) { posix::sync(posix::open(path, O_RDONLY, "open").get(), path); }

void sync_folder(const std::filesystem::path& path) {
  posix::sync(posix::open(path, O_RDONLY | O_DIRECTORY, "open folder").get(), path);
}

}  // namespace r1
