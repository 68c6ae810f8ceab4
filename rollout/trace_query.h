#pragma once
// Reading the rollout database, while it is being written or later: plain structs out, no SQL in. Printing them is
// rollout/trace_print.h.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "rollout/database.h"
#include "rollout/sqlite.h"
#include "rollout/trace_filter.h"

namespace r1::rollout {

// Sums over samples, as the writer keeps them per step and split; sums of several steps add up.
struct SampleSums {
  int64_t num_samples = 0, num_scored = 0, num_right = 0, num_undecided = 0, num_truncated = 0;
  int64_t sum_tokens = 0;
  double sum_value = 0;
  int64_t num_turns = 0, num_aha = 0;

  // NaN where there is nothing to divide by. An undecided verdict counts as neither right nor wrong, and its value (0)
  // not at all.
  double accuracy() const { return ratio(static_cast<double>(num_right), num_scored - num_undecided); }
  double mean_tokens() const { return ratio(static_cast<double>(sum_tokens), num_samples); }
  double mean_value() const { return ratio(sum_value, num_scored - num_undecided); }
  double truncated() const { return ratio(static_cast<double>(num_truncated), num_samples); }
  double mean_turns() const { return ratio(static_cast<double>(num_turns), num_samples); }
  double mean_aha() const { return ratio(static_cast<double>(num_aha), num_samples); }
  void add(const SampleSums& other);

 private:
  static double ratio(double sum, int64_t count);
};

struct StageRow {
  std::string name;
  int64_t first_step = -1, last_step = -1;  // -1: no step yet
  double seconds = 0;                       // wall time of its finished steps
  SampleSums train, eval;
};

struct RunRow {
  std::string run_id, version, started_at, config_toml;
  int64_t num_sessions = 1;
  std::vector<StageRow> stages;
};

struct StepRow {
  int64_t step = 0;
  std::string finished_at;  // empty while it runs
  std::optional<double> seconds;
  SampleSums train, eval;
  std::map<std::string, double> metrics;  // NaN where it was not a number
};

struct CurvePoint {
  int64_t step = 0;
  double value = 0;
};

// The mean number of each reflection word per sample, for one step.
struct WordStep {
  int64_t step = 0;
  int64_t num_samples = 0;
  double mean_turns = 0, mean_aha = 0;
  std::map<std::string, double> mean_per_sample;  // words that did not occur are absent
};

// One prompt's samples at one step, in numbers.
struct GroupRow {
  int64_t group_id = 0;
  std::string stage;
  int64_t step = 0;
  Split split = Split::kTrain;
  std::string prompt_id, task, prompt_text;
  SampleSums sums;
};

struct SampleRow {
  int64_t sample_id = 0, group_id = 0;
  std::string stage;
  int64_t step = 0;
  Split split = Split::kTrain;
  std::string prompt_id, task;
  int index = 0;
  int64_t num_tokens = 0;
  FinishReason finish = FinishReason::kStop;
  std::optional<Verdict> verdict;
  std::optional<double> value, advantage;
  int64_t weights_version = 0;
  int64_t num_turns = 0;
};

struct AlarmRow {
  int64_t step = 0;
  Alarm alarm;
};

// A reflection event as stored.
struct EventRow {
  int64_t offset = 0;  // bytes into the text
  std::string word;
  bool is_turn = false;
  std::string from_answer, to_answer;        // of a turn
  std::optional<bool> from_right, to_right;  // of a turn whose answers were checked
};

struct SampleDetail {
  SampleRow row;
  Sample sample;  // per-token vectors the sampler gave none for are empty
  std::vector<std::pair<std::string, double>> parts;
  std::string detail;
  std::vector<EventRow> events;
  std::vector<std::pair<std::string, std::string>> children;  // lineage: kind and id
};

struct GroupDetail {
  GroupRow row;
  Prompt prompt;
  std::vector<SampleDetail> samples;
};

// A sample found, and where it says what was searched for.
struct Hit {
  SampleRow row;
  std::string snippet;  // hits between kHitBegin and kHitEnd; the text's beginning if nothing was searched for
};
constexpr char kHitBegin = '\x02', kHitEnd = '\x03';

struct ReaderOptions {
  std::chrono::milliseconds time_limit{30'000};       // of any one query
  std::chrono::milliseconds where_time_limit{1'000};  // of a filter with an expression typed by a user
};

// Not thread-safe; make one per thread. Every function throws Error for a damaged file or a query beyond its time.
class TraceReader {
 public:
  // `run`: a run folder, or a rollout database itself. Opened read-only.
  explicit TraceReader(const std::filesystem::path& run, const ReaderOptions& options = {});

  const std::filesystem::path& path() const { return db_.path(); }

  std::vector<RunRow> runs();
  // `stage` itself if it is one, the latest stage that sampled if it is empty; else an Error that names the stages.
  std::string resolve_stage(const std::string& stage);

  // Steps first..last of a stage, in order.
  std::vector<StepRow> steps(const std::string& stage, int64_t first = 0, int64_t last = INT64_MAX);
  std::vector<std::string> metric_names(const std::string& stage);
  // One metric over the steps of a stage.
  std::vector<CurvePoint> curve(const std::string& stage, const std::string& metric);
  std::vector<WordStep> word_counts(const std::string& stage, Split split);
  std::vector<Evaluation> evaluations(const std::string& stage);
  // Of steps first..last, in order; none in a file of before there were alarms.
  std::vector<AlarmRow> alarms(const std::string& stage, int64_t first = 0, int64_t last = INT64_MAX);

  std::vector<GroupRow> groups_of_step(const std::string& stage, int64_t step);
  // The same prompt through training: every group of every prompt with this id, in the order they were sampled.
  std::vector<GroupRow> groups_of_prompt(const std::string& prompt_id, int64_t limit = 1000);
  GroupDetail group(int64_t group_id);
  SampleDetail sample(int64_t sample_id);
  Prompt prompt_of_group(int64_t group_id);

  std::vector<Hit> filter(const TraceFilter& filter);

 private:
  std::optional<int64_t> stage_id(const std::string& stage);
  int64_t known_stage_id(const std::string& stage);
  std::vector<StageRow> stages(int64_t run_key);
  void add_metrics(int64_t stage_id, std::vector<StepRow>& steps);
  SampleRow sample_row(int64_t sample_id);
  void read_completion(SampleDetail& detail);
  std::vector<int64_t> find_ids(const TraceFilter& filter);

  ReaderOptions options_;
  Sqlite db_;
};

}  // namespace r1::rollout
