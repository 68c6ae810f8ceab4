#pragma once
// The rollout database in the terminal, for `r1 traces`. Everything that a model or a data set wrote passes through
// log::printable(), so no escape sequence reaches the terminal.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rollout/trace_plot.h"
#include "rollout/trace_query.h"

namespace r1::rollout {

// The text of a token, for the per-token table.
using TokenText = std::function<std::string(int32_t)>;

struct PrintOptions {
  int width = 100;
  PlotStyle style = plot_style_of_environment();
  int64_t limit = 20;    // rows of a table; steps are thinned out evenly
  TokenText token_text;  // empty: the table shows ids alone
};

// One view each; the text ends with a newline.
std::string print_runs(const std::vector<RunRow>& runs, const PrintOptions& options = {});
std::string print_steps(const std::vector<StepRow>& steps, const PrintOptions& options = {});
// Accuracy, length and reward by step, of the split that has samples at most steps, as one line each.
std::string print_trends(const std::vector<StepRow>& steps, const PrintOptions& options = {});
std::string print_evaluations(const std::vector<Evaluation>& evaluations, const PrintOptions& options = {});
// Parts of the reward: their mean and their share of the signal, first and last and as a line; nothing without parts.
std::string print_parts(const std::vector<StepRow>& steps, const PrintOptions& options = {});
// The newest `limit` of them.
std::string print_alarms(const std::vector<AlarmRow>& alarms, const PrintOptions& options = {});
std::string print_step(const StepRow& step, const std::vector<GroupRow>& groups, const PrintOptions& options = {});
std::string print_group(const GroupDetail& group, const PrintOptions& options = {});
std::string print_sample(const SampleDetail& sample, const Prompt& prompt, const PrintOptions& options = {});
std::string print_tokens(const Sample& sample, std::optional<double> advantage, const PrintOptions& options = {});
std::string print_hits(const std::vector<Hit>& hits, const PrintOptions& options = {});
// Mean number per sample by step: a table of the commonest words, a curve of all together, a line for each.
std::string print_words(const std::vector<WordStep>& steps, const PrintOptions& options = {});
std::string print_prompt_history(const std::vector<GroupRow>& groups, const PrintOptions& options = {});

// What `r1 traces RUN` was asked for. The first of sample, group, prompt, search or filter, words, alarms, step decides; none
// is an overview.
struct TraceCommand {
  std::filesystem::path run;    // a run folder, or its rollouts.db
  std::string stage;            // empty: the latest that sampled
  std::optional<int64_t> step;  // its groups; with `group`: which step's
  std::string group;            // a prompt's id: its samples side by side
  std::optional<int64_t> sample;
  std::string prompt;                 // a prompt's id: its groups over all steps
  std::string search;                 // full_text_query()
  std::optional<TraceFilter> filter;  // conditions besides `search`
  bool wants_words = false;
  bool wants_alarms = false;
  Split words_split = Split::kTrain;
  bool wants_tokens = false;  // with `sample`: the per-token table
  bool wants_json = false;    // one JSON document instead of text
  int64_t limit = 20;
  int width = 0;  // 0: the terminal's, or 100 where there is none
  TokenText token_text;
};

// Prints what was asked for and returns the exit status: 0, or 1 where a search found nothing. Throws Error for a run,
// a step or an id that is not there.
int print_traces(const TraceCommand& command, std::FILE* out);

}  // namespace r1::rollout
