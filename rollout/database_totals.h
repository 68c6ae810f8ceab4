#pragma once
// Sums over the samples of a step (tables step_totals and word_totals), gathered in memory and written once per
// transaction.

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "rollout/database.h"
#include "rollout/sqlite.h"

namespace r1::rollout {

struct StepTotals {
  int64_t num_samples = 0, num_scored = 0, num_right = 0, num_undecided = 0, num_truncated = 0;
  int64_t sum_tokens = 0;
  double sum_value = 0;
  int64_t num_turns = 0, num_aha = 0;
};

class Totals {
 public:
  explicit Totals(Sqlite& db);

  struct WordTotals {
    int64_t num_events = 0, num_samples = 0;
  };
  // The sums to add a sample of this step to.
  StepTotals& of(int64_t step_id, Split split) { return steps_[{step_id, split}]; }
  WordTotals& word(int64_t step_id, Split split, int64_t word_id) { return words_[{{step_id, split}, word_id}]; }

  // The step's rows were changed other than by adding samples: write() sums them up anew.
  void recompute(int64_t step_id) { changed_.insert(step_id); }
  void write();
  void clear();

 private:
  using Key = std::pair<int64_t, Split>;
  void write_recomputed(int64_t step_id);
  std::map<Key, StepTotals> steps_;
  std::map<std::pair<Key, int64_t>, WordTotals> words_;
  std::set<int64_t> changed_;
  Statement add_step_, add_word_, drop_step_, drop_words_, sum_step_, sum_words_;
};

}  // namespace r1::rollout
