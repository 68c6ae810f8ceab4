#pragma once
// Progress of long work: a bar with rate and ETA on a terminal, plain lines at most every few seconds otherwise.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace r1 {

// What a progress line tells.
struct ProgressView {
  std::string title, unit, note;
  int64_t total = 0;  // 0: not known
  int64_t start = 0;  // done before this run began
  int64_t done = 0;
  double seconds = 0;  // since this run began
};

// The line, without a newline, at most `width` columns wide; control characters in its texts are escaped.
std::string progress_line(const ProgressView& view, int width);

// Draws at most ten times a second on a terminal and every 10 s elsewhere, so update() may be called for every token.
// For one thread.
class Progress {
 public:
  // "pretrain  [#####.....] 512/1024 steps  3.1/s  ETA 2:45  loss 1.23". total 0: not known. start: done in earlier
  // runs.
  Progress(std::string title, int64_t total, std::string unit, int64_t start = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` is shown after the numbers.
  void update(int64_t done, std::string_view note = {});
  // Prints the final state once; also called by the destructor.
  void finish();

 private:
  enum class Draw { kAgain, kLast };
  void draw(Draw draw);
  std::string title_, unit_, note_;
  int64_t total_, start_, done_;
  std::chrono::steady_clock::time_point began_, drawn_;
  bool is_terminal_, is_finished_ = false;
};

}  // namespace r1
