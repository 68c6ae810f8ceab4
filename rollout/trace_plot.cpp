#include "rollout/trace_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "rollout/trace_table.h"

namespace r1::rollout {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();
constexpr int kMaxPlotSide = 2000;

// Dots on a grid finer than characters: 2 x 4 to a Braille character, 1 x 1 to an ASCII one. y counts from the top.
class Canvas {
 public:
  Canvas(int columns, int lines, PlotStyle style)
      : columns_(columns),
        lines_(lines),
        style_(style),
        dots_(static_cast<size_t>(width()) * static_cast<size_t>(height()), false) {}

  int width() const { return columns_ * (style_ == PlotStyle::kUnicode ? 2 : 1); }
  int height() const { return lines_ * (style_ == PlotStyle::kUnicode ? 4 : 1); }

  void set(int x, int y) {
    if (x >= 0 && x < width() && y >= 0 && y < height()) dots_[index(x, y)] = true;
  }

  // A line in steps of one dot, from `from` up to and with `to`.
  void line(std::pair<int, int> from, std::pair<int, int> to) {
    const int steps = std::max({std::abs(to.first - from.first), std::abs(to.second - from.second), 1});
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      set(static_cast<int>(std::lround(from.first + part * (to.first - from.first))),
          static_cast<int>(std::lround(from.second + part * (to.second - from.second))));
    }
  }

  std::string text_of_line(int line) const {
    std::string text;
    for (int column = 0; column < columns_; ++column) {
      text += style_ == PlotStyle::kUnicode ? braille(column, line) : dots_[index(column, line)] ? "*" : " ";
    }
    return text;
  }

 private:
  size_t index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(width()) + static_cast<size_t>(x);
  }

  std::string braille(int column, int line) const {
    // Unicode numbers the dots 1-3 down the left column, 4-6 down the right one, then 7 and 8 below.
    constexpr int kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int bits = 0;
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 2; ++x) bits |= dots_[index(2 * column + x, 4 * line + y)] ? kBits[y][x] : 0;
    }
    if (bits == 0) return " ";
    const int code = 0x2800 + bits;
    return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
  }

  int columns_, lines_;
  PlotStyle style_;
  std::vector<bool> dots_;
};

// At most `count` values: means of equal shares, gaps aside.
std::vector<double> resample(std::span<const double> values, int count) {
  const auto num_values = values.size(), num_bins = std::min(values.size(), static_cast<size_t>(count));
  std::vector<double> bins;
  for (size_t bin = 0; bin < num_bins; ++bin) {
    double sum = 0;
    int finite = 0;
    for (size_t i = bin * num_values / num_bins; i < (bin + 1) * num_values / num_bins; ++i) {
      if (!std::isfinite(values[i])) continue;
      sum += values[i];
      ++finite;
    }
    bins.push_back(finite > 0 ? sum / finite : kGap);
  }
  return bins;
}

std::optional<std::pair<double, double>> range_of(std::span<const double> values) {
  std::optional<std::pair<double, double>> range;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    range = range ? std::pair(std::min(range->first, v), std::max(range->second, v)) : std::pair(v, v);
  }
  return range;
}

void draw(Canvas& canvas, std::span<const double> values, std::pair<double, double> range) {
  const double span = range.second - range.first;
  std::pair<int, int> before;
  bool has_before = false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      has_before = false;
      continue;
    }
    const double across = values.size() > 1 ? static_cast<double>(i) / static_cast<double>(values.size() - 1) : 0;
    const double up = span > 0 ? (values[i] - range.first) / span : 0.5;
    const std::pair<int, int> at{static_cast<int>(std::lround(across * (canvas.width() - 1))),
                                 static_cast<int>(std::lround((1 - up) * (canvas.height() - 1)))};
    canvas.line(has_before ? before : at, at);
    before = at;
    has_before = true;
  }
}

std::string label(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size >= 1e6 || size < 1e-3)) return fmt::format("{:.1e}", value);
  return fmt::format("{:.{}f}", value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

}  // namespace

PlotStyle plot_style_of_environment() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string_view locale(value);
    const bool is_utf8 = locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
    return is_utf8 ? PlotStyle::kUnicode : PlotStyle::kAscii;
  }
  return PlotStyle::kAscii;
}

std::string curve_plot(std::span<const double> values, const PlotOptions& options) {
  const int width = std::clamp(options.width, 20, kMaxPlotSide), height = std::clamp(options.height, 2, kMaxPlotSide);
  auto text = options.title.empty() ? std::string() : options.title + "\n";
  const auto range = range_of(values);
  if (!range) return text + "  (no values)\n";
  const auto top = label(range->second), bottom = label(range->first);
  const int margin = static_cast<int>(std::max(top.size(), bottom.size()));
  const bool is_unicode = options.style == PlotStyle::kUnicode;
  Canvas canvas(width - margin - 2, height, options.style);
  const auto shown = resample(values, canvas.width());
  draw(canvas, shown, *range);
  for (int line = 0; line < height; ++line) {
    auto row = fmt::format("{:>{}} {}",
                           line == 0            ? top
                           : line == height - 1 ? bottom
                                                : "",
                           margin, is_unicode ? "\u2502" : "|") +
               canvas.text_of_line(line);
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  const auto steps = options.steps.second >= options.steps.first
                         ? options.steps
                         : std::pair<int64_t, int64_t>{0, static_cast<int64_t>(values.size()) - 1};
  const auto first = fmt::format("{}", steps.first), last = fmt::format("{}", steps.second);
  const int room = std::max(1, width - margin - 2 - static_cast<int>(first.size()));
  text += std::string(static_cast<size_t>(margin + 1), ' ') + (is_unicode ? "\u2514" : "+") + first;
  text += values.size() > 1 ? fmt::format("{:>{}}\n", last, room) : "\n";
  return text;
}

std::string curve_plot(std::span<const double> values, int width, int height, std::string_view title) {
  return curve_plot(values, {.width = width, .height = height, .title = std::string(title)});
}

std::string sparkline(std::span<const double> values, int width, PlotStyle style) {
  constexpr std::string_view kUnicode[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                           "\u2585", "\u2586", "\u2587", "\u2588"};
  constexpr std::string_view kAscii[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
  const auto bins = resample(values, std::clamp(width, 1, kMaxPlotSide));
  const auto range = range_of(bins);
  std::string line;
  for (const double v : bins) {
    if (!range || !std::isfinite(v)) {
      line += ' ';
      continue;
    }
    const double span = range->second - range->first;
    const auto level = static_cast<size_t>(span > 0 ? std::min(7.0, 8 * (v - range->first) / span) : 0);
    line += style == PlotStyle::kUnicode ? kUnicode[level] : kAscii[level];
  }
  return line;
}

}  // namespace r1::rollout
