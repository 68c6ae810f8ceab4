#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "core/temporary.h"
#include "tests/core/child.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

// A folder whose two files say the same: a reader that sees one of each saw a part.
void fill(const fs::path& folder, const std::string& text) {
  fs::create_directories(folder / "sub");
  put(folder / "a", text);
  put(folder / "sub/b", text);
}

std::string content(const fs::path& folder) {
  const std::string a = slurp(folder / "a");
  return a == slurp(folder / "sub/b") ? a : "torn";
}

void write_folder(const fs::path& target, const std::string& text) {
  AtomicFolder writer(target);
  fill(writer.path(), text);
  writer.commit();
}

TEST_CASE("An atomic folder appears at commit() and replaces what was there") {
  const TempFolder folder;
  write_folder(folder / "out", "one");
  CHECK(content(folder / "out") == "one");
  put(folder / "out/extra", "goes");
  write_folder(folder / "out", "two");
  CHECK(content(folder / "out") == "two");
  CHECK_FALSE(fs::exists(folder / "out/extra"));
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("Without commit() the destructor removes all of it and the old folder stays") {
  const TempFolder folder;
  write_folder(folder / "out", "old");
  {
    AtomicFolder writer(folder / "out");
    fill(writer.path(), "new");
    CHECK(content(folder / "out") == "old");
  }
  CHECK(content(folder / "out") == "old");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("Parents are made, a trailing slash is let through, and a link stays a link") {
  const TempFolder folder;
  write_folder(folder / "deep/er/out/", "one");
  CHECK(content(folder / "deep/er/out") == "one");
  fs::create_directory_symlink(folder / "deep/er/out", folder / "link");
  write_folder(folder / "link", "two");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(content(folder / "deep/er/out") == "two");
}

TEST_CASE("A target that can be no folder is an Error") {
  const TempFolder folder;
  put(folder / "file", "x");
  CHECK_THROWS_WITH(AtomicFolder(folder / "file"), Contains("is not a folder"));
  CHECK_THROWS_WITH(AtomicFolder(folder / "file/below"), Contains("Not a directory"));
  for (const char* bad : {"", ".", "..", "/", "x/.."}) CHECK_THROWS_AS(AtomicFolder(bad), Error);
  CHECK(slurp(folder / "file") == "x");
}

TEST_CASE("A writer killed at any step leaves the old folder or the new one whole, and the next cleans up") {
  struct Row {
    const char* point;
    const char* seen;
  };
  const Row rows[] = {
      {"folder.filled", "old"}, {"folder.synced", "old"}, {"folder.exchanged", "new"}, {"folder.renamed", "new"}};
  for (const Row& row : rows) {
    INFO(row.point);
    const TempFolder folder;
    write_folder(folder / "out", "old");
    CHECK(run_in_child([&] {
            ::setenv("R1_KILL_AT", row.point, 1);
            write_folder(folder / "out", "new");
            return 0;
          }) == -SIGKILL);
    CHECK(content(folder / "out") == row.seen);
    write_folder(folder / "out", "after");
    CHECK(content(folder / "out") == "after");
    CHECK(folder.names() == Names{"out"});
  }
}

TEST_CASE("A file system that cannot swap names: a crash is put right by recover_folder()") {
  struct Row {
    const char* point;
    const char* seen;
  };
  const Row rows[] = {{"folder.moved_aside", "old"}, {"folder.replaced", "new"}, {"none", "new"}};
  for (const Row& row : rows) {
    INFO(row.point);
    const TempFolder folder;
    write_folder(folder / "out", "old");
    fill(folder / "temporary", "new");
    run_in_child([&] {
      ::setenv("R1_KILL_AT", row.point, 1);
      temporary::replace_folder(folder / "temporary", folder / "out", temporary::Exchange::kAvoid);
      return 0;
    });
    recover_folder(folder / "out");
    CHECK(content(folder / "out") == row.seen);
    fs::remove_all(folder / "temporary");
    CHECK(folder.names() == Names{"out"});
  }
}

TEST_CASE("A new writer brings back the folder that a killed one had moved aside") {
  const TempFolder folder;
  fill(temporary::aside_name(folder / "out"), "old");
  { const AtomicFolder writer(folder / "out"); }
  CHECK(content(folder / "out") == "old");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("recover_folder() leaves alone what needs nothing") {
  const TempFolder folder;
  recover_folder(folder / "none");
  CHECK(folder.names().empty());
  fill(folder / "out", "x");
  recover_folder(folder / "out");
  CHECK(content(folder / "out") == "x");
}

TEST_CASE("A reader beside a writer of folders never finds the folder missing") {
  const TempFolder folder;
  write_folder(folder / "out", "0");
  Child writer([&] {
    for (int i = 1; i < 30; ++i) write_folder(folder / "out", std::to_string(i));
    return 0;
  });
  int num_missing = 0;
  for (int i = 0; i < 300; ++i) num_missing += !fs::exists(folder / "out/sub");
  CHECK(num_missing == 0);
  CHECK(writer.wait() == 0);
  CHECK(content(folder / "out") == "29");
}

TEST_CASE("Temporaries of a living writer are not taken for leftovers") {
  const TempFolder folder;
  AtomicFolder first(folder / "out");
  fill(first.path(), "first");
  { const AtomicFolder second(folder / "out"); }
  first.commit();
  CHECK(content(folder / "out") == "first");
}

TEST_CASE("commit() twice is once") {
  const TempFolder folder;
  AtomicFolder writer(folder / "out");
  fill(writer.path(), "x");
  writer.commit();
  writer.commit();
  CHECK(content(folder / "out") == "x");
}

}  // namespace
}  // namespace r1
