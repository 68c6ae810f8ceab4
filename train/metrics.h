#pragma once
// Metrics of a run as TensorBoard event files and as JSON lines, both in the run's metrics/ folder.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace r1::train {

class MetricsWriter {
 public:
  // Writes metrics/metrics.jsonl and metrics/events.out.tfevents.*; `resume_step`: what earlier writers left of later
  // steps is dropped (JSON lines are removed; TensorBoard gets a session-start event that purges them). -1 starts anew.
  MetricsWriter(const std::filesystem::path& folder, int64_t resume_step);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  // One line {"step": ..., "stage": ..., name: value, ...} and one scalar per name, tagged "STAGE/NAME". NaN and infinities
  // are written as null in JSON.
  void add(const std::string& stage, int64_t step, const std::map<std::string, double>& metrics);
  // A text summary (a sample, for reading in TensorBoard).
  void add_text(const std::string& stage, int64_t step, const std::string& name, const std::string& text);
  // Everything added so far is in the files and synced.
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace r1::train
