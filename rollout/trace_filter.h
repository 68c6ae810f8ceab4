#pragma once
// What to look for among the samples, and its translation into SQL that can only read.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/types.h"
#include "rollout/database.h"
#include "rollout/sqlite.h"

namespace r1::rollout {

enum class TraceSort { kNewest, kOldest, kValue, kAdvantage, kTokens, kTurns };  // all but kOldest: largest first
enum class TraceOrder { kAsNamed, kReversed };

// All conditions must hold; one that is empty holds for every sample.
struct TraceFilter {
  std::string stage;
  std::optional<int64_t> first_step, last_step;
  std::string task, prompt_id;
  std::optional<Split> split;
  std::optional<Verdict> verdict;
  std::optional<FinishReason> finish;
  std::optional<double> min_value, max_value;
  std::optional<int64_t> min_tokens, max_tokens;
  std::optional<int64_t> min_turns;
  std::string word;    // a reflection word that the text must hold
  std::string search;  // words that the text must hold; see full_text_query()
  std::string where;   // an SQL expression over the columns of `samples`, as a user types it: "advantage < -1"
  TraceSort sort = TraceSort::kNewest;
  TraceOrder order = TraceOrder::kAsNamed;
  int64_t limit = 20, offset = 0;
};

// Search words to FTS5's syntax, so that no input is a syntax error: words must all occur; "in quotes" in this order;
// `wait*` begins with; `-word` must not occur; `OR` between two. Any other sign separates words. Throws Error if no
// word is left.
std::string full_text_query(std::string_view typed);

using SqlValue = std::variant<int64_t, double, std::string>;

// `SELECT id ...` with its parameters in order.
struct FilterSql {
  std::string sql;
  std::vector<SqlValue> values;
};

// Ids the caller has looked up, because an unknown name deserves an Error of its own.
struct FilterIds {
  std::optional<int64_t> stage_id, word_id;
};
FilterSql filter_sql(const TraceFilter& filter, const FilterIds& ids);

// While it lives, statements prepared on `db` may only read tables, and call functions that are cheap and harmless.
class ReadOnlyGuard {
 public:
  explicit ReadOnlyGuard(Sqlite& db);
  ~ReadOnlyGuard();
  ReadOnlyGuard(const ReadOnlyGuard&) = delete;
  ReadOnlyGuard& operator=(const ReadOnlyGuard&) = delete;

 private:
  Sqlite* db_;
};

}  // namespace r1::rollout
