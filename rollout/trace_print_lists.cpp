// The part of trace_print.h that prints what spans many steps: hits, words, one prompt through training.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/log.h"
#include "rollout/trace_print.h"
#include "rollout/trace_table.h"

namespace r1::rollout {
namespace {

constexpr size_t kMaxWordColumns = 8;
constexpr size_t kMaxWordLines = 30;

// Brackets take the place of the marks around what was searched for; the rest is the model's and is escaped.
std::string marked(std::string_view snippet) {
  std::string text;
  for (size_t i = 0; i <= snippet.size();) {
    const size_t next = std::min(snippet.find_first_of("\x02\x03", i), snippet.size());
    text += log::printable(snippet.substr(i, next - i));
    if (next < snippet.size()) text += snippet[next] == kHitBegin ? "[" : "]";
    i = next + 1;
  }
  return text;
}

double mean_of(const WordStep& step, const std::string& word) {
  const auto at = step.mean_per_sample.find(word);
  return at == step.mean_per_sample.end() ? 0 : at->second;
}

// Commonest first, by the mean over all steps.
std::vector<std::string> words_by_count(const std::vector<WordStep>& steps) {
  std::map<std::string, double> sums;
  for (const auto& step : steps) {
    for (const auto& [word, mean] : step.mean_per_sample) sums[word] += mean;
  }
  std::vector<std::string> words;
  for (const auto& [word, sum] : sums) words.push_back(word);
  std::stable_sort(words.begin(), words.end(), [&](const auto& a, const auto& b) { return sums[a] > sums[b]; });
  return words;
}

std::string word_table(const std::vector<WordStep>& steps, const std::vector<std::string>& words,
                       const PrintOptions& options) {
  std::vector<Column> columns{{"step"}, {"samples"}};
  for (size_t i = 0; i < std::min(words.size(), kMaxWordColumns); ++i) columns.push_back({log::printable(words[i])});
  columns.push_back({"all"});
  columns.push_back({"turns"});
  columns.push_back({"to right"});
  Table table(columns);
  for (const auto& step : thin_out(steps, options.limit)) {
    std::vector<std::string> cells{fmt::format("{}", step.step), fmt::format("{}", step.num_samples)};
    for (size_t i = 0; i < std::min(words.size(), kMaxWordColumns); ++i)
      cells.push_back(fmt::format("{:.3f}", mean_of(step, words[i])));
    double all = 0;
    for (const auto& [word, mean] : step.mean_per_sample) all += mean;
    for (const double value : {all, step.mean_turns, step.mean_aha}) cells.push_back(fmt::format("{:.3f}", value));
    table.add(std::move(cells));
  }
  return table.render(options.width);
}

std::string sample_line(const SampleRow& s) {
  const auto value = s.value ? fmt::format("  reward {:.3f}", *s.value) : std::string();
  return fmt::format("sample {}  {} step {}  {}  {}  {}{}  {} tokens  turns {}  prompt {}\n", s.sample_id,
                     log::printable(s.stage), s.step, to_string(s.split), log::printable(s.task),
                     s.verdict ? to_string(*s.verdict) : "unscored", value, s.num_tokens, s.num_turns,
                     fit(log::printable(s.prompt_id), 40));
}

}  // namespace

std::string print_hits(const std::vector<Hit>& hits, const PrintOptions& options) {
  std::string text;
  for (const auto& hit : hits) text += sample_line(hit.row) + "  " + fit(marked(hit.snippet), options.width - 2) + "\n";
  return hits.empty() ? "(nothing found)\n" : text;
}

std::string print_words(const std::vector<WordStep>& steps, const PrintOptions& options) {
  if (steps.empty()) return "(no samples yet)\n";
  const auto words = words_by_count(steps);
  auto text = "reflection words per sample, by step\n" + word_table(steps, words, options);
  std::vector<double> all;
  for (const auto& step : steps) {
    double sum = 0;
    for (const auto& [word, mean] : step.mean_per_sample) sum += mean;
    all.push_back(sum);
  }
  text += "\n" + curve_plot(all, {.width = options.width,
                                  .height = 8,
                                  .title = "all reflection words per sample",
                                  .steps = {steps.front().step, steps.back().step},
                                  .style = options.style});
  for (size_t i = 0; i < std::min(words.size(), kMaxWordLines); ++i) {
    std::vector<double> values;
    for (const auto& step : steps) values.push_back(mean_of(step, words[i]));
    text += fmt::format("{:<18} {:6.3f} {} {:6.3f}\n", fit(log::printable(words[i]), 18), values.front(),
                        sparkline(values, std::max(10, options.width - 36), options.style), values.back());
  }
  return text;
}

std::string print_parts(const std::vector<StepRow>& steps, const PrintOptions& options) {
  constexpr std::string_view kMean = "reward/", kSignal = "reward_signal/";
  std::map<std::string, std::vector<double>> means, signals;
  for (const auto& step : steps) {
    for (const auto& [name, value] : step.metrics) {
      if (!std::isfinite(value)) continue;
      if (name.starts_with(kMean)) means[name.substr(kMean.size())].push_back(value);
      if (name.starts_with(kSignal)) signals[name.substr(kSignal.size())].push_back(value);
    }
  }
  std::string text;
  for (const auto& [part, values] : means) {
    const auto& signal = signals[part];
    const auto share = signal.empty() ? std::string() : fmt::format("  signal {:3.0f} %", 100 * signal.back());
    text += fmt::format("  {:<14} {:7.3f} {} {:7.3f}{}\n", fit(log::printable(part), 14), values.front(),
                        sparkline(values, std::max(10, options.width - 50), options.style), values.back(), share);
  }
  return text.empty() ? text : "parts of the reward, mean by step\n" + text;
}

std::string print_alarms(const std::vector<AlarmRow>& alarms, const PrintOptions& options) {
  if (alarms.empty()) return "(no alarm)\n";
  Table table({{"step"}, {"alarm", Align::kLeft}, {"of", Align::kLeft}, {"value"}, {"limit"}, {"what", Align::kLeft}});
  const auto size = static_cast<int64_t>(alarms.size());
  for (auto i = std::max<int64_t>(0, size - options.limit); i < size; ++i) {
    const auto& [step, alarm] = alarms[static_cast<size_t>(i)];
    table.add({fmt::format("{}", step), log::printable(alarm.kind), log::printable(alarm.subject),
               fmt::format("{:.3g}", alarm.value), fmt::format("{:.3g}", alarm.limit), log::printable(alarm.message)});
  }
  auto text = fmt::format("{} alarms\n", size) + table.render(options.width);
  return size > options.limit ? text + fmt::format("... {} older: --alarms --limit {}\n", size - options.limit, size)
                              : text;
}

std::string print_prompt_history(const std::vector<GroupRow>& groups, const PrintOptions& options) {
  if (groups.empty()) return "(never sampled)\n";
  auto text = fmt::format("prompt {}  task {}\n", fit(log::printable(groups.front().prompt_id), options.width / 2),
                          log::printable(groups.front().task));
  text += wrap(log::printable(groups.front().prompt_text.substr(0, 2000), log::Newlines::kKeep), options.width, "  ");
  Table table({{"stage", Align::kLeft},
               {"step"},
               {"split", Align::kLeft},
               {"group"},
               {"right"},
               {"reward"},
               {"tokens"},
               {"turns"}});
  std::vector<double> accuracy;
  for (const auto& g : groups) accuracy.push_back(g.sums.accuracy());
  const auto number = [](double v, int decimals) {
    return std::isfinite(v) ? fmt::format("{:.{}f}", v, decimals) : std::string("-");
  };
  for (const auto& g : thin_out(groups, options.limit)) {
    table.add({log::printable(g.stage), fmt::format("{}", g.step), std::string(to_string(g.split)),
               fmt::format("{}", g.group_id), fmt::format("{}/{}", g.sums.num_right, g.sums.num_samples),
               number(g.sums.mean_value(), 3), number(g.sums.mean_tokens(), 1), fmt::format("{}", g.sums.num_turns)});
  }
  text += table.render(options.width);
  if (groups.size() > 1)
    text += fmt::format("accuracy {}\n", sparkline(accuracy, std::max(10, options.width - 10), options.style));
  return text;
}

}  // namespace r1::rollout
