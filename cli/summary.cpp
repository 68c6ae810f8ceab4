// r1 summary: a run's curves, a first and a last sample of one held-out prompt, where everything lies, and one line of
// figures.

#include <algorithm>
#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/log.h"
#include "rollout/trace_plot.h"
#include "rollout/trace_query.h"

namespace r1::cli {
namespace {

using rollout::TraceReader;

constexpr const char* kStage = "rl";

void plot(TraceReader& reader, const std::string& metric, const std::string& title) {
  std::vector<double> values;
  const auto curve = reader.curve(kStage, metric);
  for (const auto& point : curve) values.push_back(point.value);
  if (values.empty()) return;
  fmt::print("{}\n", rollout::curve_plot(values, {.width = 72, .height = 8, .title = title,
                                                  .steps = {curve.front().step, curve.back().step}}));
}

struct FirstAndLast {
  double first = 0, last = 0;
};

FirstAndLast ends(TraceReader& reader, const std::string& metric) {
  const auto curve = reader.curve(kStage, metric);
  if (curve.empty()) return {};
  return {curve.front().value, curve.back().value};
}

// The headline accuracy: avg@k of the first and the last evaluation.
FirstAndLast accuracy(TraceReader& reader, std::vector<int64_t>& steps) {
  FirstAndLast out;
  for (const auto& e : reader.evaluations(kStage)) {
    if (!e.name.starts_with("avg@")) continue;
    if (steps.empty()) out.first = e.value;
    out.last = e.value;
    steps.push_back(e.step);
  }
  if (steps.empty()) throw Error(reader.path().string(), "no evaluation yet", "let the run go on: the first comes before step 0");
  return out;
}

std::vector<rollout::GroupRow> eval_groups(TraceReader& reader, int64_t step) {
  auto groups = reader.groups_of_step(kStage, step);
  std::erase_if(groups, [](const auto& g) { return g.split != rollout::Split::kEval; });
  return groups;
}

// A sample to show: a right one if there is one, else the first.
const rollout::SampleDetail& sample_to_show(const rollout::GroupDetail& group) {
  const auto right = std::ranges::find_if(group.samples, [](const auto& s) { return s.row.verdict == Verdict::kRight; });
  return right == group.samples.end() ? group.samples.front() : *right;
}

void print_sample(std::string_view title, const rollout::SampleDetail& sample) {
  fmt::print("{} (sample {}, {} tokens, {})\n{}\n\n", title, sample.row.sample_id, sample.row.num_tokens,
             sample.row.verdict ? to_string(*sample.row.verdict) : "not scored",
             log::printable(sample.sample.text, log::Newlines::kKeep));
}

// The prompt that was learnt most, from its first samples to its last.
void print_samples(TraceReader& reader, int64_t first, int64_t last) {
  const auto before = eval_groups(reader, first), after = eval_groups(reader, last);
  double best_gain = -2;
  const rollout::GroupRow *chosen_before = nullptr, *chosen_after = nullptr;
  for (const auto& a : after) {
    const auto b = std::ranges::find(before, a.prompt_id, &rollout::GroupRow::prompt_id);
    if (b == before.end()) continue;
    const double gain = a.sums.accuracy() - b->sums.accuracy();
    if (gain <= best_gain) continue;
    best_gain = gain;
    chosen_before = &*b;
    chosen_after = &a;
  }
  if (!chosen_before) return;
  fmt::print("the same prompt before and after: {}\n", log::printable(chosen_after->prompt_text));
  print_sample(fmt::format("step {}", first), reader.group(chosen_before->group_id).samples.front());
  print_sample(fmt::format("step {}", last), sample_to_show(reader.group(chosen_after->group_id)));
}

// compute_seconds of the last line of a run's metrics; 0 without a run.
double compute_seconds(const std::filesystem::path& run) {
  double seconds = 0;
  const auto path = run / "metrics" / "metrics.jsonl";
  if (run.empty() || !std::filesystem::exists(path)) return 0;
  for_each_line(path, [&](int64_t number, std::string_view line) {
    const auto where = fmt::format("{}:{}", path.string(), number);
    const auto value = json::parse(line, where);
    if (value.is_object()) seconds = json::find_double(value.as_object(), "compute_seconds", where).value_or(seconds);
  });
  return seconds;
}

}  // namespace

int run_summary(int argc, const char* const* argv) {
  std::string run, base, title = "run";
  CLI::App app("A run's curves, a first and a last sample, and one line of figures.", "r1 summary");
  app.add_option("run", run, "folder of an RL run")->required();
  app.add_option("--base", base, "folder of the pretraining run, whose compute counts too");
  app.add_option("--title", title, "first word of the last line");
  if (const auto status = parse(app, argc, argv)) return *status;

  TraceReader reader(run);
  std::vector<int64_t> steps;
  const auto accurate = accuracy(reader, steps);
  plot(reader, "accuracy", "accuracy of training samples by step");
  plot(reader, "tokens", "tokens a completion");
  plot(reader, "wait", "\"wait\" a completion");
  print_samples(reader, steps.front(), steps.back());
  const std::filesystem::path folder(run);
  fmt::print("every sample of every step: r1 traces {}  (--step N, --search TEXT, --words)\n", run);
  fmt::print("curves for TensorBoard: {}, settings: {}, model: {}\n", (folder / "metrics").string(),
             (folder / "config.toml").string(), (folder / "model").string());
  const auto tokens = ends(reader, "eval/tokens"), waits = ends(reader, "eval/wait");
  fmt::print("{}: accuracy {:.2f} -> {:.2f}, tokens {:.0f} -> {:.0f}, wait {:.2f} -> {:.2f}, compute {:.0f} s\n", title,
             accurate.first, accurate.last, tokens.first, tokens.last, waits.first, waits.last,
             compute_seconds(run) + compute_seconds(base));
  return 0;
}

}  // namespace r1::cli
