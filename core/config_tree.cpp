#include "core/config_tree.h"

#include <fmt/format.h>

#include <algorithm>

namespace r1::config {

Entry* Table::find(std::string_view key) {
  const auto it = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return it == entries.end() ? nullptr : &*it;
}

std::string Table::path_of(std::string_view key) const {
  return path.empty() ? key_text(key) : fmt::format("{}.{}", path, key_text(key));
}

std::string describe(const Value& value) {
  struct Name {
    std::string operator()(bool) const { return "the boolean"; }
    std::string operator()(int64_t) const { return "the integer"; }
    std::string operator()(double) const { return "the float"; }
    std::string operator()(const std::string&) const { return "the string"; }
    std::string operator()(const Date&) const { return "the date or time"; }
    std::string operator()(const Array& a) const { return fmt::format("an array of {}", a.size()); }
    std::string operator()(const TablePointer&) const { return "a table"; }
  };
  const std::string name = std::visit(Name{}, value.data);
  return name.starts_with("the") ? fmt::format("{} {}", name, value_text(value)) : name;
}

}  // namespace r1::config
