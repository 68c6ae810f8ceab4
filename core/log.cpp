#include "core/log.h"

#include <fcntl.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <utility>

#include "core/console.h"
#include "core/error.h"
#include "core/posix.h"

namespace r1::log {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kPrefixes[] = {"debug: ", "", "warning: ", "error: "};

size_t index_of(Level level) { return static_cast<size_t>(level); }

Level level_from_environment() {
  const char* setting = std::getenv("R1_LOG");
  if (setting == nullptr) return Level::kInfo;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == setting) return static_cast<Level>(i);
  }
  console::write_line(fmt::format(
      "r1: warning: environment variable R1_LOG is '{}', allowed are debug, info, warn, error", printable(setting)));
  return Level::kInfo;
}

struct Logger {
  std::atomic<Level> level = level_from_environment();
  std::mutex mutex;
  std::filesystem::path path;
  posix::Descriptor file;
  bool is_failing = false;  // the last line did not reach the file
};

// Never destroyed: a line may come from another object's destructor at exit.
Logger& logger() {
  static Logger* instance = new Logger;
  return *instance;
}

// ISO 8601 in UTC, with milliseconds.
std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

// A log that cannot be written must not stop a run: a warning on stderr when it begins to fail, and every line is
// tried, since somebody may make room.
void write_to_file(Logger& l, Level level, std::string_view text) {
  const std::scoped_lock lock(l.mutex);
  if (l.file.get() < 0) return;
  try {
    posix::write_all(l.file.get(), fmt::format("{} {} {}\n", timestamp(), kNames[index_of(level)], text), l.path);
    l.is_failing = false;
  } catch (const Error& e) {
    if (std::exchange(l.is_failing, true)) return;
    console::write_line(fmt::format("r1: warning: log lines do not reach their file: {}: {}", e.where, e.problem));
  }
}

}  // namespace

void set_level(Level level) { logger().level = level; }

void set_file(const std::filesystem::path& path) {
  posix::Descriptor file;
  if (!path.empty()) file = posix::open(path, O_WRONLY | O_CREAT | O_APPEND, "open the log file");
  Logger& l = logger();
  const std::scoped_lock lock(l.mutex);
  l.path = path;
  l.file = std::move(file);
  l.is_failing = false;
}

void write(Level level, std::string_view message) {
  Logger& l = logger();
  if (level < l.level.load(std::memory_order_relaxed)) return;
  const std::string text = printable(message);
  console::write_line(fmt::format("r1: {}{}", kPrefixes[index_of(level)], text));
  write_to_file(l, level, text);
}

}  // namespace r1::log
