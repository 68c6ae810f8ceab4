#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/kill_point.h"
#include "core/temporary.h"
#include "tests/core/child.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

const std::string kOld(3'000'000, 'o');  // larger than a piece that is written at once
const std::string kNew(4'000'000, 'n');

// Kills a child at `point` while it runs `body`; false if it never came there.
bool is_killed_at(const std::string& point, const std::function<void()>& body) {
  return run_in_child([&] {
           ::setenv("R1_KILL_AT", point.c_str(), 1);
           body();
           return 0;
         }) == -SIGKILL;
}

// Files of at most `bytes` from here on, as on a disk that fills.
void limit_file_size(rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_CASE("kill_point kills at the k-th pass of the point named, and at no other") {
  CHECK(is_killed_at("here", [] { kill_point("here"); }));
  CHECK(is_killed_at("here:3", [] {
    for (int i = 0; i < 3; ++i) kill_point("here");
  }));
  CHECK_FALSE(is_killed_at("here:3", [] {
    for (int i = 0; i < 2; ++i) kill_point("here");
  }));
  CHECK_FALSE(is_killed_at("here", [] { kill_point("there"); }));
  CHECK_FALSE(is_killed_at("", [] { kill_point("here"); }));
}

TEST_CASE("write_file_atomic makes and replaces files, and leaves nothing else") {
  const TempFolder folder;
  write_file_atomic(folder / "file", "one");
  CHECK(slurp(folder / "file") == "one");
  write_file_atomic(folder / "file", "");
  CHECK(slurp(folder / "file").empty());
  write_file_atomic(folder / "file", kNew);
  CHECK((slurp(folder / "file") == kNew));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("A writer killed at any step leaves the old file or the new one whole, and the next writer cleans up") {
  struct Row {
    const char* point;
    bool is_new;
  };
  const Row rows[] = {
      {"file.write:1", false}, {"file.write:2", false}, {"file.write:4", false},
      {"file.written", false}, {"file.synced", false},  {"file.renamed", true},
  };
  for (const Row& row : rows) {
    INFO(row.point);
    const TempFolder folder;
    put(folder / "file", kOld);
    put(folder / "file2", "not touched");
    put(folder / ".file2.tmp.1.1", "another target's temporary");
    REQUIRE(is_killed_at(row.point, [&] { write_file_atomic(folder / "file", kNew); }));
    CHECK((slurp(folder / "file") == (row.is_new ? kNew : kOld)));
    CHECK(folder.names().size() == (row.is_new ? 3 : 4));
    write_file_atomic(folder / "file", "after");
    CHECK(slurp(folder / "file") == "after");
    CHECK(folder.names() == Names{".file2.tmp.1.1", "file", "file2"});
  }
}

TEST_CASE("A reader beside a writer sees whole contents only") {
  const TempFolder folder;
  put(folder / "file", kOld);
  Child writer([&] {
    for (int i = 0; i < 20; ++i) write_file_atomic(folder / "file", i % 2 ? kOld : kNew);
    return 0;
  });
  int num_torn = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string seen = read_file(folder / "file");
    num_torn += seen != kOld && seen != kNew;
  }
  CHECK(num_torn == 0);
  CHECK(writer.wait() == 0);
}

TEST_CASE("A write that finds no room keeps the old file, leaves no temporary one, and says how to mend it") {
  const TempFolder folder;
  put(folder / "file", "old");
  CHECK(run_in_child([&] {
          limit_file_size(1000);
          write_file_atomic(folder / "file", kNew);
          return 0;
        }) == kThrew);
  CHECK(slurp(folder / "file") == "old");
  CHECK(folder.names() == Names{"file"});
  CHECK_THROWS_WITH(write_file_atomic("/dev/full", "x"),
                    Contains("/dev/full: cannot write: No space left on device") && Contains("mend: free space"));
}

TEST_CASE("Devices and pipes are written in place, never replaced") {
  write_file_atomic("/dev/null", "x");
  struct stat status;
  REQUIRE(::stat("/dev/null", &status) == 0);
  CHECK(S_ISCHR(status.st_mode));
}

TEST_CASE("A symbolic link stays, and its target is replaced") {
  const TempFolder folder;
  fs::create_directory(folder / "far");
  put(folder / "far/real", "old");
  fs::create_symlink(folder / "far/real", folder / "link");
  write_file_atomic(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(slurp(folder / "far/real") == "new");
  CHECK(folder.names() == Names{"far", "link"});
}

TEST_CASE("Places where no file can be written are Errors with the path") {
  const TempFolder folder;
  put(folder / "file", "x");
  CHECK_THROWS_WITH(write_file_atomic(folder / "none/file", "x"),
                    Contains("none/file") && Contains("No such file or directory") && Contains("mkdir -p"));
  CHECK_THROWS_WITH(write_file_atomic(folder.path(), "x"), Contains("Is a directory"));
  CHECK_THROWS_WITH(write_file_atomic(folder / "file/below", "x"), Contains("Not a directory"));
  CHECK_THROWS_AS(write_file_atomic("", "x"), Error);
  CHECK_THROWS_AS(write_file_atomic(folder / std::string(300, 'x'), "x"), Error);
}

TEST_CASE("An AtomicFile appears at close() and not before") {
  const TempFolder folder;
  AtomicFile file(folder / "file");
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(i * 97, static_cast<char>('a' + i % 26));
    expected += piece;
    if (i % 2)
      file.write(piece);
    else
      file.write(std::as_bytes(std::span(piece)));
  }
  CHECK_FALSE(fs::exists(folder / "file"));
  file.close();
  CHECK((slurp(folder / "file") == expected));
  file.close();  // again changes nothing
  CHECK_THROWS_WITH(file.write("x"), Contains("closed already"));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("An AtomicFile that is not closed leaves nothing") {
  const TempFolder folder;
  {
    AtomicFile file(folder / "file");
    file.write(kNew);
  }
  CHECK(folder.names().empty());
}

TEST_CASE("Two writers of one file do not disturb each other; the last close wins") {
  const TempFolder folder;
  AtomicFile first(folder / "file");
  first.write("first");
  AtomicFile second(folder / "file");  // must not take the first's temporary for a leftover
  second.write("second");
  second.close();
  first.close();
  CHECK(slurp(folder / "file") == "first");
  Gate opened, done;
  Child other([&] {
    AtomicFile file(folder / "file");
    file.write("other process");
    opened.open();
    done.wait();
    file.close();
    return 0;
  });
  opened.wait();
  write_file_atomic(folder / "file", "this process");
  done.open();
  CHECK(other.wait() == 0);
  CHECK(slurp(folder / "file") == "other process");
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("A leftover with the process id of a living process is still known as one") {
  const TempFolder folder;
  put(folder / (".file.tmp." + std::to_string(::getpid()) + ".1"), "left by a namesake");
  write_file_atomic(folder / "file", "x");
  CHECK(folder.names() == Names{"file"});
}

}  // namespace
}  // namespace r1
