#include "core/cancel.h"

#include <csignal>

#include "tests/core/child.h"
#include "tests/core/stderr_capture.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};

TEST_CASE("A stop can be requested and cleared by code") {
  CHECK_FALSE(stop_requested());
  request_stop();
  CHECK(stop_requested());
  clear_stop_request();
  CHECK_FALSE(stop_requested());
}

TEST_CASE("The first signal asks for a stop, says how to stop at once, and the program goes on") {
  for (const int signal : kSignals) {
    CHECK(run_in_child([&] {
            install_stop_signals();
            const std::string text = stderr_of([&] { std::raise(signal); });
            const bool is_told = text == "\nr1: stopping after this step; press Ctrl-C again to stop at once\n";
            return is_told && stop_requested() ? 0 : 1;
          }) == 0);
  }
}

TEST_CASE("The second signal ends the process by that signal") {
  for (const int first : kSignals) {
    for (const int second : kSignals) {
      CHECK(run_in_child([&] {
              install_stop_signals();
              stderr_of([&] { std::raise(first); });
              std::raise(second);
              return 0;
            }) == -second);
    }
  }
}

TEST_CASE("After the request is cleared, a signal is a first one again") {
  CHECK(run_in_child([] {
          install_stop_signals();
          stderr_of([] { std::raise(SIGINT); });
          clear_stop_request();
          stderr_of([] { std::raise(SIGINT); });
          return stop_requested() ? 0 : 1;
        }) == 0);
}

}  // namespace
}  // namespace r1
