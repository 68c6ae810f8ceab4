#include "core/cancel.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace r1 {
namespace {

std::atomic<bool> is_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

// Runs inside a signal: only async-signal-safe calls (signal-safety(7)).
void on_signal(int number) {
  const int saved_errno = errno;
  if (is_requested.exchange(true)) {
    std::signal(number, SIG_DFL);
    std::raise(number);  // delivered when this handler returns
  } else {
    constexpr std::string_view kNotice = "\nr1: stopping after this step; press Ctrl-C again to stop at once\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kNotice.data(), kNotice.size());
  }
  errno = saved_errno;
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // libraries need not know of EINTR
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    if (::sigaction(number, &action, nullptr) != 0) {
      throw Error("sigaction", std::strerror(errno), "run outside of what forbids signal handlers");
    }
  }
}

bool stop_requested() { return is_requested.load(std::memory_order_relaxed); }

void request_stop() { is_requested = true; }

void clear_stop_request() { is_requested = false; }

}  // namespace r1
