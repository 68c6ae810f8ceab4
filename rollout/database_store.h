#pragma once
// The SQL behind RolloutWriter, for one thread: prepared statements, and the transaction they run in.

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rollout/blob.h"
#include "rollout/database.h"
#include "rollout/database_totals.h"
#include "rollout/sqlite.h"

namespace r1::rollout {

// Each add_ function opens a transaction if none is open; commit() ends it. An Error undoes the transaction.
class RolloutStore {
 public:
  RolloutStore(const std::filesystem::path& path, const RunInfo& run, const WriterOptions& options);

  void add_group(const std::string& stage, int64_t step, Split split, const Group& group);
  void add_step(const StepRecord& record);
  void add_weights(const std::string& stage, int64_t step, const WeightsVersion& version);
  void add_evaluation(const Evaluation& evaluation);
  void add_alarms(const std::string& stage, int64_t step, const std::vector<Alarm>& alarms);
  void add_lineage(const std::string& child_kind, const std::string& child_id, const std::vector<int64_t>& sample_ids);
  void truncate_after(const std::string& stage, int64_t step);
  RolloutPosition position(const std::string& stage);

  bool has_open_transaction() const { return transaction_.has_value(); }
  int samples_in_transaction() const { return samples_in_transaction_; }
  void commit();
  // commit(), and then what was committed survives a power cut too.
  void commit_and_sync();
  void rollback() { transaction_.reset(); }

 private:
  struct StepKey {
    int64_t stage_id, step_id, step;
  };
  struct SampleRow;
  void begin();
  int64_t stage_id(const std::string& stage);
  StepKey step_key(const std::string& stage, int64_t step);
  int64_t name_id(const char* table, std::unordered_map<std::string, int64_t>& known, const std::string& name);
  int64_t prompt_key(const Prompt& prompt);
  int64_t group_id(const StepKey& step, Split split, int64_t prompt_key);
  void add_sample(SampleRow& row, const Group& group, size_t index);
  void add_completion(int64_t sample_id, const Sample& sample, std::string_view detail);
  void add_reflection(int64_t sample_id, const SampleRow& row);
  void store_words();

  WriterOptions options_;
  Sqlite db_;
  ReflectionWords words_;
  std::vector<int64_t> word_ids_;  // words.id of each of words_
  std::vector<int64_t>
      last_sample_with_;  // each of words_, so that a sample counts once however often it says the word
  BlobEncoder encoder_;
  int64_t run_key_ = 0;
  std::unordered_map<std::string, int64_t> stage_ids_, metric_ids_, part_ids_;
  std::optional<std::pair<std::string, StepKey>> last_step_;
  // How often each prompt was drawn, by step and split; kept for the latest steps.
  std::map<std::pair<int64_t, Split>, std::unordered_map<int64_t, int64_t>> draws_;
  Totals totals_;
  std::optional<Transaction> transaction_;
  int samples_in_transaction_ = 0;

  struct Statements;
  std::shared_ptr<Statements> sql_;  // shared_ptr only because Statements is incomplete here
};

}  // namespace r1::rollout
