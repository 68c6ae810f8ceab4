#pragma once
// Curves drawn in the terminal.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace r1::rollout {

enum class PlotStyle {
  kUnicode,  // Braille dots, 2 x 4 to a character
  kAscii,
};

// kUnicode if the environment's locale (LC_ALL, LC_CTYPE, LANG) says UTF-8, as a terminal would show it.
PlotStyle plot_style_of_environment();

struct PlotOptions {
  int width = 72;   // columns in all, axis labels included; at least 20
  int height = 10;  // lines of the plot itself; at least 2
  std::string title;
  std::pair<int64_t, int64_t> steps{0, -1};  // under the first and the last value; 0..n-1 if the second is less
  PlotStyle style = plot_style_of_environment();
};

// The values from left to right, joined by a line; where there are more than fit, each column shows the mean of its
// own. Values that are not finite leave a gap. Ends with a newline.
std::string curve_plot(std::span<const double> values, const PlotOptions& options);
std::string curve_plot(std::span<const double> values, int width, int height, std::string_view title);

// One line of at most `width` characters, from the least value to the largest.
std::string sparkline(std::span<const double> values, int width, PlotStyle style = plot_style_of_environment());

}  // namespace r1::rollout
