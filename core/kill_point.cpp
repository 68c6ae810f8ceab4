#include "core/kill_point.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>

namespace r1 {

void kill_point(std::string_view name) {
  const char* setting = std::getenv("R1_KILL_AT");
  if (setting == nullptr) return;
  std::string_view wanted = setting;
  int pass = 1;
  if (const auto colon = wanted.rfind(':'); colon != std::string_view::npos) {
    std::from_chars(wanted.data() + colon + 1, wanted.data() + wanted.size(), pass);
    wanted = wanted.substr(0, colon);
  }
  static std::atomic<int> passes = 0;
  if (name == wanted && ++passes == pass) ::kill(::getpid(), SIGKILL);
}

}  // namespace r1
