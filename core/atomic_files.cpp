#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/error.h"
#include "core/files.h"
#include "core/kill_point.h"
#include "core/posix.h"
#include "core/temporary.h"

namespace r1 {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// Devices and pipes are written in place: renaming over /dev/null would break the machine for everybody.
bool is_written_in_place(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return false;
  if (S_ISDIR(status.st_mode)) posix::fail(path, "write", EISDIR);
  return !S_ISREG(status.st_mode);
}

}  // namespace

struct AtomicFile::State {
  fs::path path;       // as given, for error texts
  fs::path target;     // through symbolic links
  fs::path temporary;  // empty if written in place
  posix::Descriptor descriptor;
  std::string buffer;
  bool is_closed = false;

  explicit State(const fs::path& named);
  ~State();
  void flush();
  void make_visible();
};

AtomicFile::State::State(const fs::path& named) : path(named) {
  if (is_written_in_place(path)) {
    descriptor = posix::open(path, O_WRONLY, "open for writing");
    return;
  }
  target = temporary::resolve_target(path);
  temporary::Temporary made = temporary::make_file(target);
  temporary = made.path;
  descriptor = std::move(made.descriptor);
}

AtomicFile::State::~State() {
  if (!temporary.empty()) ::unlink(temporary.c_str());
}

void AtomicFile::State::flush() {
  posix::write_all(descriptor.get(), buffer, path);
  buffer.clear();
}

void AtomicFile::State::make_visible() {
  kill_point("file.written");
  posix::sync(descriptor.get(), path);
  kill_point("file.synced");
  if (temporary.empty()) {
    if (!descriptor.reset()) posix::fail(path, "write", errno);
    return;
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) posix::fail(path, "rename its temporary file", errno);
  temporary.clear();
  kill_point("file.renamed");
  if (!descriptor.reset()) posix::fail(path, "write", errno);
  sync_folder(parent_of(target));
}

AtomicFile::AtomicFile(const fs::path& path) : state_(std::make_unique<State>(path)) {}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::string_view text) {
  if (state_->is_closed) throw Error(state_->path.string(), "it is closed already", "write before close()");
  if (state_->buffer.size() + text.size() > kBufferBytes) state_->flush();
  if (text.size() > kBufferBytes) return posix::write_all(state_->descriptor.get(), text, state_->path);
  state_->buffer.append(text);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void AtomicFile::close() {
  if (state_->is_closed) return;
  state_->flush();
  state_->make_visible();
  state_->is_closed = true;
}

void write_file_atomic(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.close();
}

}  // namespace r1
