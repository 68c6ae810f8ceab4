// Settings that nobody asked for, and what their author may have meant.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <functional>

#include "core/config.h"
#include "core/config_tree.h"
#include "core/error.h"

namespace r1 {
namespace config {

namespace {

// Calls visit(table) for this one and every one inside it.
void for_each_table(const Table& table, const std::function<void(const Table&)>& visit) {
  visit(table);
  for (const Entry& e : table.entries) {
    if (const auto* sub = std::get_if<TablePointer>(&e.value.data)) for_each_table(**sub, visit);
    if (const auto* array = std::get_if<Array>(&e.value.data)) {
      for (const Value& v : *array) {
        if (const auto* sub = std::get_if<TablePointer>(&v.data)) for_each_table(**sub, visit);
      }
    }
  }
}

std::vector<std::string> asked_keys(const Table& table) {
  std::vector<std::string> keys;
  for (const Entry& e : table.entries) {
    if (e.is_asked) keys.push_back(e.key);
  }
  return keys;
}

std::string advice(const Table& root, const Table& table, const std::string& key) {
  const std::vector<std::string> known = asked_keys(table);
  if (const auto near = nearest(key, known)) return fmt::format("did you mean '{}'?", table.path_of(*near));
  std::string elsewhere;
  for_each_table(root, [&](const Table& other) {
    const auto keys = asked_keys(other);
    if (elsewhere.empty() && std::find(keys.begin(), keys.end(), key) != keys.end()) elsewhere = other.path_of(key);
  });
  if (!elsewhere.empty()) return fmt::format("did you mean '{}'?", elsewhere);
  const std::string place = table.path.empty() ? "at the top" : fmt::format("in [{}]", table.path);
  if (known.empty()) return fmt::format("remove it: no keys are known {}", place);
  return fmt::format("remove it; known {} are: {}", place, fmt::join(known, ", "));
}

// Throws for the first key nobody asked for. Tables inside are looked into even if only has() asked for them.
void check_table(const Table& root, const Table& table) {
  for (const Entry& e : table.entries) {
    if (e.origin != Origin::kGiven) continue;
    if (!e.is_asked) {
      throw Error(e.where, fmt::format("unknown key '{}'", table.path_of(e.key)), advice(root, table, e.key));
    }
  }
  for (const Entry& e : table.entries) {
    if (const auto* sub = std::get_if<TablePointer>(&e.value.data)) check_table(root, **sub);
    if (const auto* array = std::get_if<Array>(&e.value.data)) {
      for (const Value& v : *array) {
        if (const auto* sub = std::get_if<TablePointer>(&v.data)) check_table(root, **sub);
      }
    }
  }
}

}  // namespace
}  // namespace config

void Config::check_all_used() const { config::check_table(*root_, *root_); }

namespace {

// Edits, swaps of neighbours among them, that turn a into b (the "optimal string alignment" distance); case is free.
size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (is_same ? 0 : 1)});
      const bool is_swap = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (is_swap) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

constexpr size_t kMaxWord = 256;  // of nearest(): no key is longer, and the table of distances grows with the square

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  size_t best_distance = 0;
  for (const std::string& k : known) {
    if (word.size() > kMaxWord || k.size() > kMaxWord) continue;
    const size_t distance = edit_distance(word, k);
    const size_t limit = (std::max(word.size(), k.size()) + 2) / 4;  // one slip in 2 to 5 letters, two in 6 to 9, ...
    if (distance > limit || (best && distance >= best_distance)) continue;
    best = k;
    best_distance = distance;
  }
  return best;
}

}  // namespace r1
