#pragma once
// Text for the terminal: tables that fit a width, and the display width of UTF-8 text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rollout {

// Columns that `text` takes on a terminal: wide characters take two, combining ones none.
int display_width(std::string_view text);

// `text` cut to `width` columns, with three points where something was cut.
std::string fit(std::string_view text, int width);

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kRight;
};

// Rows under their titles. A column is as wide as its widest cell, up to a third of the width; the last one gets what
// is left. Longer cells are cut.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Cells must be printable() already.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string render(int width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// `text` broken into lines of at most `width` columns, at blanks where there are some, each line begun with `indent`.
std::string wrap(std::string_view text, int width, std::string_view indent = "");

// At most `limit` of the rows, evenly spread, the first and the last among them.
template <typename T>
std::vector<T> thin_out(const std::vector<T>& rows, int64_t limit) {
  const auto size = static_cast<int64_t>(rows.size());
  if (size <= limit || limit < 2) return rows;
  std::vector<T> kept;
  for (int64_t i = 0; i < limit; ++i) kept.push_back(rows[static_cast<size_t>(i * (size - 1) / (limit - 1))]);
  return kept;
}

}  // namespace r1::rollout
