#include "core/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <string>

namespace r1::console {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

struct Console {
  std::mutex mutex;
  std::string status;
};

// Never destroyed: a log line may come from another object's destructor at exit.
Console& shared() {
  static Console* instance = new Console;
  return *instance;
}

// A stderr that takes nothing must not end the program.
void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

void write_line(std::string_view line) {
  Console& c = shared();
  const std::scoped_lock lock(c.mutex);
  std::string text;
  if (!c.status.empty()) text += kEraseLine;
  text.append(line).append("\n").append(c.status);
  write_stderr(text);
}

void set_status(std::string_view line) {
  Console& c = shared();
  const std::scoped_lock lock(c.mutex);
  if (line.empty() && c.status.empty()) return;
  c.status = line;
  write_stderr(std::string(kEraseLine).append(line));
}

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && !(term != nullptr && std::string_view(term) == "dumb");
}

int width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace r1::console
