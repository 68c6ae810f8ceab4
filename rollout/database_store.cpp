#include "rollout/database_store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/kill_point.h"
#include "rollout/schema.h"

namespace r1::rollout {
namespace {

constexpr size_t kStepsOfDraws = 8;    // steps whose draws are remembered: asynchronous steps overlap by fewer
constexpr int64_t kWordMaskBits = 63;  // of an SQLite integer, its sign aside

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

int64_t content_hash(const Prompt& prompt) {
  StreamHash hash;
  for (const std::string* part : {&prompt.text, &prompt.answer, &prompt.metadata_json}) {
    hash.add(fmt::format("{}:", part->size()));
    hash.add(*part);
  }
  hash.add(std::as_bytes(std::span(prompt.token_ids)));
  return static_cast<int64_t>(hash.value());
}

void prepare_file(Sqlite& db, const WriterOptions& options) {
  // 8 KiB pages hold a few completions each; they count only for a file that is made now.
  db.run("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = OFF");
  db.run("PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
  migrate(db);
  if (options.max_pages > 0) db.run(fmt::format("PRAGMA max_page_count = {}", options.max_pages).c_str());
}

}  // namespace

// What add_group() knows of the sample it is storing.
struct RolloutStore::SampleRow {
  const StepKey& step;
  Split split;
  int64_t group_id;
  std::vector<WordEvent> events;
  std::vector<Turn> turns;
  int64_t word_mask = 0;
};

struct RolloutStore::Statements {
  explicit Statements(Sqlite& db)
      : find_stage(db, "SELECT id FROM stages WHERE run_key = ?1 AND name = ?2"),
        add_stage(db, "INSERT INTO stages (run_key, name) VALUES (?1, ?2) RETURNING id"),
        find_step(db, "SELECT id FROM steps WHERE stage_id = ?1 AND step = ?2"),
        add_step(db, "INSERT INTO steps (stage_id, step) VALUES (?1, ?2) RETURNING id"),
        end_step(
            db, "UPDATE steps SET finished_at = ?2, seconds = CASE WHEN ?3 > 0 THEN ?3 ELSE seconds END WHERE id = ?1"),
        add_metric(db, "INSERT OR REPLACE INTO metrics (step_id, name_id, value) VALUES (?1, ?2, ?3)"),
        add_weights(db, "INSERT OR REPLACE INTO weights_versions (step_id, number, hash) VALUES (?1, ?2, ?3)"),
        add_evaluation(db,
                       "INSERT OR REPLACE INTO evaluations (step_id, name, k, value, low, high, num_prompts) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        add_alarm(db,
                  "INSERT OR REPLACE INTO alarms (step_id, kind, subject, value, bound, message) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
        add_lineage(db, "INSERT OR IGNORE INTO lineage (child_kind, child_id, sample_id) VALUES (?1, ?2, ?3)"),
        find_prompt(db, "SELECT id FROM prompts WHERE prompt_id = ?1 AND task = ?2 AND content_hash = ?3"),
        add_prompt(
            db,
            "INSERT INTO prompts (prompt_id, task, content_hash, text, answer, metadata_json, token_ids, num_tokens) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id"),
        find_group(db, "SELECT id FROM groups WHERE step_id = ?1 AND split = ?2 AND prompt_key = ?3 AND draw = ?4"),
        add_group(db, "INSERT INTO groups (id, step_id, split, prompt_key, draw) VALUES (?5, ?1, ?2, ?3, ?4)"),
        drop_group(db, "DELETE FROM groups WHERE id = ?1"),
        add_sample(
            db,
            "INSERT INTO samples (group_id, sample_index, stage_id, step, split, task, num_tokens, finish, verdict, "
            "value, advantage, weights_version, num_turns, word_mask) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"),
        add_completion(db,
                       "INSERT INTO completions (sample_id, text, detail, token_ids, logprobs, sampling_logprobs, "
                       "weights_versions) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        add_part(db,
                 "INSERT INTO score_parts (sample_id, part_id, value) VALUES (?1, ?2, ?3) "
                 "ON CONFLICT (sample_id, part_id) DO UPDATE SET value = value + excluded.value"),
        add_word_event(
            db, "INSERT INTO reflection_events (sample_id, byte_offset, kind, word_id) VALUES (?1, ?2, 'word', ?3)"),
        add_turn(
            db,
            "INSERT OR IGNORE INTO reflection_events (sample_id, byte_offset, kind, word_id, from_answer, to_answer, "
            "from_right, to_right) VALUES (?1, ?2, 'turn', ?3, ?4, ?5, ?6, ?7)"),
        drop_steps(db, "DELETE FROM steps WHERE stage_id = ?1 AND step > ?2") {}

  Statement find_stage, add_stage, find_step, add_step, end_step, add_metric, add_weights, add_evaluation, add_alarm,
      add_lineage;
  Statement find_prompt, add_prompt, find_group, add_group, drop_group, add_sample, add_completion, add_part;
  Statement add_word_event, add_turn, drop_steps;
};

RolloutStore::RolloutStore(const std::filesystem::path& path, const RunInfo& run, const WriterOptions& options)
    : options_(options),
      db_(path, Sqlite::Mode::kReadWrite),
      words_(options.extra_words),
      totals_((prepare_file(db_, options), db_)),
      sql_(std::make_shared<Statements>(db_)) {
  begin();
  const auto started_at = run.started_at.empty() ? utc_now() : run.started_at;
  Statement add_run(db_, R"sql(
INSERT INTO runs (run_id, config_toml, version, started_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (run_id) DO UPDATE SET config_toml = excluded.config_toml, version = excluded.version,
                                   num_sessions = num_sessions + 1
RETURNING id)sql");
  run_key_ = add_run.find_int(run.run_id, run.config_toml, run.version, started_at).value();
  store_words();
  commit();
}

void RolloutStore::store_words() {
  Statement find(db_, "SELECT id FROM words WHERE word = ?1");
  Statement add(db_,
                "INSERT INTO words (id, list, word) SELECT coalesce(max(id) + 1, 0), ?1, ?2 FROM words RETURNING id");
  for (const auto& entry : words_.words()) {
    auto id = find.find_int(entry.word);
    if (!id) id = add.find_int(to_string(entry.list), entry.word);
    word_ids_.push_back(id.value());
  }
  last_sample_with_.assign(word_ids_.size(), -1);
}

void RolloutStore::begin() {
  if (!transaction_) transaction_.emplace(db_);
}

void RolloutStore::commit() {
  if (!transaction_) return;
  totals_.write();
  kill_point("database.before_commit");
  transaction_->commit();
  transaction_.reset();
  samples_in_transaction_ = 0;
  kill_point("database.after_commit");
}

void RolloutStore::commit_and_sync() {
  commit();
  // With synchronous = NORMAL a commit outlives the process but not the machine: the log must be synced for that.
  auto wal = db_.path();
  wal += "-wal";
  if (std::filesystem::exists(wal)) sync_file(wal);
}

int64_t RolloutStore::stage_id(const std::string& stage) {
  const auto known = stage_ids_.find(stage);
  if (known != stage_ids_.end()) return known->second;
  auto id = sql_->find_stage.find_int(run_key_, stage);
  if (!id) id = sql_->add_stage.find_int(run_key_, stage);
  return stage_ids_.emplace(stage, id.value()).first->second;
}

RolloutStore::StepKey RolloutStore::step_key(const std::string& stage, int64_t step) {
  if (last_step_ && last_step_->second.step == step && last_step_->first == stage) return last_step_->second;
  const auto in_stage = stage_id(stage);
  auto id = sql_->find_step.find_int(in_stage, step);
  if (!id) id = sql_->add_step.find_int(in_stage, step);
  last_step_ = {stage, {in_stage, id.value(), step}};
  return last_step_->second;
}

int64_t RolloutStore::name_id(const char* table, std::unordered_map<std::string, int64_t>& known,
                              const std::string& name) {
  const auto at = known.find(name);
  if (at != known.end()) return at->second;
  auto id = Statement(db_, fmt::format("SELECT id FROM {} WHERE name = ?1", table)).find_int(name);
  if (!id) id = Statement(db_, fmt::format("INSERT INTO {} (name) VALUES (?1) RETURNING id", table)).find_int(name);
  return known.emplace(name, id.value()).first->second;
}

int64_t RolloutStore::prompt_key(const Prompt& p) {
  const auto hash = content_hash(p);
  if (const auto known = sql_->find_prompt.find_int(p.id, p.task, hash)) return *known;
  const auto ids = encoder_.encode(p.token_ids);
  return sql_->add_prompt
      .find_int(p.id, p.task, hash, p.text, p.answer, p.metadata_json, std::span(ids),
                static_cast<int64_t>(p.token_ids.size()))
      .value();
}

// A new group's row. One of an earlier process in its place, a part of a step that was cut off, makes way with its
// samples.
int64_t RolloutStore::group_id(const StepKey& step, Split split, int64_t prompt) {
  const auto draw = draws_[{step.step_id, split}][prompt]++;
  if (draws_.size() > kStepsOfDraws) draws_.erase(draws_.begin());
  const auto name = to_string(split);
  if (sql_->add_group.run_if_unique(step.step_id, name, prompt, draw, std::nullopt)) {
    return db_.last_rowid();
  }
  const auto id = sql_->find_group.find_int(step.step_id, name, prompt, draw).value();
  sql_->drop_group.run(id);
  sql_->add_group.run(step.step_id, name, prompt, draw, id);
  totals_.recompute(step.step_id);
  return id;
}

void RolloutStore::add_group(const std::string& stage, int64_t step, Split split, const Group& group) {
  begin();
  const auto key = step_key(stage, step);
  const auto id = group_id(key, split, prompt_key(group.prompt));
  for (size_t i = 0; i < group.samples.size(); ++i) {
    const auto& text = group.samples[i].text;
    SampleRow row{.step = key, .split = split, .group_id = id, .events = words_.find(text), .turns = {}};
    AnswerChecker checker;
    if (options_.checker) checker = [&](const Candidate& c) { return options_.checker(group.prompt, c); };
    row.turns = find_turns(text, words_, row.events, checker);
    std::erase_if(row.events,
                  [&](const auto& e) { return words_.words()[static_cast<size_t>(e.word)].list == WordList::kDrop; });
    add_sample(row, group, i);
  }
}

void RolloutStore::add_sample(SampleRow& row, const Group& group, size_t index) {
  const auto& sample = group.samples[index];
  const Score* score = group.scores.empty() ? nullptr : &group.scores[index];
  for (const auto& event : row.events) {
    const auto id = word_ids_[static_cast<size_t>(event.word)];
    if (id < kWordMaskBits) row.word_mask |= int64_t{1} << id;
  }
  const auto num_tokens = static_cast<int64_t>(sample.token_ids.size());
  const auto num_turns = static_cast<int64_t>(row.turns.size());
  sql_->add_sample.run(row.group_id, sample.index, row.step.stage_id, row.step.step, to_string(row.split),
                       group.prompt.task, num_tokens, to_string(sample.finish),
                       score ? std::optional(to_string(score->verdict)) : std::nullopt,
                       score ? std::optional(score->value) : std::nullopt,
                       group.advantages.empty() ? std::nullopt : std::optional(group.advantages[index]),
                       sample.weights_versions.empty() ? int64_t{0} : int64_t{sample.weights_versions.front()},
                       num_turns, row.word_mask);
  const auto sample_id = db_.last_rowid();
  add_completion(sample_id, sample, score ? std::string_view(score->detail) : std::string_view());
  if (score) {
    for (const auto& [name, value] : score->parts)
      sql_->add_part.run(sample_id, name_id("part_names", part_ids_, name), value);
  }
  add_reflection(sample_id, row);
  ++samples_in_transaction_;

  auto& totals = totals_.of(row.step.step_id, row.split);
  totals.num_samples += 1;
  totals.num_truncated += sample.finish == FinishReason::kLength;
  totals.sum_tokens += num_tokens;
  totals.num_turns += num_turns;
  totals.num_aha += std::count_if(row.turns.begin(), row.turns.end(), [](const Turn& t) { return t.is_aha(); });
  if (!score) return;
  totals.num_scored += 1;
  totals.num_right += score->verdict == Verdict::kRight;
  totals.num_undecided += score->verdict == Verdict::kUndecided;
  if (score->value == score->value) totals.sum_value += score->value;
}

void RolloutStore::add_completion(int64_t sample_id, const Sample& s, std::string_view detail) {
  using Bytes = std::span<const std::byte>;
  const auto as_optional = [](const std::vector<std::byte>& blob, bool is_there) {
    return is_there ? std::optional<Bytes>(blob) : std::nullopt;
  };
  const auto& versions = s.weights_versions;
  const bool is_drawn_alike =
      s.sampling_logprobs.size() == s.logprobs.size() &&
      std::memcmp(s.sampling_logprobs.data(), s.logprobs.data(), s.logprobs.size() * sizeof(float)) == 0;
  const bool is_mixed = std::adjacent_find(versions.begin(), versions.end(), std::not_equal_to<>()) != versions.end();
  const auto ids = encoder_.encode(s.token_ids);
  const auto logprobs = encoder_.encode(s.logprobs);
  const bool has_sampling = !s.sampling_logprobs.empty() && !is_drawn_alike;
  const auto sampling = has_sampling ? encoder_.encode(s.sampling_logprobs) : std::vector<std::byte>();
  const auto mixed = is_mixed ? encoder_.encode(versions) : std::vector<std::byte>();
  sql_->add_completion.run(sample_id, s.text, detail, Bytes(ids), as_optional(logprobs, !s.logprobs.empty()),
                           as_optional(sampling, has_sampling), as_optional(mixed, is_mixed));
}

void RolloutStore::add_reflection(int64_t sample_id, const SampleRow& row) {
  for (const auto& event : row.events) {
    const auto word = static_cast<size_t>(event.word);
    sql_->add_word_event.run(sample_id, static_cast<int64_t>(event.offset), word_ids_[word]);
    auto& totals = totals_.word(row.step.step_id, row.split, word_ids_[word]);
    totals.num_events += 1;
    totals.num_samples += last_sample_with_[word] != sample_id;
    last_sample_with_[word] = sample_id;
  }
  for (const auto& turn : row.turns) {
    sql_->add_turn.run(sample_id, static_cast<int64_t>(turn.offset), word_ids_[static_cast<size_t>(turn.word)],
                       turn.from.answer, turn.to.answer, turn.from_right, turn.to_right);
  }
}

void RolloutStore::add_step(const StepRecord& record) {
  begin();
  const auto key = step_key(record.stage, record.step);
  sql_->end_step.run(key.step_id, utc_now(), record.seconds);
  for (const auto& [name, value] : record.metrics) {
    sql_->add_metric.run(key.step_id, name_id("metric_names", metric_ids_, name), value);
  }
  for (const auto& [phase, seconds] : record.phase_seconds) {
    sql_->add_metric.run(key.step_id, name_id("metric_names", metric_ids_, "seconds/" + phase), seconds);
  }
}

void RolloutStore::add_weights(const std::string& stage, int64_t step, const WeightsVersion& version) {
  begin();
  sql_->add_weights.run(step_key(stage, step).step_id, static_cast<int64_t>(version.number), to_hex(version.hash));
}

void RolloutStore::add_evaluation(const Evaluation& e) {
  begin();
  sql_->add_evaluation.run(step_key(e.stage, e.step).step_id, e.name, e.k, e.value, e.low, e.high, e.num_prompts);
}

void RolloutStore::add_alarms(const std::string& stage, int64_t step, const std::vector<Alarm>& alarms) {
  begin();
  const auto key = step_key(stage, step);
  for (const auto& a : alarms) sql_->add_alarm.run(key.step_id, a.kind, a.subject, a.value, a.limit, a.message);
}

void RolloutStore::add_lineage(const std::string& kind, const std::string& id, const std::vector<int64_t>& sample_ids) {
  begin();
  for (const auto sample_id : sample_ids) sql_->add_lineage.run(kind, id, sample_id);
}

void RolloutStore::truncate_after(const std::string& stage, int64_t step) {
  commit();
  begin();
  sql_->drop_steps.run(stage_id(stage), step);
  last_step_.reset();
  draws_.clear();
  commit_and_sync();
}

RolloutPosition RolloutStore::position(const std::string& stage) {
  Statement count(db_, R"sql(
SELECT max(st.step), count(DISTINCT g.id), count(s.id)
FROM steps st LEFT JOIN groups g ON g.step_id = st.id LEFT JOIN samples s ON s.group_id = g.id
WHERE st.stage_id = ?1)sql");
  begin();  // stage_id() may add the stage
  count.bind_all(stage_id(stage));
  count.step();
  const RolloutPosition position{count.find_int_at(0).value_or(-1), count.get_int(1), count.get_int(2)};
  count.reset();
  commit();
  return position;
}

}  // namespace r1::rollout
