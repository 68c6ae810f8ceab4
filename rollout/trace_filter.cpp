#include "rollout/trace_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace r1::rollout {
namespace {

constexpr int64_t kMaxLimit = 1'000'000;
constexpr int64_t kWordMaskBits = 63;

// Functions that a typed expression may call: none that allocates more than its arguments hold, writes, or loads code.
constexpr std::string_view kFunctions[] = {"abs",   "acos",   "avg",   "ceil",  "coalesce", "count",  "exp",  "floor",
                                           "glob",  "ifnull", "iif",   "instr", "length",   "like",   "ln",   "log",
                                           "lower", "ltrim",  "match", "max",   "min",      "nullif", "pow",  "power",
                                           "round", "rtrim",  "sign",  "sqrt",  "substr",   "total",  "trim", "upper"};

// Tables that it may read: ours, and none that SQLite computes on the fly.
constexpr std::string_view kTables[] = {"",
                                        "runs",
                                        "stages",
                                        "steps",
                                        "metric_names",
                                        "metrics",
                                        "weights_versions",
                                        "evaluations",
                                        "prompts",
                                        "groups",
                                        "samples",
                                        "completions",
                                        "completions_fts",
                                        "part_names",
                                        "score_parts",
                                        "words",
                                        "reflection_events",
                                        "step_totals",
                                        "word_totals",
                                        "lineage"};

template <size_t N>
int verdict_of(const std::string_view (&allowed)[N], const char* name) {
  return name && std::find(std::begin(allowed), std::end(allowed), std::string_view(name)) != std::end(allowed)
             ? SQLITE_OK
             : SQLITE_DENY;
}

bool is_searchable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80;
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

struct SearchTerm {
  std::string phrase;  // in FTS5's notation
  bool is_wanted = true;
  bool is_alternative = false;  // to the term before
};

// The next term of `typed` from `i` on, which is moved behind it.
std::string take_word(std::string_view typed, size_t& i) {
  std::string word;
  if (typed[i] == '"') {
    for (++i; i < typed.size() && typed[i] != '"'; ++i) word += typed[i] == '\0' ? ' ' : typed[i];
    if (i < typed.size()) ++i;
    return word;
  }
  for (; i < typed.size() && !is_blank(typed[i]) && typed[i] != '"'; ++i) word += typed[i];
  return word;
}

// Quoted, a phrase has no syntax but its quotes.
std::string quote(std::string_view word, bool is_prefix) { return fmt::format("\"{}\"{}", word, is_prefix ? "*" : ""); }

std::vector<SearchTerm> parse_search(std::string_view typed) {
  std::vector<SearchTerm> terms;
  bool is_alternative = false;
  for (size_t i = 0; i < typed.size();) {
    if (is_blank(typed[i])) {
      ++i;
      continue;
    }
    const bool is_unwanted =
        typed[i] == '-' && i + 1 < typed.size() && (typed[i + 1] == '"' || is_searchable(typed[i + 1]));
    if (is_unwanted) ++i;
    const bool is_quoted = typed[i] == '"';
    auto word = take_word(typed, i);
    if (!is_quoted && word == "OR") {
      is_alternative = !terms.empty();
      continue;
    }
    if (std::none_of(word.begin(), word.end(), is_searchable)) continue;
    const bool is_prefix = !is_quoted && word.ends_with('*') && word.size() > 1 && is_searchable(word[word.size() - 2]);
    if (is_prefix) word.pop_back();
    terms.push_back({quote(word, is_prefix), !is_unwanted, is_alternative && !is_unwanted});
    is_alternative = false;
  }
  return terms;
}

// A WHERE clause in the making.
class Conditions {
 public:
  // `?` in the condition is the value's place.
  void add(std::string condition, SqlValue value) {
    sql_ += (sql_.empty() ? "\nWHERE " : "\n  AND ") + std::move(condition);
    values_.push_back(std::move(value));
  }
  template <typename T>
  void add_if(const std::optional<T>& value, std::string_view condition) {
    if (!value) return;
    if constexpr (std::is_enum_v<T>) {
      add(std::string(condition), std::string(to_string(*value)));
    } else {
      add(std::string(condition), *value);
    }
  }
  void add_if(const std::string& value, std::string_view condition) {
    if (!value.empty()) add(std::string(condition), value);
  }
  void add_typed(const std::string& expression) {
    // A line of its own, so that a comment in it ends there.
    sql_ += fmt::format("{}(\n{}\n)", sql_.empty() ? "\nWHERE " : "\n  AND ", expression);
  }
  std::string sql_;
  std::vector<SqlValue> values_;
};

// A unary plus keeps SQLite from walking the index on step for a range that may well be the whole table: reading the
// narrow table in its own order is several times faster then.
void add_steps(Conditions& where, const TraceFilter& f) {
  const bool is_narrow = f.first_step && f.last_step && *f.last_step - *f.first_step < 16;
  const std::string_view column = is_narrow ? "s.step" : "+s.step";
  if (f.first_step) where.add(fmt::format("{} >= ?", column), *f.first_step);
  if (f.last_step) where.add(fmt::format("{} <= ?", column), *f.last_step);
}

std::string_view sort_column(TraceSort sort) {
  switch (sort) {
    case TraceSort::kValue:
      return "s.value";
    case TraceSort::kAdvantage:
      return "s.advantage";
    case TraceSort::kTokens:
      return "s.num_tokens";
    case TraceSort::kTurns:
      return "s.num_turns";
    default:
      return "";
  }
}

std::string order_by(const TraceFilter& f, std::string_view id) {
  const bool is_reversed = f.order == TraceOrder::kReversed;
  const auto column = sort_column(f.sort);
  if (column.empty()) {
    const bool newest_first = (f.sort == TraceSort::kNewest) != is_reversed;
    return fmt::format("\nORDER BY {} {}", id, newest_first ? "DESC" : "ASC");
  }
  return fmt::format("\nORDER BY {} {} NULLS LAST, {} DESC", column, is_reversed ? "ASC" : "DESC", id);
}

}  // namespace

std::string full_text_query(std::string_view typed) {
  std::string wanted, unwanted;
  for (const auto& term : parse_search(typed)) {
    auto& list = term.is_wanted ? wanted : unwanted;
    if (list.empty()) {
      list = "(" + term.phrase;
    } else {
      list += (!term.is_wanted || term.is_alternative ? " OR " : ") AND (") + term.phrase;
    }
  }
  if (wanted.empty()) {
    throw Error("search", fmt::format("'{}' holds no word to look for", typed.substr(0, 80)),
                "give at least one word with letters or digits that must occur");
  }
  return unwanted.empty() ? wanted + ")" : fmt::format("({})) NOT {})", wanted, unwanted);
}

FilterSql filter_sql(const TraceFilter& f, const FilterIds& ids) {
  if (f.limit < 1 || f.limit > kMaxLimit || f.offset < 0) {
    throw Error("limit",
                fmt::format("limit {} and offset {}: a limit lies in 1..{}, an offset is 0 or more", f.limit, f.offset,
                            kMaxLimit),
                "use --limit 20");
  }
  Conditions where;
  const bool is_search = !f.search.empty();
  if (is_search) where.add("completions_fts MATCH ?", full_text_query(f.search));
  where.add_if(f.prompt_id,
               "s.group_id IN (SELECT g.id FROM prompts p JOIN groups g ON g.prompt_key = p.id WHERE p.prompt_id = ?)");
  // The conditions that most samples fail come first.
  where.add_if(f.min_turns, "s.num_turns >= ?");
  if (ids.word_id) {
    const bool is_masked = *ids.word_id < kWordMaskBits;
    where.add(is_masked ? "s.word_mask & ? <> 0"
                        : "s.id IN (SELECT sample_id FROM reflection_events WHERE kind = 'word' AND word_id = ?)",
              is_masked ? int64_t{1} << *ids.word_id : *ids.word_id);
  }
  where.add_if(f.verdict, "s.verdict = ?");
  where.add_if(f.finish, "s.finish = ?");
  where.add_if(f.min_value, "s.value >= ?");
  where.add_if(f.max_value, "s.value <= ?");
  where.add_if(f.min_tokens, "s.num_tokens >= ?");
  where.add_if(f.max_tokens, "s.num_tokens <= ?");
  where.add_if(f.task, "s.task = ?");
  where.add_if(f.split, "s.split = ?");
  where.add_if(ids.stage_id, "s.stage_id = ?");
  add_steps(where, f);
  if (!f.where.empty()) where.add_typed(f.where);
  // CROSS JOIN fixes the order: the full-text index gives ids in order, and each is looked up in samples.
  const auto from = is_search ? "SELECT s.id\nFROM completions_fts f CROSS JOIN samples s ON s.id = f.rowid"
                              : "SELECT s.id\nFROM samples s";
  auto sql = from + where.sql_ + order_by(f, is_search ? "f.rowid" : "s.id") + "\nLIMIT ? OFFSET ?";
  where.values_.emplace_back(f.limit);
  where.values_.emplace_back(f.offset);
  return {std::move(sql), std::move(where.values_)};
}

ReadOnlyGuard::ReadOnlyGuard(Sqlite& db) : db_(&db) {
  sqlite3_set_authorizer(
      db.handle(),
      [](void*, int action, const char* table, const char* function, const char*, const char*) -> int {
        if (action == SQLITE_SELECT) return SQLITE_OK;
        if (action == SQLITE_READ) return verdict_of(kTables, table);
        return action == SQLITE_FUNCTION ? verdict_of(kFunctions, function) : SQLITE_DENY;
      },
      nullptr);
}

ReadOnlyGuard::~ReadOnlyGuard() { sqlite3_set_authorizer(db_->handle(), nullptr, nullptr); }

}  // namespace r1::rollout
