#pragma once
// The rollout database: every sample of every step in one SQLite file, written by a thread of its own.
// docs/rollout_db.md has the schema; rollout/trace_query.h reads it.
//
//   RolloutWriter writer(run_folder / kRolloutsFile, {.run_id = "zero-1", .config_toml = config.effective_toml()});
//   writer.truncate_after("rl", checkpoint.step);        // when resuming
//   writer.add_group("rl", step, Split::kTrain, group);  // as groups are scored
//   writer.add_step({.stage = "rl", .step = step, .metrics = {{"reward", 0.4}}});
//   writer.flush();                                      // before the checkpoint that says step is done

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "rollout/reflection_turns.h"

namespace r1::rollout {

// The file's name in a run folder.
constexpr std::string_view kRolloutsFile = "rollouts.db";

enum class Split { kTrain, kEval };
constexpr std::string_view to_string(Split s) { return s == Split::kTrain ? "train" : "eval"; }

struct RunInfo {
  std::string run_id;       // required
  std::string config_toml;  // the settings in force
  std::string version;      // r1's version and git commit
  std::string started_at;   // ISO 8601, UTC; empty: now
};

// What a finished step has to say. Metrics of one step may come in several records: they add up.
struct StepRecord {
  std::string stage;
  int64_t step = 0;
  std::map<std::string, double> metrics;        // by name, as in TensorBoard
  std::map<std::string, double> phase_seconds;  // wall time by phase, kept as metrics "seconds/PHASE"
  double seconds = 0;                           // wall time of the whole step; 0: another record says
};

// One figure of an evaluation, with its confidence interval.
struct Evaluation {
  std::string stage;
  int64_t step = 0;
  std::string name;  // "held-out avg", "held-out pass"
  int k = 1;         // samples per prompt
  double value = 0, low = 0, high = 0;
  int64_t num_prompts = 0;
};

// Where a stage's writing stands; a checkpoint keeps it, and a resumed run can compare.
struct RolloutPosition {
  int64_t last_step = -1;  // -1: nothing yet
  int64_t num_groups = 0;
  int64_t num_samples = 0;
  bool operator==(const RolloutPosition&) const = default;
};

// Tells whether an answer stated midway is right, or nothing; called on the writer's thread. Must not throw.
using ChainChecker = std::function<std::optional<bool>(const Prompt&, const Candidate&)>;

struct WriterOptions {
  int64_t queue_bytes = 64 << 20;        // rollouts waiting to be written; add_group() waits when there are more
  int batch_samples = 4096;              // a transaction ends after so many samples,
  int batch_ms = 500;                    // or so long after it began, or at a flush()
  std::vector<std::string> extra_words;  // reflection words besides the published lists
  // Judges the answers of turns, so that wrong -> right ones are known; without it, turns are found but not judged.
  ChainChecker checker = [](const Prompt& p, const Candidate& c) { return is_right_by_key(p.answer, c); };
  int64_t max_pages = 0;  // tests: the file may not grow beyond so many pages; 0 is no limit
};

// Threads: any number may call any member. Errors: what goes wrong on the writer's thread (a full disk) is thrown, as
// the same Error, by the next call and by every one after it; the transaction it happened in is undone. What flush()
// has returned for is on the disk and stays there.
class RolloutWriter {
 public:
  // Makes the file or opens it, and brings its schema up to date. An existing run of the same id is continued.
  RolloutWriter(const std::filesystem::path& path, const RunInfo& run, const WriterOptions& options = {});
  // Writes what waits; an Error then goes to the log.
  ~RolloutWriter();
  RolloutWriter(const RolloutWriter&) = delete;
  RolloutWriter& operator=(const RolloutWriter&) = delete;

  // Scores and advantages may be empty (not scored, an evaluation), and so may each sample's per-token vectors but
  // token_ids; otherwise sizes must agree. Adding the group of a prompt again, in a later process, replaces it; within
  // one process it is a second draw of the same prompt.
  void add_group(std::string_view stage, int64_t step, Split split, Group group);
  void add_step(const StepRecord& record);
  // The weights that `step`'s update made.
  void add_weights(std::string_view stage, int64_t step, const WeightsVersion& version);
  void add_evaluation(const Evaluation& evaluation);
  void add_alarms(std::string_view stage, int64_t step, std::vector<Alarm> alarms);
  // Says that `child_id` (a row of a data set, in the notation of child_kind) was made from these samples.
  void add_lineage(std::string_view child_kind, std::string_view child_id, std::vector<int64_t> sample_ids);

  // Returns when everything added before is committed and synced to the disk.
  void flush();

  // Removes all that `stage` made in steps after `step` (-1: all of it), so that a resumed run writes the same rows
  // again, none twice and none missing. Flushes.
  void truncate_after(std::string_view stage, int64_t step);

  // Of `stage`, everything added before included. Flushes.
  RolloutPosition position(std::string_view stage);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace r1::rollout
