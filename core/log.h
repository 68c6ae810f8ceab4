#pragma once
// Log lines for a person on stderr and in the run's r1.log. Control characters of what is logged (model output is
// hostile) are escaped, so a line is one line.

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace r1::log {

enum class Level { kDebug, kInfo, kWarn, kError };

// Lines below `level` are dropped. From R1_LOG (debug, info, warn, error) at start; kInfo otherwise.
void set_level(Level level);
// Also appends lines, with time and level, to this file until called again; an empty path ends that.
void set_file(const std::filesystem::path& path);

void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::kDebug, fmt::format(f, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::kInfo, fmt::format(f, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::kWarn, fmt::format(f, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::kError, fmt::format(f, std::forward<Args>(args)...));
}

// Replaces control characters, ANSI escapes, bidirectional overrides and invalid UTF-8 by visible escapes (\x1b,
// \u202e); newline and tab stay if keep_newlines.
enum class Newlines { kEscape, kKeep };
std::string printable(std::string_view text, Newlines newlines = Newlines::kEscape);

}  // namespace r1::log
