#include "core/log.h"

#include <regex>
#include <thread>
#include <vector>

#include "core/console.h"
#include "core/error.h"
#include "tests/core/child.h"
#include "tests/core/stderr_capture.h"
#include "tests/support/catch.h"

namespace r1::log {
namespace {

using Catch::Contains;

// Whatever a test sets, the next finds the defaults.
struct Defaults {
  ~Defaults() {
    set_level(Level::kInfo);
    set_file({});
  }
};

TEST_CASE("printable() shows what could move a cursor, break a line or turn its direction") {
  struct Row {
    std::string text;
    const char* escaped;
    const char* kept;  // with Newlines::kKeep
    const char* why;
  };
  const Row rows[] = {
      {"plain 123", "plain 123", "plain 123", "ASCII"},
      {"a\nb\tc", "a\\nb\\tc", "a\nb\tc", "newline and tab"},
      {"a\r\nb", "a\\r\\nb", "a\\r\nb", "carriage return overwrites a line"},
      {"\x1b[31mred", "\\x1b[31mred", "\\x1b[31mred", "ANSI escape"},
      {"\x1b]0;title\x07", "\\x1b]0;title\\x07", "\\x1b]0;title\\x07", "terminal title and bell"},
      {std::string("\0\x08\x0b\x0c", 4), "\\x00\\x08\\x0b\\x0c", "\\x00\\x08\\x0b\\x0c", "other C0"},
      {"\x7f", "\\x7f", "\\x7f", "DEL"},
      {"\xC2\x80\xC2\x9B\xC2\x9F", "\\u0080\\u009b\\u009f", "\\u0080\\u009b\\u009f", "C1; U+009B opens escapes"},
      {"\xC2\x85", "\\u0085", "\\u0085", "next line"},
      {"\xC2\xA0", "\xC2\xA0", "\xC2\xA0", "no-break space is harmless"},
      {"\xE2\x80\xAA\xE2\x80\xAE", "\\u202a\\u202e", "\\u202a\\u202e", "bidirectional overrides"},
      {"\xE2\x81\xA6\xE2\x81\xA9", "\\u2066\\u2069", "\\u2066\\u2069", "bidirectional isolates"},
      {"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u200e\\u200f\\u061c", "\\u200e\\u200f\\u061c", "direction marks"},
      {"\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029", "\\u2028\\u2029", "line and paragraph separators"},
      {"\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80", "\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80",
       "\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80", "letters of 2, 3 and 4 bytes"},
      {"\xFF\xFE", "\\xff\\xfe", "\\xff\\xfe", "never in UTF-8"},
      {"\x80", "\\x80", "\\x80", "continuation without a start"},
      {"\xC3", "\\xc3", "\\xc3", "cut character"},
      {"\xE4\xB8", "\\xe4\\xb8", "\\xe4\\xb8", "cut later"},
      {"\xC3(", "\\xc3(", "\\xc3(", "start without a continuation"},
      {"\xC0\xAF", "\\xc0\\xaf", "\\xc0\\xaf", "overlong of 2"},
      {"\xE0\x80\xAF", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf", "overlong of 3"},
      {"\xF0\x80\x80\xAF", "\\xf0\\x80\\x80\\xaf", "\\xf0\\x80\\x80\\xaf", "overlong of 4"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80", "surrogate"},
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80", "above U+10FFFF"},
      {"", "", "", "nothing"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(printable(row.text) == row.escaped);
    CHECK(printable(row.text, Newlines::kKeep) == row.kept);
    CHECK(printable(printable(row.text)) == row.escaped);
  }
}

TEST_CASE("Lines on stderr begin with the program's name, and warnings and errors say so") {
  const Defaults defaults;
  const std::string lines = stderr_of([] {
    debug("hidden");
    info("step {}", 3);
    warn("slow");
    error("bad");
  });
  CHECK(lines == "r1: step 3\nr1: warning: slow\nr1: error: bad\n");
}

TEST_CASE("A message is one line whatever is in it") {
  const Defaults defaults;
  CHECK(stderr_of([] { info("{}", "x\nr1: error: forged\r\x1b[2J"); }) == "r1: x\\nr1: error: forged\\r\\x1b[2J\n");
}

TEST_CASE("Lines below the level are dropped") {
  const Defaults defaults;
  set_level(Level::kError);
  CHECK(stderr_of([] { warn("w"); }).empty());
  set_level(Level::kDebug);
  CHECK(stderr_of([] { debug("d"); }) == "r1: debug: d\n");
}

TEST_CASE("Logs a line at each level, for the next case", "[.log_each_level]") {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) write(level, "x");
  SUCCEED("what is printed counts");
}

TEST_CASE("The level comes from R1_LOG at the start, and a value that is none is told") {
  struct Row {
    const char* setting;
    const char* lines;
  };
  const Row rows[] = {
      {"debug", "r1: debug: x\nr1: x\nr1: warning: x\nr1: error: x\n"},
      {"info", "r1: x\nr1: warning: x\nr1: error: x\n"},
      {"warn", "r1: warning: x\nr1: error: x\n"},
      {"error", "r1: error: x\n"},
      {"loud",
       "r1: warning: environment variable R1_LOG is 'loud', allowed are debug, info, warn, error\n"
       "r1: x\nr1: warning: x\nr1: error: x\n"},
  };
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  for (const Row& row : rows) {
    CHECK(stderr_of([&] {
            Child child([&]() -> int {  // a new process image: this one has read its R1_LOG already
              ::setenv("R1_LOG", row.setting, 1);
              ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
              return ::execl(program.c_str(), program.c_str(), "[.log_each_level]", nullptr);
            });
            CHECK(child.wait() == 0);
          }) == row.lines);
  }
}

TEST_CASE("The log file gets time and level, and appends") {
  const Defaults defaults;
  const TempFolder folder;
  put(folder / "r1.log", "before\n");
  stderr_of([&] {
    set_file(folder / "r1.log");
    info("one");
    warn("two\nlines");
    debug("hidden");
    set_file({});
    info("not in the file");
  });
  const std::regex expected(
      "before\n"
      "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z info one\n"
      "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z warn two\\\\nlines\n");
  const std::string text = slurp(folder / "r1.log");
  INFO(text);
  CHECK(std::regex_match(text, expected));
}

TEST_CASE("A log file that cannot be opened is an Error, and the old one stays in use") {
  const Defaults defaults;
  const TempFolder folder;
  set_file(folder / "r1.log");
  CHECK_THROWS_WITH(set_file(folder / "none/r1.log"), Contains("cannot open the log file: No such file or directory"));
  stderr_of([] { info("still here"); });
  CHECK_THAT(slurp(folder / "r1.log"), Contains("still here"));
}

TEST_CASE("A full disk costs the log file's lines, one warning and no exception") {
  const Defaults defaults;
  const std::string lines = stderr_of([] {
    set_file("/dev/full");
    info("one");
    info("two");
  });
  CHECK_THAT(lines, Contains("r1: one\n") && Contains("r1: two\n"));
  CHECK_THAT(lines, Contains("r1: warning: log lines do not reach their file: /dev/full: cannot write: No space"));
  CHECK(lines.find("warning") == lines.rfind("warning"));
}

TEST_CASE("A stderr that takes nothing does not stop the program") {
  const Defaults defaults;
  CHECK(run_in_child([] {
          ::close(STDERR_FILENO);
          info("nobody hears");
          return 0;
        }) == 0);
}

TEST_CASE("Lines from several threads stay whole") {
  const Defaults defaults;
  const TempFolder folder;
  constexpr int kThreads = 4, kLines = 200;
  const std::string text = stderr_of([&] {
    set_file(folder / "r1.log");
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kLines; ++i) info("{}", std::string(100, static_cast<char>('a' + t)));
      });
    }
  });
  const std::regex line("r1: (a{100}|b{100}|c{100}|d{100})");
  int num_whole = 0;
  std::istringstream stream(text);
  for (std::string l; std::getline(stream, l);) num_whole += std::regex_match(l, line);
  CHECK(num_whole == kThreads * kLines);
  const std::string file = slurp(folder / "r1.log");
  CHECK(std::count(file.begin(), file.end(), '\n') == kThreads * kLines);
}

TEST_CASE("A log line moves the status line of a terminal below it") {
  const std::string text = terminal_output_of(80, [] {
    console::set_status("working");
    console::write_line("a line");
    console::set_status("");
  });
  CHECK(text == "\r\x1b[Kworking\r\x1b[Ka line\r\nworking\r\x1b[K");
}

}  // namespace
}  // namespace r1::log
