#pragma once
// Settings as a tree that remembers where each key stands and whether anybody asked for it. Internal to config*.cpp.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace r1::config {

struct Table;
struct Value;

using Array = std::vector<Value>;
using TablePointer = std::shared_ptr<Table>;  // shared with the ConfigTable handles that point to it

// A date or a time: no setting of ours is one, so its text is enough.
struct Date {
  std::string text;
};

struct Value {
  std::variant<bool, int64_t, double, std::string, Date, Array, TablePointer> data;
};

enum class Origin {
  kGiven,    // in the file, or by an override
  kDefault,  // named by a reader, absent otherwise
  kKnown,    // asked for without a default; it has no value
};

struct Entry {
  std::string key;
  Value value;
  std::string where;  // "recipe.toml:12:3", "--set rl.steps", or the file's name for a default
  Origin origin = Origin::kGiven;
  bool is_asked = false;
};

struct Table {
  std::string path;  // dotted, for error texts: "rl.loss", "tasks.0"; empty for the root
  std::string file;
  std::vector<Entry> entries;  // in the file's order, then in the order of asking

  // Null if there is no such key.
  Entry* find(std::string_view key);
  // "rl.loss" + "clip_eps" -> "rl.loss.clip_eps", with quotes where TOML needs them.
  std::string path_of(std::string_view key) const;
};

// "a string", "an integer", ... and, for a scalar, its value.
std::string describe(const Value& value);

// config_parse.cpp. Throws Error with file:line:column.
TablePointer parse_toml(std::string_view text, const std::string& name);
// Puts "dotted.key=VALUE" into the tree.
void apply_override(Table& root, const std::string& text);

// config_print.cpp. A key or value as TOML.
std::string key_text(std::string_view key);
std::string value_text(const Value& value);
// The tree as TOML, without what has no value.
std::string toml_text(const Table& root);

}  // namespace r1::config
