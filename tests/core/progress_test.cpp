#include "core/progress.h"

#include <algorithm>
#include <limits>

#include "tests/core/stderr_capture.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;

TEST_CASE("A progress line tells place, rate, time left and the note") {
  struct Row {
    ProgressView view;
    const char* line;
    const char* why;
  };
  const Row rows[] = {
      {{.title = "pretrain", .unit = "steps", .note = "loss 1.23", .total = 1024, .done = 512, .seconds = 165},
       "pretrain  [##########..........] 512/1024 steps  3.1/s  ETA 2:45  loss 1.23",
       "half way"},
      {{.title = "t", .unit = "x", .total = 10}, "t  [....................] 0/10 x", "nothing done: no rate, no ETA"},
      {{.title = "t", .unit = "x", .total = 10, .done = 10, .seconds = 5},
       "t  [####################] 10/10 x  2.0/s  in 0:05",
       "done"},
      {{.title = "t", .unit = "x", .total = 100, .start = 50, .done = 60, .seconds = 10},
       "t  [############........] 60/100 x  1.0/s  ETA 0:40",
       "resumed: the rate is this run's"},
      {{.title = "t", .unit = "x", .total = 10, .done = 1, .seconds = 20},
       "t  [##..................] 1/10 x  20.0 s each  ETA 3:00",
       "slow"},
      {{.title = "t", .unit = "x", .total = 100000, .done = 1, .seconds = 1},
       "t  [....................] 1/100000 x  1.0/s  ETA 27:46:39",
       "hours"},
      {{.title = "t", .unit = "x", .total = 20000, .done = 10000, .seconds = 1},
       "t  [##########..........] 10000/20000 x  10000/s  ETA 0:01",
       "fast"},
      {{.title = "t", .unit = "x", .done = 7, .seconds = 2}, "t  7 x  3.5/s  in 0:02", "total not known"},
      {{.title = "t", .unit = "x", .total = 10, .done = 15, .seconds = 1},
       "t  [####################] 15/10 x  15.0/s  in 0:01",
       "more than all"},
      {{.title = "t", .unit = "x", .total = 10, .done = -3, .seconds = 1},
       "t  [....................] -3/10 x",
       "less than none"},
      {{.title = "t\n\x1b[2J", .unit = "x", .note = "a\rb", .total = 0, .done = 1},
       "t\\n\\x1b[2J  1 x  in 0:00  a\\rb",
       "hostile texts"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(progress_line(row.view, 200) == row.line);
  }
}

TEST_CASE("A progress line is never wider than asked and cuts no character") {
  const ProgressView view{.title = "t",
                          .unit = "x",
                          .note =
                              "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80"
                              "end",
                          .total = 10};
  const std::string whole = progress_line(view, 200);
  const auto at = static_cast<int>(whole.find('\xC3'));  // all before is ASCII: bytes are columns
  struct Row {
    int width;
    std::string line;
    const char* why;
  };
  const Row rows[] = {
      {0, "", "no room"},
      {-5, "", "less than none"},
      {5, whole.substr(0, 5), "ASCII"},
      {at, whole.substr(0, at), "before the first letter"},
      {at + 1, whole.substr(0, at + 2), "a letter of one column and two bytes"},
      {at + 2, whole.substr(0, at + 2), "half of a wide one does not fit"},
      {at + 3, whole.substr(0, at + 5), "a wide one"},
      {at + 5, whole.substr(0, at + 9), "an emoji"},
      {at + 8, whole, "all"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(progress_line(view, row.width) == row.line);
  }
}

TEST_CASE("Extreme counts and times are printed, not overflowed") {
  const int64_t kMax = std::numeric_limits<int64_t>::max();
  CHECK_THAT(progress_line({.title = "t", .unit = "x", .total = kMax, .done = 1, .seconds = 1e300}, 500),
             Contains("1/9223372036854775807 x"));
  CHECK_THAT(progress_line({.title = "t", .unit = "x", .total = kMax, .done = kMax, .seconds = 1e-300}, 500),
             Contains("[####################]"));
}

TEST_CASE("Off a terminal a short job prints one plain line, at its end") {
  const std::string text = stderr_of([] {
    Progress progress("job", 1000, "steps");
    for (int i = 1; i <= 1000; ++i) progress.update(i, "loss " + std::to_string(i));
  });
  CHECK_THAT(text, Catch::StartsWith("job  [####################] 1000/1000 steps") && Contains("loss 1000\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find('\x1b') == text.npos);
}

TEST_CASE("finish() prints once, and nothing follows it") {
  const std::string text = stderr_of([] {
    Progress progress("job", 2, "steps");
    progress.update(1);
    progress.finish();
    progress.finish();
    progress.update(2);
  });
  CHECK_THAT(text, Contains("1/2 steps"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("On a terminal the line is drawn over, not for every update, and stays inside the width") {
  const std::string text = terminal_output_of(40, [] {
    Progress progress("job", 100000, "steps");
    for (int i = 1; i <= 100000; ++i) progress.update(i, "a note that is too long for this terminal");
  });
  size_t num_drawn = 0, longest = 0;
  for (size_t at = text.find("\x1b[K"); at != text.npos; at = text.find("\x1b[K", at + 1)) {
    ++num_drawn;
    longest = std::max(longest, text.find_first_of("\r\n", at + 3) - (at + 3));
  }
  CHECK(num_drawn >= 2);
  CHECK(num_drawn < 50);  // ten a second; 100,000 updates take a fraction of one
  CHECK(longest < 40);
  CHECK(text.ends_with("\r\n"));
}

}  // namespace
}  // namespace r1
