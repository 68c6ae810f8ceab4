#include "core/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/config_tree.h"
#include "core/error.h"
#include "core/files.h"

namespace r1 {
namespace {

using config::Array;
using config::Entry;
using config::Origin;
using config::Table;
using config::TablePointer;
using config::Value;

[[noreturn]] void fail_type(const Table& table, const Entry& entry, std::string_view wanted, std::string_view example) {
  const std::string path = table.path_of(entry.key);
  throw Error(entry.where, fmt::format("'{}' is {}, wanted {}", path, describe(entry.value), wanted),
              fmt::format("set it like {} = {}", path, example));
}

// The entry of a key that has a value in the file or by an override; else null, and the default is noted.
Entry* ask(Table& table, std::string_view key, Value fallback) {
  Entry* entry = table.find(key);
  if (entry == nullptr) {
    table.entries.push_back({.key = std::string(key), .where = table.file, .origin = Origin::kKnown});
    entry = &table.entries.back();
  }
  entry->is_asked = true;
  if (entry->origin == Origin::kGiven) return entry;
  if (entry->origin == Origin::kKnown) entry->value = std::move(fallback);
  entry->origin = Origin::kDefault;
  return nullptr;
}

// Notes the key as known, for the advice on misspelt ones. Null if it has no value.
Entry* ask(Table& table, std::string_view key) {
  Entry* entry = table.find(key);
  if (entry == nullptr) {
    table.entries.push_back({.key = std::string(key), .where = table.file, .origin = Origin::kKnown, .is_asked = true});
    return nullptr;
  }
  entry->is_asked = true;
  return entry->origin == Origin::kGiven ? entry : nullptr;
}

struct Wanted {
  std::string name, example;
};

// The elements of an array, all of type T.
template <typename T, typename Read>
std::vector<T> read_array(const Table& table, const Entry& entry, const Wanted& wanted, Read read) {
  const auto* array = std::get_if<Array>(&entry.value.data);
  if (array == nullptr) fail_type(table, entry, wanted.name, wanted.example);
  std::vector<T> result;
  for (const Value& v : *array) {
    const std::optional<T> element = read(v);
    if (!element) {
      throw Error(entry.where,
                  fmt::format("element {} of '{}' is {}, wanted {}", result.size(), table.path_of(entry.key),
                              describe(v), wanted.name),
                  fmt::format("set it like {} = {}", table.path_of(entry.key), wanted.example));
    }
    result.push_back(*element);
  }
  return result;
}

template <typename T>
Array as_array(const std::vector<T>& values) {
  Array array(values.size());
  for (size_t i = 0; i < values.size(); ++i) array[i].data = values[i];
  return array;
}

std::optional<double> as_double(const Value& value) {
  if (const auto* d = std::get_if<double>(&value.data)) return *d;
  if (const auto* i = std::get_if<int64_t>(&value.data)) return static_cast<double>(*i);
  return {};
}

std::optional<std::string> as_string(const Value& value) {
  if (const auto* s = std::get_if<std::string>(&value.data)) return *s;
  return {};
}

}  // namespace

ConfigTable::ConfigTable() : table_(std::make_shared<Table>(Table{.file = "settings"})) {}

ConfigTable::ConfigTable(TablePointer table) : table_(std::move(table)) {}

int64_t ConfigTable::get_int(std::string_view key, int64_t fallback) const {
  const Entry* entry = ask(*table_, key, {fallback});
  if (entry == nullptr) return fallback;
  if (const auto* i = std::get_if<int64_t>(&entry->value.data)) return *i;
  fail_type(*table_, *entry, "an integer", "10 (without a point, an exponent or quotes)");
}

double ConfigTable::get_double(std::string_view key, double fallback) const {
  const Entry* entry = ask(*table_, key, {fallback});
  if (entry == nullptr) return fallback;
  if (const auto d = as_double(entry->value)) return *d;
  fail_type(*table_, *entry, "a number", "0.5 or 1e-5 (without quotes)");
}

bool ConfigTable::get_bool(std::string_view key, bool fallback) const {
  const Entry* entry = ask(*table_, key, {fallback});
  if (entry == nullptr) return fallback;
  if (const auto* b = std::get_if<bool>(&entry->value.data)) return *b;
  fail_type(*table_, *entry, "true or false", "true (without quotes)");
}

std::string ConfigTable::get_string(std::string_view key, const std::string& fallback) const {
  const Entry* entry = ask(*table_, key, {fallback});
  if (entry == nullptr) return fallback;
  if (const auto s = as_string(entry->value)) return *s;
  fail_type(*table_, *entry, "a string", "\"word\" (in quotes)");
}

std::vector<std::string> ConfigTable::get_strings(std::string_view key,
                                                  const std::vector<std::string>& fallback) const {
  const Entry* entry = ask(*table_, key, {as_array(fallback)});
  if (entry == nullptr) return fallback;
  return read_array<std::string>(*table_, *entry, {"an array of strings", "[\"one\", \"two\"]"}, as_string);
}

std::vector<double> ConfigTable::get_doubles(std::string_view key, const std::vector<double>& fallback) const {
  const Entry* entry = ask(*table_, key, {as_array(fallback)});
  if (entry == nullptr) return fallback;
  return read_array<double>(*table_, *entry, {"an array of numbers", "[0.5, 1.0]"}, as_double);
}

std::string ConfigTable::get_choice(std::string_view key, const std::string& fallback,
                                    const std::vector<std::string>& allowed) const {
  const std::string choice = get_string(key, fallback);
  const Entry* entry = table_->find(key);
  if (entry->origin != Origin::kGiven || std::find(allowed.begin(), allowed.end(), choice) != allowed.end()) {
    return choice;
  }
  const auto near = nearest(choice, allowed);
  throw Error(
      entry->where,
      fmt::format("'{}' is {}, allowed are \"{}\"", table_->path_of(key), value_text(entry->value),
                  fmt::join(allowed, "\", \"")),
      fmt::format("set {} = \"{}\"", table_->path_of(key), near.value_or(allowed.empty() ? "" : allowed.front())));
}

std::string ConfigTable::require_string(std::string_view key) const {
  if (ask(*table_, key) != nullptr) return get_string(key, "");
  const std::string path = table_->path_of(key);
  throw Error(table_->file, fmt::format("key '{}' is missing", path),
              fmt::format("set {0} = \"...\" in the file, or pass --set {0}=...", path));
}

bool ConfigTable::has(std::string_view key) const { return ask(*table_, key) != nullptr; }

ConfigTable ConfigTable::table(std::string_view key) const {
  Entry* entry = ask(*table_, key);
  if (entry != nullptr) {
    if (const auto* sub = std::get_if<TablePointer>(&entry->value.data)) return ConfigTable(*sub);
    fail_type(*table_, *entry, "a table", "{ key = value }, or as [" + table_->path_of(key) + "] on a line of its own");
  }
  entry = table_->find(key);  // noted by ask(); its table collects the defaults of who reads it
  if (entry->origin == Origin::kKnown) {
    entry->value = {std::make_shared<Table>(Table{.path = table_->path_of(key), .file = table_->file})};
    entry->origin = Origin::kDefault;
  }
  if (const auto* sub = std::get_if<TablePointer>(&entry->value.data)) return ConfigTable(*sub);
  throw Error("ConfigTable::table",
              fmt::format("'{}' was read as {} before", table_->path_of(key), describe(entry->value)),
              "read one key as one type");
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) const {
  const Entry* entry = ask(*table_, key);
  if (entry == nullptr) return {};
  const Wanted wanted{"an array of tables",
                      "[{ key = value }], or as [[" + table_->path_of(key) + "]] on lines of their own"};
  std::vector<ConfigTable> result;
  for (const TablePointer& t : read_array<TablePointer>(*table_, *entry, wanted, [](const Value& v) {
         const auto* t = std::get_if<TablePointer>(&v.data);
         return t == nullptr ? std::nullopt : std::optional(*t);
       })) {
    result.push_back(ConfigTable(t));
  }
  return result;
}

std::string ConfigTable::where(std::string_view key) const {
  const Entry* entry = table_->find(key);
  return fmt::format("{} ({})", table_->path_of(key), entry == nullptr ? table_->file : entry->where);
}

Config Config::from_text(std::string_view text, const std::string& name, const std::vector<std::string>& overrides) {
  Config config;
  config.root_ = config::parse_toml(text, name);
  for (const std::string& o : overrides) config::apply_override(*config.root_, o);
  return config;
}

Config Config::from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  return from_text(read_file(path), path.string(), overrides);
}

ConfigTable Config::root() const { return ConfigTable(root_); }

std::string Config::effective_toml() const { return toml_text(*root_); }

}  // namespace r1
