#include "rollout/schema.h"

#include <fmt/format.h>

#include "core/error.h"

namespace r1::rollout {
namespace {

constexpr int64_t kApplicationId = 0x72315231;  // "r1R1": tells `file` and us that an SQLite file is one of ours

int64_t pragma(Sqlite& db, const char* name) {
  return Statement(db, fmt::format("PRAGMA {}", name)).find_int().value_or(0);
}

void check_version(const Sqlite& db, int64_t version, int newest) {
  if (version <= newest) return;
  throw Error(db.path().string(),
              fmt::format("its schema has version {}, and this r1 knows versions up to {}", version, newest),
              "use the r1 that wrote it, or a newer one");
}

void check_ours(Sqlite& db) {
  if (pragma(db, "application_id") == kApplicationId) return;
  throw Error(db.path().string(), "is an SQLite database, but not one of r1's rollout databases",
              "name a run's folder, or its rollouts.db");
}

}  // namespace

void migrate(Sqlite& db, std::span<const Migration> list) {
  const bool is_new = Statement(db, "SELECT count(*) FROM sqlite_master").find_int() == 0;
  if (!is_new) check_ours(db);
  const auto version = pragma(db, "user_version");
  check_version(db, version, list.empty() ? 0 : list.back().number);
  for (const auto& migration : list) {
    if (migration.number <= version) continue;
    Transaction transaction(db);
    db.run(migration.sql);
    db.run(
        fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", migration.number, kApplicationId).c_str());
    transaction.commit();
  }
}

void check_readable(Sqlite& db, std::span<const Migration> list, int oldest) {
  check_ours(db);
  const int newest = list.back().number;
  const auto version = pragma(db, "user_version");
  check_version(db, version, newest);
  if (version < (oldest > 0 ? oldest : newest)) {
    throw Error(db.path().string(),
                fmt::format("its schema has version {}, and this r1 reads version {}", version, newest),
                "open it once for writing: resume the run, or run sqlite3's .backup first to keep the old file");
  }
}

}  // namespace r1::rollout
