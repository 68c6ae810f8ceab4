#include "core/files.h"

#include <sys/stat.h>

#include <numeric>
#include <vector>

#include "core/error.h"
#include "tests/core/child.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  for_each_line(path, [&](int64_t number, std::string_view text) {
    CHECK(number == static_cast<int64_t>(lines.size()) + 1);
    lines.emplace_back(text);
  });
  return lines;
}

TEST_CASE("A mapped file shows the file's bytes, and none for an empty file") {
  const TempFolder folder;
  put(folder / "some", "abc");
  put(folder / "empty", "");
  CHECK(text_of(MappedFile(folder / "some")) == "abc");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  CHECK(MappedFile(folder / "some").path() == folder / "some");
}

TEST_CASE("A mapped file can be moved, and the bytes stay") {
  const TempFolder folder;
  put(folder / "a", "first");
  put(folder / "b", "second");
  MappedFile a(folder / "a");
  const std::byte* bytes = a.bytes().data();
  MappedFile moved(std::move(a));
  CHECK(moved.bytes().data() == bytes);
  CHECK(a.bytes().empty());  // NOLINT: the state after a move is part of the test
  MappedFile b(folder / "b");
  b = std::move(moved);
  CHECK(text_of(b) == "first");
  CHECK(b.path() == folder / "a");
}

TEST_CASE("Reading what is no readable file is an Error with the path and the reason") {
  const TempFolder folder;
  put(folder / "file", "x");
  struct Row {
    std::filesystem::path path;
    const char* reason;
  };
  const Row rows[] = {
      {folder / "none", "No such file or directory"},
      {folder.path(), "Is a directory"},
      {folder / "file/below", "Not a directory"},
      {"", "No such file or directory"},
      {"/dev/zero", "it is a device"},
      {folder / std::string(300, 'x'), "File name too long"},
  };
  for (const Row& row : rows) {
    INFO(row.path);
    CHECK_THROWS_WITH(MappedFile(row.path), Contains(row.reason));
    CHECK_THROWS_WITH(read_file(row.path), Contains(row.reason) && Contains(row.path.string()) && Contains("mend: "));
    CHECK_THROWS_WITH(for_each_line(row.path, [](int64_t, std::string_view) {}), Contains(row.reason));
  }
}

TEST_CASE("read_file gives the whole file, whatever its size") {
  const TempFolder folder;
  for (const size_t size : {size_t{0}, size_t{1}, (size_t{1} << 18) - 1, size_t{1} << 18, (size_t{1} << 20) + 7}) {
    std::string text(size, '\0');
    std::iota(text.begin(), text.end(), 'a');
    put(folder / "file", text);
    CHECK((read_file(folder / "file") == text));
  }
  CHECK(read_file("/proc/self/status").starts_with("Name:"));  // claims a size of 0
}

TEST_CASE("A sparse file that claims more than the memory is refused before anything is allocated") {
  const TempFolder folder;
  put(folder / "sparse", "");
  std::error_code code;
  std::filesystem::resize_file(folder / "sparse", uint64_t{1} << 43, code);  // 8 TiB
  if (code) {
    SUCCEED("skipped: this file system takes no file of 8 TiB");
    return;
  }
  CHECK_THROWS_WITH(read_file(folder / "sparse"),
                    Contains("it has 8796093022208 bytes, more than this machine's memory"));
}

TEST_CASE("A line without end is refused with its number") {
  const TempFolder folder;
  put(folder / "long", "first\n");
  std::filesystem::resize_file(folder / "long", (uint64_t{1} << 26) + (1 << 20));  // sparse: zeros up to here
  int64_t last = 0;
  CHECK_THROWS_WITH(for_each_line(folder / "long", [&](int64_t number, std::string_view) { last = number; }),
                    Contains("long:2: the line is longer than 67108864 bytes"));
  CHECK(last == 1);
}

TEST_CASE("read_file and for_each_line read pipes, which a map cannot show") {
  const TempFolder folder;
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string text(300'000, 'x');
  {
    const Child writer([&] { return put(pipe, text), 0; });
    CHECK((read_file(pipe) == text));
  }
  {
    const Child writer([&] { return put(pipe, "a\nb"), 0; });
    CHECK(lines_of(pipe) == std::vector<std::string>{"a", "b"});
  }
  const Child writer([&] { return put(pipe, "a"), 0; });
  CHECK_THROWS_WITH(MappedFile(pipe), Contains("pipe or socket"));
}

TEST_CASE("for_each_line splits at newlines") {
  struct Row {
    std::string text;
    std::vector<std::string> lines;
    const char* why;
  };
  const std::string long_line(600'000, 'y');  // spans several reads
  const Row rows[] = {
      {"", {}, "no line"},
      {"a\nb\n", {"a", "b"}, "newline after the last"},
      {"a\nb", {"a", "b"}, "none after the last"},
      {"a\r\nb\r\n", {"a", "b"}, "CRLF"},
      {"a\rb\n", {"a\rb"}, "a lone carriage return is text"},
      {"a\r\r\n", {"a\r"}, "one carriage return goes"},
      {"\n\n", {"", ""}, "empty lines count"},
      {"\xEF\xBB\xBF{}\n", {"{}"}, "byte order mark"},
      {"\xEF\xBB\xBF", {}, "nothing but a byte order mark"},
      {"a\n\xEF\xBB\xBFz\n", {"a", "\xEF\xBB\xBFz"}, "later it is text"},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}, "NUL is text"},
      {long_line + "\n" + long_line, {long_line, long_line}, "lines longer than a read"},
  };
  const TempFolder folder;
  for (const Row& row : rows) {
    INFO(row.why);
    put(folder / "file", row.text);
    CHECK((lines_of(folder / "file") == row.lines));
  }
}

TEST_CASE("Lines are the same wherever the reads cut them") {
  const TempFolder folder;
  std::vector<std::string> lines;
  std::string text;
  for (int i = 0; i < 60'000; ++i) {
    lines.push_back(std::string(i % 23, 'a' + i % 26));
    text += lines.back() + (i % 2 ? "\r\n" : "\n");
  }
  put(folder / "file", text);
  std::vector<std::string> got;
  for_each_line(folder / "file", [&](int64_t, std::string_view line) { got.emplace_back(line); });
  CHECK((got == lines));
}

TEST_CASE("An exception in the reader of lines passes through") {
  const TempFolder folder;
  put(folder / "file", "a\nb\n");
  CHECK_THROWS_WITH(for_each_line(folder / "file",
                                  [](int64_t number, std::string_view) {
                                    if (number == 2) throw Error("file:2", "bad", "mend it");
                                  }),
                    Contains("file:2"));
}

TEST_CASE("A folder's lock is held by one process at a time, and the error names the holder") {
  const TempFolder folder;
  Gate locked, done;
  Child holder([&] {
    const FolderLock lock(folder.path());
    locked.open();
    done.wait();
    return 0;
  });
  locked.wait();
  CHECK_THROWS_WITH(FolderLock(folder.path()),
                    Contains("process " + std::to_string(holder.pid()) + " uses this folder") &&
                        Contains("kill " + std::to_string(holder.pid())));
  done.open();
  CHECK(holder.wait() == 0);
  CHECK_NOTHROW(FolderLock(folder.path()));
}

TEST_CASE("A lock goes with its holder, killed or not") {
  const TempFolder folder;
  CHECK(run_in_child([&] {
          const FolderLock lock(folder.path());
          return ::kill(::getpid(), SIGKILL);
        }) == -SIGKILL);
  {
    const FolderLock lock(folder.path());
    CHECK(slurp(folder / ".lock") == std::to_string(::getpid()) + "\n");
    CHECK_THROWS_WITH(FolderLock(folder.path()), Contains("this process uses it already"));
  }
  CHECK_NOTHROW(FolderLock(folder.path()));
}

TEST_CASE("A lock in a folder that is not there is an Error") {
  const TempFolder folder;
  CHECK_THROWS_WITH(FolderLock(folder / "none"), Contains("No such file or directory"));
}

}  // namespace
}  // namespace r1
