#include "rollout/trace_table.h"

#include <utf8proc.h>

#include <algorithm>

namespace r1::rollout {
namespace {

constexpr int kGap = 2;         // blanks between columns
constexpr int kLeastLast = 12;  // a column gets so much even on a narrow terminal
constexpr std::string_view kCut = "...";

struct Character {
  size_t size;  // bytes
  int width;    // columns
};

Character character_at(std::string_view text, size_t i) {
  utf8proc_int32_t code = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + i);
  const auto size = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - i), &code);
  if (size < 1) return {1, 1};
  return {static_cast<size_t>(size), utf8proc_charwidth(code)};
}

// Bytes of the longest beginning of `text` that takes at most `width` columns.
size_t bytes_within(std::string_view text, int width) {
  size_t i = 0;
  for (int used = 0; i < text.size();) {
    const auto c = character_at(text, i);
    if (used + c.width > width) break;
    used += c.width;
    i += c.size;
  }
  return i;
}

std::string pad(std::string_view text, int width, Align align) {
  const auto blanks = std::string(static_cast<size_t>(std::max(0, width - display_width(text))), ' ');
  return align == Align::kLeft ? std::string(text) + blanks : blanks + std::string(text);
}

void trim_right(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  for (size_t i = 0; i < text.size();) {
    const auto c = character_at(text, i);
    width += c.width;
    i += c.size;
  }
  return width;
}

std::string fit(std::string_view text, int width) {
  if (width <= 0) return {};
  if (bytes_within(text, width) == text.size()) return std::string(text);
  const int kept = std::max(0, width - static_cast<int>(kCut.size()));
  std::string result(text.substr(0, bytes_within(text, kept)));
  result += kCut;
  return result.substr(0, std::max<size_t>(bytes_within(result, width), 1));
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::render(int width) const {
  std::vector<int> widths;
  int left = width;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const bool is_last = c + 1 == columns_.size();
    const int most = std::max(kLeastLast, is_last ? left : width / 3);  // one wild cell must not push the others out
    int widest = display_width(columns_[c].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[c]));
    widths.push_back(std::min(widest, most));
    left -= widths.back() + kGap;
  }
  const auto line_of = [&](const auto& cell_of) {
    std::string line;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (c > 0) line.append(kGap, ' ');
      line += pad(fit(cell_of(c), widths[c]), widths[c], columns_[c].align);
    }
    trim_right(line);
    return line + "\n";
  };
  auto text = line_of([&](size_t c) { return columns_[c].title; });
  for (const auto& row : rows_) text += line_of([&](size_t c) { return row[c]; });
  return text;
}

std::string wrap(std::string_view text, int width, std::string_view indent) {
  const int room = std::max(kLeastLast, width - display_width(indent));
  std::string result;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t newline = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, newline - begin);
    do {
      size_t size = std::max<size_t>(bytes_within(line, room), line.empty() ? 0 : 1);
      if (size < line.size()) {
        const size_t blank = line.rfind(' ', size);
        if (blank != line.npos && blank > size / 2) size = blank + 1;
      }
      result.append(indent).append(line.substr(0, size));
      trim_right(result);
      result += '\n';
      line.remove_prefix(size);
    } while (!line.empty());
    begin = newline + 1;
  }
  return result;
}

}  // namespace r1::rollout
