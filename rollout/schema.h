#pragma once
// The rollout database's tables, as numbered migrations. docs/rollout_db.md explains the schema to its users.

#include <span>
#include <string_view>

#include "rollout/sqlite.h"

namespace r1::rollout {

// SQL that takes a database from user_version number - 1 to number. Once released it is never edited: a change of the
// schema is a new migration.
struct Migration {
  int number;
  std::string_view name;
  const char* sql;
};

// In order from 1.
std::span<const Migration> migrations();

// Applies what `db` has not seen, each migration in a transaction of its own with its user_version. Throws Error if the
// file is of a newer r1, or is an SQLite database of another program.
void migrate(Sqlite& db, std::span<const Migration> list = migrations());

// The oldest user_version that readers manage with: what later migrations added is then not there.
inline constexpr int kOldestReadable = 1;

// Throws Error unless `db` is a rollout database whose schema this program can read: of a version from `oldest` (0: the
// newest alone) to the newest.
void check_readable(Sqlite& db, std::span<const Migration> list = migrations(), int oldest = 0);

}  // namespace r1::rollout
