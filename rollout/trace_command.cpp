// print_traces(): which view was asked for, as text or as JSON.

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "core/log.h"
#include "rollout/trace_json.h"
#include "rollout/trace_print.h"

namespace r1::rollout {
namespace {

constexpr int kDefaultWidth = 100, kLeastWidth = 40, kMaxWidth = 400;

int width_of(std::FILE* out, int wanted) {
  if (wanted <= 0) {
    winsize size{};
    const bool is_terminal = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    wanted = is_terminal ? size.ws_col : kDefaultWidth;
  }
  return std::clamp(wanted, kLeastWidth, kMaxWidth);
}

struct View {
  std::string text;  // one of the two, as asked for
  boost::json::value json;
  int status = 0;
};

class Views {
 public:
  Views(const TraceCommand& command, int width)
      : command_(command),
        options_{.width = width, .limit = command.limit, .token_text = command.token_text},
        reader_(command.run) {}

  View of_command() {
    if (command_.sample) return sample();
    if (!command_.group.empty()) return group();
    if (!command_.prompt.empty()) return prompt();
    if (!command_.search.empty() || command_.filter) return hits();
    if (command_.wants_words) return words();
    if (command_.wants_alarms) return alarms();
    if (command_.step) return step();
    return overview();
  }

 private:
  View sample() {
    const auto detail = reader_.sample(*command_.sample);
    const auto prompt = reader_.prompt_of_group(detail.row.group_id);
    if (command_.wants_json) {
      auto json = to_json(detail);
      json["prompt"] = to_json(prompt);
      return {.json = std::move(json)};
    }
    auto text = print_sample(detail, prompt, options_);
    if (command_.wants_tokens) text += print_tokens(detail.sample, detail.row.advantage, options_);
    return {.text = std::move(text)};
  }

  View group() {
    auto rows = reader_.groups_of_prompt(command_.group);
    const auto is_other = [&](const GroupRow& g) {
      return (command_.step && g.step != *command_.step) || (!command_.stage.empty() && g.stage != command_.stage);
    };
    const auto newest = rows.back();
    std::erase_if(rows, is_other);
    if (rows.empty()) {
      throw Error(reader_.path().string(),
                  fmt::format("prompt '{}' was not sampled at that step", log::printable(command_.group)),
                  fmt::format("its last step is {} of stage '{}'; --prompt lists them all", newest.step,
                              log::printable(newest.stage)));
    }
    if (!command_.step) rows = {rows.back()};
    View view{.json = boost::json::array()};
    for (const auto& row : rows) {
      const auto detail = reader_.group(row.group_id);
      if (command_.wants_json) {
        view.json.as_array().push_back(to_json(detail));
      } else {
        view.text += (view.text.empty() ? "" : "\n") + print_group(detail, options_);
      }
    }
    return view;
  }

  View prompt() {
    const auto groups = reader_.groups_of_prompt(command_.prompt);
    if (command_.wants_json) return {.json = to_json_array(groups)};
    return {.text = print_prompt_history(groups, options_)};
  }

  View hits() {
    auto filter = command_.filter.value_or(TraceFilter{});
    if (!command_.search.empty()) filter.search = command_.search;
    if (filter.stage.empty()) filter.stage = command_.stage;
    if (command_.step) filter.first_step = filter.last_step = command_.step;
    filter.limit = command_.limit;
    const auto found = reader_.filter(filter);
    const int status = found.empty() ? 1 : 0;
    if (command_.wants_json) return {.json = to_json_array(found), .status = status};
    return {.text = print_hits(found, options_), .status = status};
  }

  View words() {
    const auto steps = reader_.word_counts(command_.stage, command_.words_split);
    if (command_.wants_json) return {.json = to_json_array(steps)};
    return {.text = print_words(steps, options_)};
  }

  View alarms() {
    const auto found =
        command_.step ? reader_.alarms(command_.stage, *command_.step, *command_.step) : reader_.alarms(command_.stage);
    if (command_.wants_json) return {.json = to_json_array(found)};
    return {.text = print_alarms(found, options_)};
  }

  View step() {
    const auto groups = reader_.groups_of_step(command_.stage, *command_.step);
    const auto steps = reader_.steps(command_.stage, *command_.step, *command_.step);
    const auto alarms = reader_.alarms(command_.stage, *command_.step, *command_.step);
    if (command_.wants_json) {
      auto json = to_json(steps.at(0));
      json["groups"] = to_json_array(groups);
      json["alarms"] = to_json_array(alarms);
      return {.json = std::move(json)};
    }
    const auto raised = alarms.empty() ? std::string() : print_alarms(alarms, options_);
    return {.text = print_step(steps.at(0), groups, options_) + raised};
  }

  View overview() {
    const auto runs = reader_.runs();
    const bool has_stage = std::any_of(runs.begin(), runs.end(), [](const RunRow& r) { return !r.stages.empty(); });
    if (!has_stage) {
      if (command_.wants_json) return {.json = boost::json::object{{"runs", to_json_array(runs)}}};
      return {.text = print_runs(runs, options_)};
    }
    const auto stage = reader_.resolve_stage(command_.stage);
    const auto steps = reader_.steps(stage);
    const auto evaluations = reader_.evaluations(stage);
    const auto alarms = reader_.alarms(stage);
    if (command_.wants_json) {
      return {.json = boost::json::object{{"runs", to_json_array(runs)},
                                          {"stage", valid_utf8(stage)},
                                          {"steps", to_json_array(steps)},
                                          {"evaluations", to_json_array(evaluations)},
                                          {"alarms", to_json_array(alarms)}}};
    }
    auto text =
        print_runs(runs, options_) + fmt::format("\nstage {}\n", log::printable(stage)) + print_trends(steps, options_);
    text += print_steps(steps, options_);
    if (const auto parts = print_parts(steps, options_); !parts.empty()) text += "\n" + parts;
    if (!evaluations.empty()) text += "\n" + print_evaluations(evaluations, options_);
    if (!alarms.empty()) text += "\n" + print_alarms(alarms, options_);
    return {.text = std::move(text)};
  }

  const TraceCommand& command_;
  PrintOptions options_;
  TraceReader reader_;
};

}  // namespace

int print_traces(const TraceCommand& command, std::FILE* out) {
  Views views(command, width_of(out, command.width));
  const auto view = views.of_command();
  const auto text = command.wants_json ? json::dump_pretty(view.json) : view.text;
  if (std::fwrite(text.data(), 1, text.size(), out) != text.size() || std::fflush(out) != 0) {
    throw Error("standard output", "cannot write all of the answer",
                "check the disk or the pipe that the output goes to");
  }
  return view.status;
}

}  // namespace r1::rollout
