// The part of trace_query.h that reads groups and samples.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/config.h"
#include "core/error.h"
#include "core/log.h"
#include "rollout/blob.h"
#include "rollout/trace_query.h"

namespace r1::rollout {
namespace {

constexpr int kSnippetTokens = 24;  // FTS5 gives at most 64
constexpr size_t kBeginningBytes = 200;

Split split_of(std::string_view text) { return text == "train" ? Split::kTrain : Split::kEval; }

FinishReason finish_of(std::string_view text) {
  return text == "stop" ? FinishReason::kStop : text == "length" ? FinishReason::kLength : FinishReason::kCancelled;
}

std::optional<Verdict> verdict_of(std::string_view text) {
  if (text.empty()) return {};
  return text == "right" ? Verdict::kRight : text == "wrong" ? Verdict::kWrong : Verdict::kUndecided;
}

std::optional<bool> claim_at(const Statement& row, int column) {
  if (row.is_null(column)) return {};
  return row.get_int(column) != 0;
}

// Sums over a group's samples; turns from wrong to right are not counted here.
constexpr std::string_view kGroupRows = R"sql(
SELECT g.id, sg.name, st.step, g.split, p.prompt_id, p.task, p.text, count(s.id), count(s.verdict),
       count(*) FILTER (WHERE s.verdict = 'right'), count(*) FILTER (WHERE s.verdict = 'undecided'),
       count(*) FILTER (WHERE s.finish = 'length'), total(s.num_tokens), total(s.value), total(s.num_turns)
FROM groups g JOIN steps st ON st.id = g.step_id JOIN stages sg ON sg.id = st.stage_id
JOIN prompts p ON p.id = g.prompt_key LEFT JOIN samples s ON s.group_id = g.id)sql";

std::vector<GroupRow> read_groups(Statement& query) {
  std::vector<GroupRow> groups;
  while (query.step()) {
    auto& g = groups.emplace_back(GroupRow{.group_id = query.get_int(0),
                                           .stage = query.get_text(1),
                                           .step = query.get_int(2),
                                           .split = split_of(query.get_text(3)),
                                           .prompt_id = query.get_text(4),
                                           .task = query.get_text(5),
                                           .prompt_text = query.get_text(6)});
    g.sums = {.num_samples = query.get_int(7),
              .num_scored = query.get_int(8),
              .num_right = query.get_int(9),
              .num_undecided = query.get_int(10),
              .num_truncated = query.get_int(11),
              .sum_tokens = query.get_int(12),
              .sum_value = query.get_double(13),
              .num_turns = query.get_int(14)};
  }
  return groups;
}

// Cuts between characters, not within one.
std::string beginning_of(std::string text) {
  if (text.size() <= kBeginningBytes) return text;
  size_t end = kBeginningBytes;
  while (end > kBeginningBytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

void bind_values(Statement& query, const std::vector<SqlValue>& values) {
  int index = 0;
  for (const auto& value : values) std::visit([&](const auto& v) { query.bind(++index, v); }, value);
}

int64_t word_id_of(Sqlite& db, const std::string& word) {
  std::vector<std::string> known;
  Statement query(db, "SELECT id, word FROM words WHERE list <> 'drop' ORDER BY id");
  while (query.step()) {
    if (query.get_text(1) == word) return query.get_int(0);
    known.push_back(log::printable(query.get_text(1)));
  }
  const auto near = nearest(word, known);
  throw Error(
      "reflection word",
      fmt::format("'{}' is not among those that were counted: {}", log::printable(word), fmt::join(known, ", ")),
      near ? fmt::format("did you mean '{}'?", *near) : "pass one of these, or use --search for any text");
}

}  // namespace

std::vector<GroupRow> TraceReader::groups_of_step(const std::string& stage, int64_t step) {
  db_.start_clock();
  const auto name = resolve_stage(stage);
  const auto id = stage_id(name).value();
  Statement last(db_, "SELECT max(step) FROM steps WHERE stage_id = ?1");
  Statement known(db_, "SELECT 1 FROM steps WHERE stage_id = ?1 AND step = ?2");
  if (!known.find_int(id, step)) {
    const auto newest = last.find_int(id).value_or(0);
    throw Error(path().string(),
                fmt::format("stage '{}' has no step {}: its last one is {}", log::printable(name), step, newest),
                fmt::format("pass --step {}, or leave --step out for an overview", newest));
  }
  Statement query(db_,
                  fmt::format("{} WHERE st.stage_id = ?1 AND st.step = ?2 GROUP BY g.id ORDER BY g.id", kGroupRows));
  query.bind_all(id, step);
  return read_groups(query);
}

std::vector<GroupRow> TraceReader::groups_of_prompt(const std::string& prompt_id, int64_t limit) {
  db_.start_clock();
  Statement query(db_, fmt::format("{} WHERE p.prompt_id = ?1 GROUP BY g.id ORDER BY g.id LIMIT ?2", kGroupRows));
  query.bind_all(prompt_id, limit);
  auto groups = read_groups(query);
  if (!groups.empty()) return groups;
  Statement some(db_, "SELECT prompt_id FROM prompts ORDER BY id DESC LIMIT 1");
  const auto example = some.step() ? fmt::format("pass a prompt's id, such as '{}'; --step N lists them",
                                                 log::printable(some.get_text(0)))
                                   : std::string("wait for the run's first step");
  throw Error(path().string(), fmt::format("no prompt has the id '{}'", log::printable(prompt_id)), example);
}

Prompt TraceReader::prompt_of_group(int64_t group_id) {
  Statement query(db_, R"sql(
SELECT p.prompt_id, p.task, p.text, p.answer, p.metadata_json, p.token_ids, p.num_tokens
FROM groups g JOIN prompts p ON p.id = g.prompt_key WHERE g.id = ?1)sql");
  query.bind_all(group_id);
  if (!query.step()) {
    throw Error(path().string(), fmt::format("there is no group {}", group_id), "--step N lists the groups of a step");
  }
  Prompt prompt{.id = query.get_text(0),
                .task = query.get_text(1),
                .token_ids = {},
                .text = query.get_text(2),
                .answer = query.get_text(3),
                .metadata_json = query.get_text(4)};
  prompt.token_ids = decode_ints(query.get_blob(5), query.get_int(6), path().string());
  return prompt;
}

GroupDetail TraceReader::group(int64_t group_id) {
  db_.start_clock();
  GroupDetail detail{.row = {}, .prompt = prompt_of_group(group_id), .samples = {}};
  Statement query(db_, fmt::format("{} WHERE g.id = ?1 GROUP BY g.id", kGroupRows));
  query.bind_all(group_id);
  detail.row = read_groups(query).at(0);
  std::vector<int64_t> ids;
  Statement members(db_, "SELECT id FROM samples WHERE group_id = ?1 ORDER BY sample_index");
  members.bind_all(group_id);
  while (members.step()) ids.push_back(members.get_int(0));
  for (const auto id : ids) detail.samples.push_back(sample(id));
  return detail;
}

SampleRow TraceReader::sample_row(int64_t sample_id) {
  Statement query(db_, R"sql(
SELECT s.group_id, sg.name, s.step, s.split, p.prompt_id, s.task, s.sample_index, s.num_tokens, s.finish, s.verdict,
       s.value, s.advantage, s.weights_version, s.num_turns
FROM samples s JOIN groups g ON g.id = s.group_id JOIN prompts p ON p.id = g.prompt_key
JOIN stages sg ON sg.id = s.stage_id WHERE s.id = ?1)sql");
  query.bind_all(sample_id);
  if (!query.step()) {
    const auto last = Statement(db_, "SELECT max(id) FROM samples").find_int().value_or(0);
    throw Error(path().string(), fmt::format("there is no sample {}: ids run up to {}", sample_id, last),
                "--step N --group PROMPT_ID lists the samples of a group with their ids");
  }
  return {.sample_id = sample_id,
          .group_id = query.get_int(0),
          .stage = query.get_text(1),
          .step = query.get_int(2),
          .split = split_of(query.get_text(3)),
          .prompt_id = query.get_text(4),
          .task = query.get_text(5),
          .index = static_cast<int>(query.get_int(6)),
          .num_tokens = query.get_int(7),
          .finish = finish_of(query.get_text(8)),
          .verdict = verdict_of(query.get_text(9)),
          .value = query.find_double(10),
          .advantage = query.find_double(11),
          .weights_version = query.get_int(12),
          .num_turns = query.get_int(13)};
}

SampleDetail TraceReader::sample(int64_t sample_id) {
  db_.start_clock();
  SampleDetail detail{.row = sample_row(sample_id)};
  read_completion(detail);
  Statement parts(db_, R"sql(
SELECT n.name, p.value FROM score_parts p JOIN part_names n ON n.id = p.part_id WHERE p.sample_id = ?1 ORDER BY p.part_id)sql");
  parts.bind_all(sample_id);
  while (parts.step()) detail.parts.emplace_back(parts.get_text(0), parts.get_double(1));
  Statement events(db_, R"sql(
SELECT e.byte_offset, w.word, e.kind, e.from_answer, e.to_answer, e.from_right, e.to_right
FROM reflection_events e JOIN words w ON w.id = e.word_id WHERE e.sample_id = ?1 ORDER BY e.byte_offset, e.kind, w.id)sql");
  events.bind_all(sample_id);
  while (events.step()) {
    detail.events.push_back({events.get_int(0), events.get_text(1), events.get_text(2) == "turn", events.get_text(3),
                             events.get_text(4), claim_at(events, 5), claim_at(events, 6)});
  }
  Statement children(db_,
                     "SELECT child_kind, child_id FROM lineage WHERE sample_id = ?1 ORDER BY child_kind, child_id");
  children.bind_all(sample_id);
  while (children.step()) detail.children.emplace_back(children.get_text(0), children.get_text(1));
  return detail;
}

void TraceReader::read_completion(SampleDetail& detail) {
  Statement query(db_, R"sql(
SELECT text, detail, token_ids, logprobs, sampling_logprobs, weights_versions FROM completions WHERE sample_id = ?1)sql");
  const auto& row = detail.row;
  const auto where = fmt::format("{}: sample {}", path().string(), row.sample_id);
  query.bind_all(row.sample_id);
  if (!query.step())
    throw Error(where, "its text is missing", "check the file: sqlite3 rollouts.db 'PRAGMA integrity_check'");
  auto& s = detail.sample;
  s.prompt_id = row.prompt_id;
  s.index = row.index;
  s.finish = row.finish;
  s.text = query.get_text(0);
  detail.detail = query.get_text(1);
  s.token_ids = decode_ints(query.get_blob(2), row.num_tokens, where);
  if (!query.is_null(3)) s.logprobs = decode_floats(query.get_blob(3), row.num_tokens, where);
  s.sampling_logprobs = query.is_null(4) ? s.logprobs : decode_floats(query.get_blob(4), row.num_tokens, where);
  if (query.is_null(5)) {
    s.weights_versions.assign(s.token_ids.size(), static_cast<uint32_t>(row.weights_version));
  } else {
    s.weights_versions = decode_uints(query.get_blob(5), row.num_tokens, where);
  }
}

std::vector<int64_t> TraceReader::find_ids(const TraceFilter& f) {
  FilterIds known;
  if (!f.stage.empty()) known.stage_id = known_stage_id(f.stage);
  if (!f.word.empty()) known.word_id = word_id_of(db_, f.word);
  const auto [sql, values] = filter_sql(f, known);
  std::optional<Statement> query;
  if (f.where.empty()) {
    query.emplace(db_, sql);
  } else {
    const ReadOnlyGuard guard(db_);
    query.emplace(db_, sql);
    db_.set_time_limit(options_.where_time_limit);
  }
  bind_values(*query, values);
  std::vector<int64_t> ids;
  while (query->step()) ids.push_back(query->get_int(0));
  return ids;
}

std::vector<Hit> TraceReader::filter(const TraceFilter& f) {
  db_.set_time_limit(options_.time_limit);
  const auto ids = find_ids(f);
  db_.set_time_limit(options_.time_limit);
  std::vector<Hit> hits;
  std::optional<Statement> snippet;
  if (!f.search.empty()) {
    snippet.emplace(
        db_, fmt::format("SELECT snippet(completions_fts, 0, char({}), char({}), '...', {}) FROM completions_fts "
                         "WHERE completions_fts MATCH ?1 AND rowid = ?2",
                         int{kHitBegin}, int{kHitEnd}, kSnippetTokens));
  }
  Statement text(db_, "SELECT substr(text, 1, 400) FROM completions WHERE sample_id = ?1");
  const auto match = f.search.empty() ? std::string() : full_text_query(f.search);
  for (const auto id : ids) {
    auto& query = snippet ? *snippet : text;
    if (snippet) {
      query.bind_all(match, id);
    } else {
      query.bind_all(id);
    }
    const bool is_there = query.step();
    hits.push_back({sample_row(id), is_there ? query.get_text(0) : std::string()});
    query.reset();
    if (!snippet) hits.back().snippet = beginning_of(std::move(hits.back().snippet));
  }
  return hits;
}

}  // namespace r1::rollout
