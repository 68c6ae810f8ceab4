#include "core/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/console.h"
#include "core/log.h"

namespace r1 {
namespace {

using std::chrono::steady_clock;

constexpr auto kRedrawTime = std::chrono::milliseconds(100);
constexpr auto kLineTime = std::chrono::seconds(10);
constexpr int kBarWidth = 20;
constexpr int kPlainLineWidth = 1000;  // of a line in a file

std::string duration_text(double seconds) {
  const auto s = static_cast<int64_t>(std::min(std::ceil(seconds), 3.6e8));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string rate_text(double rate) {
  if (rate >= 1000) return fmt::format("{:.0f}/s", rate);
  if (rate >= 1 || rate == 0) return fmt::format("{:.1f}/s", rate);
  return fmt::format("{:.1f} s each", 1 / rate);
}

std::string bar_text(double share) {
  const int full = static_cast<int>(share * kBarWidth);
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(kBarWidth - full, '.'));
}

// Keeps what fits in `width` columns, without cutting a character in two. Characters from U+1100 on count two columns:
// most of them take two, and the line must never wrap.
std::string fit(const std::string& text, int width) {
  int columns = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    columns += lead >= 0xE1 ? 2 : 1;
    if (columns > width) return text.substr(0, i);
    i += size;
  }
  return text;
}

}  // namespace

std::string progress_line(const ProgressView& v, int width) {
  std::string line = v.title;
  const bool has_total = v.total > 0;
  if (has_total) {
    const double share = std::clamp(static_cast<double>(v.done) / static_cast<double>(v.total), 0.0, 1.0);
    line += fmt::format("  {} {}/{} {}", bar_text(share), v.done, v.total, v.unit);
  } else {
    line += fmt::format("  {} {}", v.done, v.unit);
  }
  const auto done_here =
      static_cast<double>(v.done - v.start);  // what an earlier run did says nothing of this one's rate
  if (done_here > 0 && v.seconds > 0) {
    const double rate = done_here / v.seconds;
    line += "  " + rate_text(rate);
    if (has_total && v.done < v.total) line += "  ETA " + duration_text(static_cast<double>(v.total - v.done) / rate);
  }
  if (!has_total || v.done >= v.total) line += "  in " + duration_text(v.seconds);
  if (!v.note.empty()) line += "  " + v.note;
  return fit(log::printable(line), width);
}

Progress::Progress(std::string title, int64_t total, std::string unit, int64_t start)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      start_(start),
      done_(start),
      began_(steady_clock::now()),
      drawn_(began_),
      is_terminal_(console::is_terminal()) {
  if (is_terminal_) draw(Draw::kAgain);
}

Progress::~Progress() { finish(); }

void Progress::update(int64_t done, std::string_view note) {
  if (is_finished_) return;
  done_ = done;
  note_ = note;
  if (steady_clock::now() - drawn_ >= (is_terminal_ ? steady_clock::duration(kRedrawTime) : kLineTime)) {
    draw(Draw::kAgain);
  }
}

void Progress::finish() {
  if (is_finished_) return;
  is_finished_ = true;
  draw(Draw::kLast);
}

void Progress::draw(Draw draw) {
  drawn_ = steady_clock::now();
  const std::chrono::duration<double> elapsed = drawn_ - began_;
  const ProgressView view{title_, unit_, note_, total_, start_, done_, elapsed.count()};
  if (!is_terminal_) return console::write_line(progress_line(view, kPlainLineWidth));
  // One column is left free: a line that fills the last one makes some terminals wrap.
  const std::string line = progress_line(view, console::width() - 1);
  if (draw == Draw::kAgain) return console::set_status(line);
  console::set_status("");
  console::write_line(line);
}

}  // namespace r1
