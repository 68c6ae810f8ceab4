#include "rewards/alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace r1::rewards {
namespace {

constexpr int64_t kMinHistory = 8;        // steps before a jump can be told
constexpr double kLeastDeviation = 0.03;  // of rewards and shares; below it a steady metric would jump at nothing

double mean(auto begin, auto end) { return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin); }

}  // namespace

AlarmOptions read_alarm_options(const ConfigTable& t, AlarmOptions o) {
  o.window = t.get_int("window", o.window);
  o.patience = t.get_int("patience", o.patience);
  o.no_signal = t.get_double("no_signal", o.no_signal);
  o.dominance = t.get_double("dominance", o.dominance);
  o.length_ratio = t.get_double("length_ratio", o.length_ratio);
  o.accuracy_gain = t.get_double("accuracy_gain", o.accuracy_gain);
  o.jump = t.get_double("jump", o.jump);
  o.undecided = t.get_double("undecided", o.undecided);
  validate(o);
  return o;
}

void validate(const AlarmOptions& o) {
  const auto check = [](bool is_fine, std::string_view key, double value, std::string_view wanted) {
    if (is_fine) return;
    throw Error(fmt::format("rewards.alarms.{}", key), fmt::format("must be {}, got {}", wanted, value),
                "leave it out for the default");
  };
  check(o.window >= kMinHistory && o.window <= 10'000, "window", static_cast<double>(o.window), "from 8 to 10000");
  check(o.patience >= 1, "patience", static_cast<double>(o.patience), "at least 1");
  check(o.no_signal > 0, "no_signal", o.no_signal, "above 0");
  check(o.dominance > 0, "dominance", o.dominance, "above 0");
  check(o.length_ratio > 1, "length_ratio", o.length_ratio, "above 1");
  check(std::isfinite(o.accuracy_gain), "accuracy_gain", o.accuracy_gain, "a number");
  check(o.jump > 0, "jump", o.jump, "above 0");
  check(o.undecided > 0, "undecided", o.undecided, "above 0");
}

std::vector<Alarm> AlarmWatch::observe(const StepStatistics& s) {
  std::vector<Alarm> raised;
  if (s.num_samples == 0) return raised;
  raise_while(s.no_signal >= options_.no_signal, options_.patience,
              {"no_signal", "", s.no_signal, options_.no_signal,
               fmt::format("{:.0f} % of the groups teach nothing: all their rewards are equal", 100 * s.no_signal)},
              raised);
  raise_while(s.identical >= options_.no_signal, options_.patience,
              {"identical", "", s.identical, options_.no_signal,
               fmt::format("in {:.0f} % of the groups every completion is the same", 100 * s.identical)},
              raised);
  raise_while(s.undecided >= options_.undecided, 1,
              {"undecided", "", s.undecided, options_.undecided,
               fmt::format("{:.0f} % of the answers could not be judged: see their reasons", 100 * s.undecided)},
              raised);
  for (const auto& [name, part] : s.parts) {
    if (name == "accuracy" || s.parts.size() < 2) continue;
    raise_while(part.signal >= options_.dominance, options_.patience,
                {"dominance", name, part.signal, options_.dominance,
                 fmt::format("{:.0f} % of the signal comes of '{}', not of the answers", 100 * part.signal, name)},
                raised);
  }
  check_length(s, raised);
  check_jump("reward", s.reward, kLeastDeviation, raised);
  check_jump("accuracy", s.accuracy, kLeastDeviation, raised);
  check_jump("tokens", s.tokens, kLeastDeviation * s.tokens, raised);
  for (const auto& [name, part] : s.parts) check_jump("reward/" + name, part.mean, kLeastDeviation, raised);
  return raised;
}

void AlarmWatch::raise_while(bool is_bad, int64_t patience, Alarm alarm, std::vector<Alarm>& raised) {
  auto& streak = streaks_[alarm.kind + " " + alarm.subject];
  streak = is_bad ? streak + 1 : 0;
  if (streak >= patience && (streak - patience) % options_.window == 0) raised.push_back(std::move(alarm));
}

// The last quarter of the window against its first. Called before this step enters the history.
void AlarmWatch::check_length(const StepStatistics& s, std::vector<Alarm>& raised) {
  const auto &tokens = history_["tokens"], &accuracy = history_["accuracy"];
  const auto size = static_cast<int64_t>(tokens.size());
  double ratio = 1, gain = 0;
  if (size >= options_.window && accuracy.size() == tokens.size()) {
    const auto quarter = std::max<int64_t>(1, options_.window / 4);
    ratio = mean(tokens.end() - quarter, tokens.end()) / std::max(1.0, mean(tokens.begin(), tokens.begin() + quarter));
    gain = mean(accuracy.end() - quarter, accuracy.end()) - mean(accuracy.begin(), accuracy.begin() + quarter);
  }
  const bool has_drifted = ratio >= options_.length_ratio || ratio <= 1 / options_.length_ratio;
  raise_while(
      has_drifted && gain < options_.accuracy_gain, 1,
      {"length_drift", "tokens", ratio, options_.length_ratio,
       fmt::format("completions are {:.2f} times as long as {} steps ago ({:.0f} tokens), and accuracy went by {:+.3f}",
                   ratio, options_.window, s.tokens, gain)},
      raised);
}

// And enters the value into the history.
void AlarmWatch::check_jump(const std::string& name, double value, double floor, std::vector<Alarm>& raised) {
  auto& history = history_[name];
  if (static_cast<int64_t>(history.size()) >= kMinHistory) {
    const double middle = mean(history.begin(), history.end());
    double squares = 0;
    for (const double x : history) squares += (x - middle) * (x - middle);
    const double deviation = std::max(std::sqrt(squares / static_cast<double>(history.size())), floor);
    const double limit = options_.jump * deviation;
    if (std::abs(value - middle) > limit) {
      raised.push_back({"jump", name, value, middle + (value > middle ? limit : -limit),
                        fmt::format("{} went from about {:.3g} to {:.3g} in one step", name, middle, value)});
    }
  }
  history.push_back(value);
  if (static_cast<int64_t>(history.size()) > options_.window) history.pop_front();
}

json::bj::object AlarmWatch::to_json() const {
  json::bj::object history, streaks;
  for (const auto& [name, values] : history_) history[name] = json::bj::array(values.begin(), values.end());
  for (const auto& [name, streak] : streaks_) streaks[name] = streak;
  return {{"history", std::move(history)}, {"streaks", std::move(streaks)}};
}

void AlarmWatch::restore(const json::bj::value& state, const std::string& where) {
  if (!state.is_object()) throw Error(where, "the alarms' state is no JSON object", "take another checkpoint");
  std::map<std::string, std::deque<double>> history;
  std::map<std::string, int64_t> streaks;
  const auto& stored = json::get_object(state.get_object(), "history", where);
  for (const auto& [name, values] : stored) {
    for (const auto& value : json::get_array(stored, name, where)) history[name].push_back(value.to_number<double>());
  }
  const auto& counts = json::get_object(state.get_object(), "streaks", where);
  for (const auto& [name, value] : counts) streaks[name] = json::get_int(counts, name, where);
  history_ = std::move(history);
  streaks_ = std::move(streaks);
}

}  // namespace r1::rewards
