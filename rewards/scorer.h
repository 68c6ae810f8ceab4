#pragma once
// Rewards outside any run: the header to embed them with, and what `r1 score` runs.
//
//   const r1::rewards::Scorer scorer;                                       // or with options
//   const r1::Score score = scorer.score("math", "1/2", "... \\boxed{0.5}");
//   const std::string out = scorer.score_line(R"({"task": "number", "answer": 2, "completion": "..."})",
//   "rows:1").json;
//
// Link the library `rewards` and what it depends on; no torch. One Scorer serves any number of threads.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "rewards/registry.h"

namespace r1::rewards {

// One line of `r1 score`'s input:
//   {"task": "number", "answer": 2, "completion": "..."}                     answer: a string, a number or other JSON
//   {"task": "code", "language": "python", "tests": {...}, "completion": "..."}
// Optional: id, prompt (its text; for the language and for who opens the reasoning), metadata, source, num_tokens,
// max_new_tokens, step, num_steps, finish ("stop" or "length"). Other keys are ignored.
struct ScoreRow {
  std::string id_json;  // the id as JSON; `where` as a string where there is none
  Prompt prompt;
  std::string completion;
  Reply reply;  // of `completion`, but for its text
};

// Throws Error "WHERE: ..." for what is no such row, and for an unknown task.
ScoreRow parse_score_row(std::string_view line, const std::string& where);

struct ScoredLine {
  std::string json;  // {"id": ..., "verdict": ..., "value": ..., "reason": ..., "parts": {...}}
  Verdict verdict = Verdict::kUndecided;
  bool was_read = true;  // false: the row was no row, and is undecided for that reason
};

class Scorer {
 public:
  // By default accuracy alone. Throws Error for options that cannot work.
  explicit Scorer(const RewardOptions& options = {.format_weight = 0});

  Score score(std::string_view task, std::string_view answer, std::string_view completion) const;
  Score score(const Prompt& prompt, const Reply& reply) const;
  // One output line for one input line, without newlines; throws nothing but bad_alloc.
  ScoredLine score_line(std::string_view line, const std::string& where) const;

 private:
  std::unique_ptr<const Reward> reward_;
};

struct ScoreFileOptions {
  int num_threads = 1;
  size_t max_waiting = 4096;  // lines read and not yet written
};

struct ScoreCounts {
  int64_t num_right = 0, num_wrong = 0, num_undecided = 0;
  int64_t num_unread = 0;  // of the undecided ones: lines that are no rows
};

// Scores the lines of a file, or of standard input for "-", in `num_threads` threads, and calls write(line) for each in
// the order of the input, from one thread at a time, as soon as it and all before it are scored; flush() when nothing
// more is ready, so that a program may wait for each answer before it sends the next line. Blank lines are skipped.
// Throws Error if the file cannot be read, and what write() throws.
ScoreCounts score_file(const Scorer& scorer, const std::filesystem::path& path, const ScoreFileOptions& options,
                       const std::function<void(std::string_view line)>& write, const std::function<void()>& flush);

}  // namespace r1::rewards
