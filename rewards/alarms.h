#pragma once
// Signs of reward hacking and of training without signal, raised step by step. They go to the log and to the database
// (`r1 traces`); nothing stops.
//
//   no_signal     in most groups every sample got the same reward: all solved, all failed, or a reward that collapsed
//   identical     in most groups every completion is the same text
//   dominance     most of what the policy is taught comes of a part other than accuracy
//   length_drift  completions grew or shrank a lot over the window while accuracy did not rise
//   jump          reward, accuracy, length or a part is far outside of its range in the window
//   undecided     many answers could not be judged

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"
#include "core/json.h"
#include "core/types.h"
#include "rewards/statistics.h"

namespace r1::rewards {

// [rewards.alarms]
struct AlarmOptions {
  int64_t window = 20;     // steps that drifts and jumps are seen against
  int64_t patience = 3;    // steps in a row that no_signal, identical and dominance take before they are raised
  double no_signal = 0.9;  // share of groups; likewise for identical
  double dominance = 0.8;  // share of the signal
  double length_ratio = 1.5;
  double accuracy_gain = 0.02;  // over the window, that excuses a change of length
  double jump = 5;              // standard deviations of the window
  double undecided = 0.2;       // share of samples
};

AlarmOptions read_alarm_options(const ConfigTable& table, AlarmOptions defaults = {});
// Throws Error naming the first key that cannot work.
void validate(const AlarmOptions& options);

class AlarmWatch {
 public:
  explicit AlarmWatch(const AlarmOptions& options) : options_(options) {}

  // The alarms of the next step. One that lasts is raised when it begins and once a window after that.
  std::vector<Alarm> observe(const StepStatistics& statistics);

  // What was seen so far, for a checkpoint: a resumed run raises the same alarms. restore() throws Error "WHERE: ..."
  // for other JSON.
  json::bj::object to_json() const;
  void restore(const json::bj::value& state, const std::string& where);

 private:
  void raise_while(bool is_bad, int64_t patience, Alarm alarm, std::vector<Alarm>& raised);
  void check_length(const StepStatistics& statistics, std::vector<Alarm>& raised);
  void check_jump(const std::string& name, double value, double floor, std::vector<Alarm>& raised);

  AlarmOptions options_;
  std::map<std::string, std::deque<double>> history_;  // of the last `window` steps, by metric
  std::map<std::string, int64_t> streaks_;             // steps in a row that are bad, by kind and subject
};

}  // namespace r1::rewards
