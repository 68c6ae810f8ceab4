#pragma once
// TOML 1.0 settings: every key must be asked for, or it is an error that names file:line:column and the nearest known
// key.
//
//   Config config = Config::from_file("configs/quickstart.toml", {"rl.steps=50"});
//   ConfigTable rl = config.table("rl");
//   settings.steps = rl.get_int("steps", settings.steps);     // default if absent
//   settings.group_size = rl.get_int("group_size", settings.group_size);
//   config.check_all_used();                                  // throws for the first key nobody asked for
//
// A component reads its own table: `RlConfig read_rl_config(ConfigTable)`.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1 {

namespace config {
struct Table;
}

// A handle on one table of a Config; copies share it. Not for several threads at once: asking is recorded.
class ConfigTable {
 public:
  // An empty table: every setting has its default.
  ConfigTable();

  // Value of `key` in this table, or `fallback`. A value of another type throws Error with file:line:column, the type
  // found and the type wanted. get_double takes integers too.
  int64_t get_int(std::string_view key, int64_t fallback) const;
  double get_double(std::string_view key, double fallback) const;
  bool get_bool(std::string_view key, bool fallback) const;
  std::string get_string(std::string_view key, const std::string& fallback) const;
  std::vector<std::string> get_strings(std::string_view key, const std::vector<std::string>& fallback) const;
  std::vector<double> get_doubles(std::string_view key, const std::vector<double>& fallback) const;
  // A string that must be one of `allowed`; the error lists them and names the nearest.
  std::string get_choice(std::string_view key, const std::string& fallback,
                         const std::vector<std::string>& allowed) const;

  // Throws Error if `key` is absent.
  std::string require_string(std::string_view key) const;

  // Counts as asking for the key, but not for the keys inside it.
  bool has(std::string_view key) const;
  // Sub-table; an empty one if absent.
  ConfigTable table(std::string_view key) const;
  // Array of tables ([[key]]); empty if absent.
  std::vector<ConfigTable> tables(std::string_view key) const;
  // Full dotted name of a key, as error texts print it: "rl.loss.clip_eps (recipe.toml:12:3)".
  std::string where(std::string_view key) const;

 private:
  friend class Config;
  explicit ConfigTable(std::shared_ptr<config::Table> table);
  std::shared_ptr<config::Table> table_;
};

class Config {
 public:
  // `overrides`: "dotted.key=VALUE" with VALUE in TOML, or a bare word taken as a string. tasks.0.weight=2 sets a key
  // of the first [[tasks]].
  static Config from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});
  static Config from_text(std::string_view text, const std::string& name,
                          const std::vector<std::string>& overrides = {});

  ConfigTable root() const;
  ConfigTable table(std::string_view key) const { return root().table(key); }

  // Throws Error for the first key that no reader has asked for, naming the nearest key that was.
  void check_all_used() const;

  // The settings in force: file, overrides, and every default that a reader named, as TOML that from_text() reads back.
  std::string effective_toml() const;

 private:
  std::shared_ptr<config::Table> root_;
};

// The entry of `known` nearest to `word` by edit distance, if near enough to be a slip of the finger.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace r1
