#pragma once
// Files: mapped for reading, written so that a reader sees the old content or the new, never a part, whatever is killed
// when. Every function throws Error with the path and the system's reason.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace r1 {

// A read-only memory map of a whole file; empty files map to an empty span. Movable; the bytes live as long as this.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  std::span<const std::byte> bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

std::string read_file(const std::filesystem::path& path);

// Calls line(number from 1, text without its newline) for each line; reads in pieces, so a file may exceed memory.
// Lines end with \n or \r\n, the last one maybe with nothing; a UTF-8 byte order mark before the first is dropped. A
// line of more than 64 MiB is an Error.
void for_each_line(const std::filesystem::path& path, const std::function<void(int64_t, std::string_view)>& line);

// Writes to a temporary name beside `path`, syncs, renames over `path`, syncs the folder. A full disk leaves the old
// file and no temporary one.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

// A folder that appears whole or not at all: fill path(), then commit(). Without commit() the destructor removes it.
// commit() syncs every file and folder in it, swaps it with an existing `target` (renameat2), syncs the parent, and
// removes the old one. A file system that cannot swap gets two renames: the old folder to ".NAME.old", then the new one
// to NAME; a crash between them is put right by recover_folder(). The constructor makes missing parent folders and
// removes temporaries that killed writers of `target` left. One writer per target at a time.
class AtomicFolder {
 public:
  explicit AtomicFolder(const std::filesystem::path& target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int lock_ = -1;  // held on temporary_, so that nobody takes it for a leftover
  bool committed_ = false;
};

// Puts right what an AtomicFolder left that was killed while replacing `target` (only a file system that cannot swap
// two names leaves anything): the folder moved aside comes back, or goes if the new one is in place. AtomicFolder calls
// it; a reader that may run after a crash should too, unless a writer is at work.
void recover_folder(const std::filesystem::path& target);

void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

// Buffered writer of one big file with the same protocol as write_file_atomic; close() makes it appear.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Exclusive lock on `folder`/.lock held while this lives (flock: the kernel drops it when the process dies). Throws
// Error naming the holder's process id if another process holds it.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace r1
