#include "rollout/sqlite.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace r1::rollout {
namespace {

constexpr int kOpsPerClockLook = 4000;  // well under a millisecond of SQLite's virtual machine
constexpr int kBusyTimeoutMs = 10'000;

std::string mend_for(int code, const std::filesystem::path& path) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return fmt::format(
          "free space on the disk of {} (df -h), then start the run again: it goes on from its last checkpoint",
          path.string());
    case SQLITE_IOERR:
      return "check the disk (dmesg, df -h), then start the run again: it goes on from its last checkpoint";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process is writing to this file: end it, or give this run a folder of its own";
    case SQLITE_CORRUPT:
      return fmt::format("save what can be read: sqlite3 {} .recover | sqlite3 recovered.db", path.string());
    case SQLITE_NOTADB:
      return "name a run's folder, or its rollouts.db";
    case SQLITE_CANTOPEN:
      return "check that the folder exists and that you may read it, and write to it for a run that goes on";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return fmt::format("check the permissions of {} and of its folder", path.string());
    case SQLITE_TOOBIG:
      return "a text or a blob is larger than SQLite takes (1 GB): lower max_new_tokens";
    default:
      return "if this goes on, run r1 doctor and report it with this text";
  }
}

}  // namespace

Sqlite::Sqlite(const std::filesystem::path& path, Mode mode) : path_(path) {
  const bool is_reader = mode == Mode::kReadOnly;
  sqlite3* db = nullptr;
  const int flags =
      (is_reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  handle_.reset(db);  // SQLite gives a handle even when it fails, to carry the reason
  if (result != SQLITE_OK) fail("open");
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  run("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY");
  // A writer has to trust its schema: the full-text index is kept up by triggers.
  if (is_reader) run("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF");
}

void Sqlite::run(const char* sql) {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(std::string_view(sql).substr(0, 60));
}

void Sqlite::set_time_limit(std::chrono::milliseconds limit) {
  clock_->limit = limit;
  start_clock();
  sqlite3_progress_handler(
      handle(), kOpsPerClockLook,
      [](void* state) -> int {
        auto* clock = static_cast<Clock*>(state);
        clock->is_over = std::chrono::steady_clock::now() - clock->began > clock->limit;
        return clock->is_over ? 1 : 0;
      },
      clock_.get());
}

void Sqlite::start_clock() {
  clock_->began = std::chrono::steady_clock::now();
  clock_->is_over = false;
}

void Sqlite::fail(std::string_view doing) const {
  const int code = handle_ ? sqlite3_extended_errcode(handle()) : SQLITE_NOMEM;
  if (clock_->is_over && code == SQLITE_INTERRUPT) {
    throw Error(path_.string(), fmt::format("the query ran for more than {} ms", clock_->limit.count()),
                "ask for less: a range of steps, a smaller limit, or a rarer word");
  }
  const std::string reason = handle_ ? sqlite3_errmsg(handle()) : "out of memory";
  throw Error(path_.string(), fmt::format("cannot {}: {} (SQLite code {})", doing, reason, code),
              mend_for(code, path_));
}

Statement::Statement(Sqlite& db, std::string_view sql) : db_(&db) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int size = static_cast<int>(sql.size());
  if (sqlite3_prepare_v2(db.handle(), sql.data(), size, &statement, &rest) != SQLITE_OK) db.fail("prepare a query");
  handle_.reset(statement);
  const auto more = sql.substr(static_cast<size_t>(rest - sql.data()));
  if (!statement || more.find_first_not_of(" \t\r\n;") != more.npos) {
    throw Error(db.path().string(), "a query must be one statement", "leave out what follows the first semicolon");
  }
}

void Statement::check_bound(int result) {
  if (result != SQLITE_OK) db_->fail("bind a value");
}

Statement& Statement::bind(int index, int64_t value) {
  check_bound(sqlite3_bind_int64(handle_.get(), index, value));
  return *this;
}

Statement& Statement::bind(int index, double value) {
  check_bound(sqlite3_bind_double(handle_.get(), index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  check_bound(sqlite3_bind_text64(handle_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, std::span<const std::byte> blob) {
  const void* data = blob.data() ? static_cast<const void*>(blob.data()) : "";
  check_bound(sqlite3_bind_blob64(handle_.get(), index, data, blob.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(int index, std::nullopt_t) {
  check_bound(sqlite3_bind_null(handle_.get(), index));
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  reset();  // keeps the connection's error code and text
  if (result != SQLITE_DONE) db_->fail("run a query");
  return false;
}

bool Statement::step_if_unique() {
  const int result = sqlite3_step(handle_.get());
  reset();
  if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY) return false;
  if (result != SQLITE_DONE && result != SQLITE_ROW) db_->fail("store a row");
  return true;
}

double Statement::get_double(int column) const {
  return is_null(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(handle_.get(), column);
}

std::string Statement::get_text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (!text) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::optional<double> Statement::find_double(int column) const {
  if (is_null(column)) return {};
  return get_double(column);
}

std::optional<int64_t> Statement::find_int_at(int column) const {
  if (is_null(column)) return {};
  return get_int(column);
}

std::span<const std::byte> Statement::get_blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(handle_.get(), column));
  return {data, data ? static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column)) : 0};
}

Transaction::Transaction(Sqlite& db) : db_(&db) { db.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  // A failed statement may have ended the transaction already (a full disk does), and then there is nothing to undo.
  if (db_ && !sqlite3_get_autocommit(db_->handle())) sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  db_->run("COMMIT");
  db_ = nullptr;
}

}  // namespace r1::rollout
