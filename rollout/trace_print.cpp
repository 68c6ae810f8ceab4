#include "rollout/trace_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/log.h"
#include "rollout/trace_table.h"

namespace r1::rollout {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMaxShownText = 100'000;  // bytes of one completion; --json has all of it

std::string number(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}
std::string number(std::optional<double> value, int decimals) { return number(value.value_or(kNone), decimals); }
std::string count(int64_t value) { return fmt::format("{}", value); }

std::string range(int64_t first, int64_t last) { return first < 0 ? "-" : fmt::format("{}-{}", first, last); }

// A line of the begin of a text.
std::string excerpt(std::string_view text) {
  const bool is_cut = text.size() > 500;
  return log::printable(text.substr(0, 500)) + (is_cut ? "..." : "");
}

// A block of text under its title, indented.
std::string block(std::string_view title, std::string_view text, int width) {
  auto shown = log::printable(text.substr(0, kMaxShownText), log::Newlines::kKeep);
  if (text.size() > kMaxShownText)
    shown += fmt::format("\n... ({} of {} bytes; --json has all)", kMaxShownText, text.size());
  return fmt::format("{}:\n{}", title, wrap(shown, width, "  "));
}

std::string verdict_text(std::optional<Verdict> verdict) { return std::string(verdict ? to_string(*verdict) : "-"); }

std::string claim_text(std::optional<bool> is_right) { return !is_right ? "unchecked" : *is_right ? "right" : "wrong"; }

std::string parts_text(const std::vector<std::pair<std::string, double>>& parts) {
  std::string text;
  for (const auto& [name, value] : parts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", log::printable(name), number(value, 3));
  }
  return text;
}

std::vector<std::string> sums_cells(const SampleSums& s) {
  return {count(s.num_samples),       number(s.accuracy(), 3),  number(s.mean_value(), 3),
          number(s.mean_tokens(), 1), number(s.truncated(), 2), number(s.mean_turns(), 2)};
}

template <typename T>
void append(std::vector<T>& list, std::vector<T> more) {
  list.insert(list.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::string print_runs(const std::vector<RunRow>& runs, const PrintOptions& options) {
  std::string text;
  for (const auto& run : runs) {
    text += fmt::format("run {}  started {}  r1 {}", log::printable(run.run_id), log::printable(run.started_at),
                        log::printable(run.version));
    text += run.num_sessions > 1 ? fmt::format("  resumed {} times\n", run.num_sessions - 1) : "\n";
    Table table({{"stage", Align::kLeft},
                 {"steps"},
                 {"minutes"},
                 {"samples"},
                 {"accuracy"},
                 {"tokens"},
                 {"eval samples"},
                 {"eval accuracy"}});
    for (const auto& s : run.stages) {
      table.add({log::printable(s.name), range(s.first_step, s.last_step), number(s.seconds / 60, 1),
                 count(s.train.num_samples), number(s.train.accuracy(), 3), number(s.train.mean_tokens(), 1),
                 count(s.eval.num_samples), number(s.eval.accuracy(), 3)});
    }
    text += table.empty() ? "  (no stage yet)\n" : table.render(options.width);
  }
  return runs.empty() ? "(no run yet)\n" : text;
}

std::string print_steps(const std::vector<StepRow>& steps, const PrintOptions& options) {
  Table table(
      {{"step"}, {"samples"}, {"accuracy"}, {"reward"}, {"tokens"}, {"cut"}, {"turns"}, {"eval acc."}, {"seconds"}});
  for (const auto& s : thin_out(steps, options.limit)) {
    std::vector<std::string> cells{count(s.step)};
    append(cells, sums_cells(s.train));
    append(cells, {number(s.eval.accuracy(), 3), number(s.seconds, 1)});
    table.add(std::move(cells));
  }
  return table.empty() ? "(no step yet)\n" : table.render(options.width);
}

std::string print_trends(const std::vector<StepRow>& steps, const PrintOptions& options) {
  int64_t num_eval = 0, num_train = 0;
  for (const auto& s : steps) {
    num_eval += s.eval.num_samples > 0;
    num_train += s.train.num_samples > 0;
  }
  const bool is_eval = num_eval > num_train;
  const auto line = [&](std::string_view name, int decimals, auto value) {
    std::vector<double> values;
    for (const auto& s : steps) {
      const double v = value(is_eval ? s.eval : s.train);
      if (std::isfinite(v)) values.push_back(v);
    }
    if (values.empty()) return std::string();
    return fmt::format("{:<9} {} {} {}\n", name, number(values.front(), decimals),
                       sparkline(values, std::max(10, options.width - 30), options.style),
                       number(values.back(), decimals));
  };
  return line("accuracy", 3, [](const SampleSums& s) { return s.accuracy(); }) +
         line("reward", 3, [](const SampleSums& s) { return s.mean_value(); }) +
         line("tokens", 1, [](const SampleSums& s) { return s.mean_tokens(); }) +
         line("turns", 2, [](const SampleSums& s) { return s.mean_turns(); });
}

std::string print_evaluations(const std::vector<Evaluation>& evaluations, const PrintOptions& options) {
  Table table({{"step"}, {"evaluation", Align::kLeft}, {"k"}, {"value"}, {"interval"}, {"prompts"}});
  for (const auto& e : thin_out(evaluations, options.limit)) {
    table.add({count(e.step), log::printable(e.name), count(e.k), number(e.value, 4),
               fmt::format("{}..{}", number(e.low, 4), number(e.high, 4)), count(e.num_prompts)});
  }
  return table.empty() ? "" : table.render(options.width);
}

std::string print_step(const StepRow& step, const std::vector<GroupRow>& groups, const PrintOptions& options) {
  auto text = fmt::format("step {}{}\n", step.step,
                          step.finished_at.empty() ? "  (running)" : "  finished " + log::printable(step.finished_at));
  std::string metrics;
  for (const auto& [name, value] : step.metrics) metrics += fmt::format("{}={:.6g}  ", log::printable(name), value);
  if (!metrics.empty()) text += wrap(metrics, options.width, "  ");
  Table table({{"group"},
               {"split", Align::kLeft},
               {"prompt id", Align::kLeft},
               {"right"},
               {"reward"},
               {"tokens"},
               {"turns"},
               {"prompt", Align::kLeft}});
  const auto num_shown = std::min(static_cast<int64_t>(groups.size()), options.limit);
  for (int64_t i = 0; i < num_shown; ++i) {
    const auto& g = groups[static_cast<size_t>(i)];
    table.add({count(g.group_id), std::string(to_string(g.split)), excerpt(g.prompt_id),
               fmt::format("{}/{}", g.sums.num_right, g.sums.num_samples), number(g.sums.mean_value(), 3),
               number(g.sums.mean_tokens(), 1), count(g.sums.num_turns), excerpt(g.prompt_text)});
  }
  text += table.empty() ? "(no samples)\n" : table.render(options.width);
  const auto num_left = static_cast<int64_t>(groups.size()) - num_shown;
  return num_left > 0 ? text + fmt::format("... {} groups more: --limit {}\n", num_left, groups.size()) : text;
}

std::string print_group(const GroupDetail& group, const PrintOptions& options) {
  const auto& row = group.row;
  auto text = fmt::format("group {}  {} step {}  {}  task {}  prompt {}\n", row.group_id, log::printable(row.stage),
                          row.step, to_string(row.split), log::printable(row.task), excerpt(row.prompt_id));
  text +=
      block("prompt", group.prompt.text, options.width) + fmt::format("answer key: {}\n", excerpt(group.prompt.answer));
  Table table({{"sample"},
               {"#"},
               {"verdict", Align::kLeft},
               {"reward"},
               {"advantage"},
               {"tokens"},
               {"finish", Align::kLeft},
               {"turns"},
               {"text", Align::kLeft}});
  for (const auto& s : group.samples) {
    table.add({count(s.row.sample_id), count(s.row.index), verdict_text(s.row.verdict), number(s.row.value, 3),
               number(s.row.advantage, 3), count(s.row.num_tokens), std::string(to_string(s.row.finish)),
               count(s.row.num_turns), excerpt(s.sample.text)});
  }
  return text + table.render(options.width);
}

std::string print_sample(const SampleDetail& s, const Prompt& prompt, const PrintOptions& options) {
  const auto& row = s.row;
  auto text = fmt::format("sample {}  {} step {}  {}  task {}  prompt {}  #{} of group {}\n", row.sample_id,
                          log::printable(row.stage), row.step, to_string(row.split), log::printable(row.task),
                          excerpt(row.prompt_id), row.index, row.group_id);
  text += fmt::format("{} tokens, finish {}, weights {}\n", row.num_tokens, to_string(row.finish), row.weights_version);
  text += block("prompt", prompt.text, options.width) + fmt::format("answer key: {}\n", excerpt(prompt.answer));
  text += block("completion", s.sample.text, options.width);
  text += fmt::format("verdict {}  reward {}  advantage {}\n", verdict_text(row.verdict), number(row.value, 4),
                      number(row.advantage, 4));
  if (!s.parts.empty()) text += fmt::format("parts: {}\n", parts_text(s.parts));
  if (!s.detail.empty()) text += fmt::format("why: {}\n", excerpt(s.detail));
  Table events({{"offset"}, {"reflection", Align::kLeft}, {"turn", Align::kLeft}});
  for (const auto& e : s.events) {
    const auto turn = !e.is_turn ? std::string()
                                 : fmt::format("{} ({}) -> {} ({})", excerpt(e.from_answer), claim_text(e.from_right),
                                               excerpt(e.to_answer), claim_text(e.to_right));
    events.add({count(e.offset), log::printable(e.word), turn});
  }
  if (!events.empty()) text += events.render(options.width);
  for (const auto& [kind, id] : s.children) text += fmt::format("became: {} {}\n", log::printable(kind), excerpt(id));
  return text;
}

std::string print_tokens(const Sample& sample, std::optional<double> advantage, const PrintOptions& options) {
  Table table({{"#"}, {"id"}, {"token", Align::kLeft}, {"logprob"}, {"sampling"}, {"gap"}, {"weights"}, {"advantage"}});
  const auto at = [](const std::vector<float>& values, size_t i) {
    return i < values.size() ? static_cast<double>(values[i]) : kNone;
  };
  for (size_t i = 0; i < sample.token_ids.size(); ++i) {
    const double logprob = at(sample.logprobs, i), sampling = at(sample.sampling_logprobs, i);
    const auto token = options.token_text ? log::printable(options.token_text(sample.token_ids[i])) : std::string();
    table.add({count(static_cast<int64_t>(i)), count(sample.token_ids[i]), token, number(logprob, 4),
               number(sampling, 4), number(logprob - sampling, 4),
               i < sample.weights_versions.size() ? count(sample.weights_versions[i]) : "-", number(advantage, 3)});
  }
  return table.render(options.width);
}

}  // namespace r1::rollout
