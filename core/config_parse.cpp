// The only file that includes toml++: it takes seconds to compile.

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 64
#define TOML_ASSERT(condition)  // 3.3 aborts on the text "[" with its assertions on, and reports it without them
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/config_depth.h"
#include "core/config_tree.h"
#include "core/error.h"

namespace r1::config {
namespace {

struct Place {
  const std::string& file;  // "--set a.b" for an override, which has no lines
  bool has_lines;
  int depth = 0;  // of the table or array that is read

  Place deeper() const { return {file, has_lines, depth + 1}; }
};

std::string where_of(const toml::source_region& region, const Place& place) {
  if (!place.has_lines) return place.file;
  return fmt::format("{}:{}:{}", place.file, region.begin.line, region.begin.column);
}

TablePointer convert_table(const toml::table& from, const std::string& path, const Place& place);

// What is deeper than a key can be long could not be printed under a header and read back.
Value convert(const toml::node& node, const std::string& path, const Place& place) {
  if (place.depth > kMaxKeyParts) {
    throw Error(where_of(node.source(), place), fmt::format("tables and arrays nest deeper than {}", kMaxKeyParts),
                "nest them less deep");
  }
  if (const auto* b = node.as_boolean()) return {b->get()};
  if (const auto* i = node.as_integer()) return {i->get()};
  if (const auto* d = node.as_floating_point()) return {d->get()};
  if (const auto* s = node.as_string()) return {s->get()};
  if (const auto* t = node.as_table()) return {convert_table(*t, path, place)};
  if (const auto* a = node.as_array()) {
    Array array;
    for (const auto& element : *a)
      array.push_back(convert(element, fmt::format("{}.{}", path, array.size()), place.deeper()));
    return {std::move(array)};
  }
  std::ostringstream text;
  node.visit([&](const auto& n) {
    if constexpr (toml::is_chronological<decltype(n)>) text << n.get();
  });
  return {Date{text.str()}};
}

// toml++ sorts keys by name; the order of the file is the one its author chose.
std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> keys;
  for (const auto& [key, node] : table) keys.emplace_back(&key, &node);
  const auto position = [](const auto& pair) {
    const auto begin = pair.first->source().begin;
    return std::pair(begin.line, begin.column);
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return position(a) < position(b); });
  return keys;
}

TablePointer convert_table(const toml::table& from, const std::string& path, const Place& place) {
  auto table = std::make_shared<Table>(Table{.path = path, .file = place.file});
  for (const auto& [key, node] : in_file_order(from)) {
    const std::string name(key->str());
    table->entries.push_back({.key = name,
                              .value = convert(*node, table->path_of(name), place.deeper()),
                              .where = where_of(key->source(), place)});
  }
  return table;
}

struct Override {
  std::vector<std::string> keys;
  Value value;
};

// The one leaf of "a.b = VALUE", or nothing if the text is another document.
std::optional<Override> parse_assignment(const std::string& text, size_t num_keys, const Place& place) try {
  if (find_too_deep(text)) return {};
  const toml::table document = toml::parse(text);
  Override result;
  const toml::table* table = &document;
  for (;;) {
    if (table->size() != 1) return {};
    result.keys.emplace_back(table->begin()->first.str());
    const toml::node& node = table->begin()->second;
    if (num_keys == 0 ? !node.is_table() : result.keys.size() == num_keys) {
      std::string path;
      for (const auto& key : result.keys) path += (path.empty() ? "" : ".") + key_text(key);
      result.value = convert(node, path, {place.file, place.has_lines, static_cast<int>(result.keys.size())});
      return result;
    }
    if (!node.is_table()) return {};
    table = node.as_table();
  }
} catch (const toml::parse_error&) {
  return {};
}

[[noreturn]] void fail_override(const std::string& text, const std::string& problem) {
  throw Error("--set " + text, problem, "write it as --set dotted.key=VALUE, for example --set rl.steps=50");
}

Override parse_override(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) fail_override(text, "malformed: no key=VALUE");
  const std::string key = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  const std::string file = "--set " + key;
  const Place place{file, /*has_lines=*/false};
  const auto with_nothing =
      key.find_first_of("\n\r#") == key.npos ? parse_assignment(key + " = 0", 0, place) : std::nullopt;
  if (!with_nothing) fail_override(text, fmt::format("malformed: '{}' is not a dotted key", key));
  const size_t num_keys = with_nothing->keys.size();
  if (auto parsed = parse_assignment(key + " = " + value, num_keys, place)) return *parsed;
  // What opens like TOML but is not TOML is a slip, and no word.
  const bool opens_like_toml = !value.empty() && std::string_view("[{\"'").find(value[0]) != std::string_view::npos;
  if (!opens_like_toml && value.find_first_of("\n\r") == value.npos) {
    if (auto word = parse_assignment(key + " = " + value_text({value}), num_keys, place)) return *word;
  }
  fail_override(text, fmt::format("malformed: '{}' is not a TOML value", value));
}

// The element of an array of tables that `key`, a number, names.
Table* element(Entry& entry, std::string_view key) {
  auto* array = std::get_if<Array>(&entry.value.data);
  size_t index = 0;
  const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (array == nullptr || code != std::errc() || end != key.data() + key.size() || index >= array->size())
    return nullptr;
  const auto* table = std::get_if<TablePointer>(&(*array)[index].data);
  return table == nullptr ? nullptr : table->get();
}

// The table that `keys` but the last lead to; made where absent. tasks.0.weight names the first [[tasks]].
Table& descend(Table& root, const std::vector<std::string>& keys, const std::string& where) {
  Table* table = &root;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    Entry* entry = table->find(keys[i]);
    if (entry == nullptr) {
      auto made = std::make_shared<Table>(Table{.path = table->path_of(keys[i]), .file = root.file});
      table->entries.push_back({.key = keys[i], .value = {made}, .where = where});
      table = made.get();
    } else if (const auto* next = std::get_if<TablePointer>(&entry->value.data)) {
      table = next->get();
    } else if (i + 2 < keys.size() && element(*entry, keys[i + 1]) != nullptr) {
      table = element(*entry, keys[++i]);
    } else {
      throw Error(
          where,
          fmt::format("'{}' ({}) is {}, wanted a table", table->path_of(keys[i]), entry->where, describe(entry->value)),
          fmt::format("set '{}' itself, or name a key of a table; of an array of tables, KEY.INDEX.KEY",
                      table->path_of(keys[i])));
    }
  }
  return *table;
}

}  // namespace

TablePointer parse_toml(std::string_view text, const std::string& name) try {
  if (const auto place = find_too_deep(text)) {
    throw Error(fmt::format("{}:{}:{}", name, place->line, place->column),
                fmt::format("not TOML we take: a key of more than {} parts", kMaxKeyParts), "nest tables less deep");
  }
  return convert_table(toml::parse(text), "", Place{name, /*has_lines=*/true});
} catch (const toml::parse_error& e) {
  throw Error(where_of(e.source(), Place{name, /*has_lines=*/true}), fmt::format("not TOML: {}", e.description()),
              "write TOML 1.0 (key = value lines under [table] headers; strings in quotes)");
}

void apply_override(Table& root, const std::string& text) {
  Override parsed = parse_override(text);
  const std::string where = "--set " + text.substr(0, text.find('='));
  Table& table = descend(root, parsed.keys, where);
  const std::string& key = parsed.keys.back();
  Entry* entry = table.find(key);
  if (entry == nullptr) entry = &table.entries.emplace_back(Entry{.key = key, .value = {false}});
  entry->value = std::move(parsed.value);
  entry->where = where;
}

}  // namespace r1::config
