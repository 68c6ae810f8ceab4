#pragma once
// SQLite handles that close themselves, and its result codes as r1::Error.

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace r1::rollout {

// One connection. Not thread-safe: a connection belongs to one thread at a time.
class Sqlite {
 public:
  enum class Mode {
    kReadWrite,  // made if it is not there
    kReadOnly,   // SQLITE_OPEN_READONLY and query_only: nothing that runs on it can write
  };
  Sqlite(const std::filesystem::path& path, Mode mode);

  // Runs statements that give no rows worth having.
  void run(const char* sql);

  // Ends a statement that runs for longer than this with an Error; counted from the next call of start_clock().
  void set_time_limit(std::chrono::milliseconds limit);
  void start_clock();

  // Throws the Error for the connection's last failure. `doing` opens its text: "store a group".
  [[noreturn]] void fail(std::string_view doing) const;

  // Of the row inserted last, triggers aside.
  int64_t last_rowid() const { return sqlite3_last_insert_rowid(handle()); }

  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  struct Clock {
    std::chrono::milliseconds limit{0};
    std::chrono::steady_clock::time_point began;
    bool is_over = false;
  };
  std::filesystem::path path_;
  std::unique_ptr<Clock> clock_ = std::make_unique<Clock>();  // its address is the progress handler's
  std::unique_ptr<sqlite3, Close> handle_;
};

// One prepared statement. Text and blobs are bound without a copy: they must live until the statement has run.
class Statement {
 public:
  Statement(Sqlite& db, std::string_view sql);

  Statement& bind(int index, int64_t value);
  Statement& bind(int index, int value) { return bind(index, static_cast<int64_t>(value)); }
  Statement& bind(int index, double value);  // NaN is stored as NULL
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, std::span<const std::byte> blob);
  Statement& bind(int index, std::nullopt_t);
  template <typename T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind(index, std::nullopt);
  }

  // Binds the arguments in order from ?1.
  template <typename... Args>
  Statement& bind_all(const Args&... args) {
    int index = 0;
    (bind(++index, args), ...);
    return *this;
  }

  // True while there is a row. After the last row, or an Error, the statement is ready to be bound again.
  bool step();
  // Binds, runs to the end, drops any rows.
  template <typename... Args>
  void run(const Args&... args) {
    bind_all(args...);
    while (step()) {
    }
  }
  // As run(), but false if a UNIQUE constraint or primary key is in the way.
  template <typename... Args>
  bool run_if_unique(const Args&... args) {
    bind_all(args...);
    return step_if_unique();
  }
  // Binds, and gives column 0 of the first row, if there is one.
  template <typename... Args>
  std::optional<int64_t> find_int(const Args&... args) {
    bind_all(args...);
    std::optional<int64_t> found;
    if (step()) found = get_int(0);
    reset();
    return found;
  }
  void reset() { sqlite3_reset(handle_.get()); }

  bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  int64_t get_int(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  double get_double(int column) const;  // NULL is NaN
  std::string get_text(int column) const;
  std::optional<double> find_double(int column) const;
  std::optional<int64_t> find_int_at(int column) const;
  // Valid until the next step() or reset().
  std::span<const std::byte> get_blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  bool step_if_unique();
  void check_bound(int result);
  Sqlite* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// BEGIN IMMEDIATE now; rolled back unless commit() is called.
class Transaction {
 public:
  explicit Transaction(Sqlite& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Sqlite* db_;
};

}  // namespace r1::rollout
