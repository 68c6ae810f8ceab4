#include "rollout/trace_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "rollout/schema.h"

namespace r1::rollout {
namespace {

std::filesystem::path database_of(const std::filesystem::path& run) {
  const auto file = std::filesystem::is_directory(run) ? run / kRolloutsFile : run;
  if (std::filesystem::is_regular_file(file)) return file;
  throw Error(run.string(), fmt::format("there is no rollout database at {}", file.string()),
              "name a run's folder, or its rollouts.db; a run makes it at its first step");
}

// Columns first.. of a row of step_totals, or of sums of such rows.
SampleSums sums_at(const Statement& row, int first) {
  SampleSums s;
  s.num_samples = row.get_int(first);
  s.num_scored = row.get_int(first + 1);
  s.num_right = row.get_int(first + 2);
  s.num_undecided = row.get_int(first + 3);
  s.num_truncated = row.get_int(first + 4);
  s.sum_tokens = row.get_int(first + 5);
  if (!row.is_null(first + 6)) s.sum_value = row.get_double(first + 6);
  s.num_turns = row.get_int(first + 7);
  s.num_aha = row.get_int(first + 8);
  return s;
}

}  // namespace

double SampleSums::ratio(double sum, int64_t count) {
  return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

void SampleSums::add(const SampleSums& other) {
  num_samples += other.num_samples;
  num_scored += other.num_scored;
  num_right += other.num_right;
  num_undecided += other.num_undecided;
  num_truncated += other.num_truncated;
  sum_tokens += other.sum_tokens;
  sum_value += other.sum_value;
  num_turns += other.num_turns;
  num_aha += other.num_aha;
}

TraceReader::TraceReader(const std::filesystem::path& run, const ReaderOptions& options)
    : options_(options), db_(database_of(run), Sqlite::Mode::kReadOnly) {
  db_.run("PRAGMA cache_size = -131072");
  check_readable(db_, migrations(), kOldestReadable);
  db_.set_time_limit(options_.time_limit);
}

std::vector<RunRow> TraceReader::runs() {
  db_.start_clock();
  Statement query(db_, "SELECT id, run_id, version, started_at, config_toml, num_sessions FROM runs ORDER BY id");
  std::vector<RunRow> runs;
  while (query.step()) {
    runs.push_back({query.get_text(1), query.get_text(2), query.get_text(3), query.get_text(4), query.get_int(5),
                    stages(query.get_int(0))});
  }
  return runs;
}

std::vector<StageRow> TraceReader::stages(int64_t run_key) {
  Statement query(db_, R"sql(
SELECT sg.name, min(st.step), max(st.step), total(st.seconds), sg.id
FROM stages sg LEFT JOIN steps st ON st.stage_id = sg.id
WHERE sg.run_key = ?1 GROUP BY sg.id ORDER BY sg.id)sql");
  Statement totals(db_, R"sql(
SELECT sum(num_samples), sum(num_scored), sum(num_right), sum(num_undecided), sum(num_truncated), sum(sum_tokens),
       sum(sum_value), sum(num_turns), sum(num_aha)
FROM steps st JOIN step_totals t ON t.step_id = st.id
WHERE st.stage_id = ?1 AND t.split = ?2)sql");
  std::vector<StageRow> stages;
  query.bind_all(run_key);
  while (query.step()) {
    auto& stage = stages.emplace_back(StageRow{.name = query.get_text(0),
                                               .first_step = query.find_int_at(1).value_or(-1),
                                               .last_step = query.find_int_at(2).value_or(-1),
                                               .seconds = query.get_double(3)});
    for (const auto split : {Split::kTrain, Split::kEval}) {
      totals.bind_all(query.get_int(4), to_string(split));
      if (totals.step()) (split == Split::kTrain ? stage.train : stage.eval) = sums_at(totals, 0);
      totals.reset();
    }
  }
  return stages;
}

std::optional<int64_t> TraceReader::stage_id(const std::string& stage) {
  return Statement(db_, "SELECT id FROM stages WHERE name = ?1 ORDER BY id DESC").find_int(stage);
}

int64_t TraceReader::known_stage_id(const std::string& stage) { return stage_id(resolve_stage(stage)).value(); }

std::string TraceReader::resolve_stage(const std::string& stage) {
  if (!stage.empty() && stage_id(stage)) return stage;
  std::vector<std::string> names;
  Statement query(db_, "SELECT name FROM stages ORDER BY id");
  while (query.step()) names.push_back(log::printable(query.get_text(0)));
  if (names.empty()) {
    throw Error(path().string(), "holds no stage yet", "wait for the run's first step, or name another run");
  }
  if (!stage.empty()) {
    throw Error(path().string(),
                fmt::format("no stage '{}': there are {}", log::printable(stage), fmt::join(names, ", ")),
                fmt::format("pass --stage {}, or leave --stage out for the latest", names.back()));
  }
  Statement latest(db_, R"sql(
SELECT sg.name FROM stages sg JOIN steps st ON st.stage_id = sg.id
ORDER BY EXISTS (SELECT 1 FROM groups g WHERE g.step_id = st.id) DESC, st.id DESC LIMIT 1)sql");
  if (latest.step()) return latest.get_text(0);
  throw Error(path().string(), "holds no step yet", "wait for the run's first step, or name another run");
}

std::vector<StepRow> TraceReader::steps(const std::string& stage, int64_t first, int64_t last) {
  db_.start_clock();
  const auto id = known_stage_id(stage);
  Statement query(db_, R"sql(
SELECT st.step, st.finished_at, st.seconds, t.split, t.num_samples, t.num_scored, t.num_right, t.num_undecided,
       t.num_truncated, t.sum_tokens, t.sum_value, t.num_turns, t.num_aha
FROM steps st LEFT JOIN step_totals t ON t.step_id = st.id
WHERE st.stage_id = ?1 AND st.step BETWEEN ?2 AND ?3 ORDER BY st.step)sql");
  query.bind_all(id, first, last);
  std::vector<StepRow> steps;
  while (query.step()) {
    if (steps.empty() || steps.back().step != query.get_int(0)) {
      steps.push_back({.step = query.get_int(0), .finished_at = query.get_text(1), .seconds = query.find_double(2)});
    }
    if (query.is_null(3)) continue;
    (query.get_text(3) == "train" ? steps.back().train : steps.back().eval) = sums_at(query, 4);
  }
  add_metrics(id, steps);
  return steps;
}

void TraceReader::add_metrics(int64_t stage_id, std::vector<StepRow>& steps) {
  if (steps.empty()) return;
  Statement query(db_, R"sql(
SELECT st.step, n.name, m.value
FROM steps st JOIN metrics m ON m.step_id = st.id JOIN metric_names n ON n.id = m.name_id
WHERE st.stage_id = ?1 AND st.step BETWEEN ?2 AND ?3 ORDER BY st.step)sql");
  query.bind_all(stage_id, steps.front().step, steps.back().step);
  size_t at = 0;
  while (query.step()) {
    while (steps[at].step < query.get_int(0) && at + 1 < steps.size()) ++at;
    if (steps[at].step == query.get_int(0)) steps[at].metrics[query.get_text(1)] = query.get_double(2);
  }
}

std::vector<std::string> TraceReader::metric_names(const std::string& stage) {
  db_.start_clock();
  Statement query(db_, R"sql(
SELECT n.name FROM metric_names n
WHERE EXISTS (SELECT 1 FROM metrics m JOIN steps st ON st.id = m.step_id WHERE m.name_id = n.id AND st.stage_id = ?1)
ORDER BY n.name)sql");
  query.bind_all(known_stage_id(stage));
  std::vector<std::string> names;
  while (query.step()) names.push_back(query.get_text(0));
  return names;
}

std::vector<CurvePoint> TraceReader::curve(const std::string& stage, const std::string& metric) {
  db_.start_clock();
  Statement query(db_, R"sql(
SELECT st.step, m.value
FROM metric_names n JOIN metrics m ON m.name_id = n.id JOIN steps st ON st.id = m.step_id
WHERE n.name = ?1 AND st.stage_id = ?2 ORDER BY st.step)sql");
  query.bind_all(metric, known_stage_id(stage));
  std::vector<CurvePoint> points;
  while (query.step()) points.push_back({query.get_int(0), query.get_double(1)});
  return points;
}

std::vector<WordStep> TraceReader::word_counts(const std::string& stage, Split split) {
  db_.start_clock();
  Statement query(db_, R"sql(
SELECT st.step, t.num_samples, t.num_turns, t.num_aha, w.word, c.num_events
FROM steps st JOIN step_totals t ON t.step_id = st.id AND t.split = ?2
LEFT JOIN word_totals c ON c.step_id = st.id AND c.split = ?2
LEFT JOIN words w ON w.id = c.word_id
WHERE st.stage_id = ?1 AND t.num_samples > 0 ORDER BY st.step)sql");
  query.bind_all(known_stage_id(stage), to_string(split));
  std::vector<WordStep> steps;
  while (query.step()) {
    const auto num_samples = query.get_int(1);
    const auto mean = [&](int column) {
      return static_cast<double>(query.get_int(column)) / static_cast<double>(num_samples);
    };
    if (steps.empty() || steps.back().step != query.get_int(0))
      steps.push_back({query.get_int(0), num_samples, mean(2), mean(3), {}});
    if (!query.is_null(4)) steps.back().mean_per_sample[query.get_text(4)] = mean(5);
  }
  return steps;
}

std::vector<Evaluation> TraceReader::evaluations(const std::string& stage) {
  db_.start_clock();
  const auto name = resolve_stage(stage);
  Statement query(db_, R"sql(
SELECT st.step, e.name, e.k, e.value, e.low, e.high, e.num_prompts
FROM steps st JOIN evaluations e ON e.step_id = st.id WHERE st.stage_id = ?1 ORDER BY st.step, e.name, e.k)sql");
  query.bind_all(stage_id(name));
  std::vector<Evaluation> found;
  while (query.step()) {
    found.push_back({.stage = name,
                     .step = query.get_int(0),
                     .name = query.get_text(1),
                     .k = static_cast<int>(query.get_int(2)),
                     .value = query.get_double(3),
                     .low = query.get_double(4),
                     .high = query.get_double(5),
                     .num_prompts = query.get_int(6)});
  }
  return found;
}

std::vector<AlarmRow> TraceReader::alarms(const std::string& stage, int64_t first, int64_t last) {
  db_.start_clock();
  if (Statement(db_, "SELECT count(*) FROM sqlite_master WHERE name = 'alarms'").find_int() == 0) return {};
  Statement query(db_, R"sql(
SELECT st.step, a.kind, a.subject, a.value, a.bound, a.message
FROM steps st JOIN alarms a ON a.step_id = st.id
WHERE st.stage_id = ?1 AND st.step BETWEEN ?2 AND ?3 ORDER BY st.step, a.kind, a.subject)sql");
  query.bind_all(known_stage_id(stage), first, last);
  std::vector<AlarmRow> found;
  while (query.step()) {
    found.push_back({query.get_int(0),
                     {.kind = query.get_text(1),
                      .subject = query.get_text(2),
                      .value = query.get_double(3),
                      .limit = query.get_double(4),
                      .message = query.get_text(5)}});
  }
  return found;
}

}  // namespace r1::rollout
