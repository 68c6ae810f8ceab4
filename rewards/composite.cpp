#include "rewards/composite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/config.h"
#include "core/error.h"

namespace r1::rewards {
namespace {

void check_parts(const std::vector<Part>& parts) {
  if (parts.empty()) throw Error("rewards", "a composite reward has no parts", "give it at least one part");
  std::set<std::string> names;
  for (const auto& part : parts) {
    if (!names.insert(part.name).second) {
      throw Error("rewards", fmt::format("two parts are named '{}'", part.name), "give each part a name of its own");
    }
    if (!std::isfinite(part.weight)) {
      throw Error(fmt::format("rewards.{}_weight", part.name), fmt::format("must be finite, got {}", part.weight),
                  "use a weight such as 1");
    }
  }
}

size_t find_part(const std::vector<Part>& parts, const std::string& name) {
  const auto at = std::ranges::find(parts, name, &Part::name);
  if (at != parts.end()) return static_cast<size_t>(at - parts.begin());
  std::vector<std::string> names;
  for (const auto& part : parts) names.push_back(part.name);
  const auto near = nearest(name, names);
  throw Error("rewards.rules", fmt::format("no part of this reward is named '{}'", name),
              fmt::format("name one of {}{}", fmt::join(names, ", "), near ? "; perhaps " + *near : ""));
}

// A step that may count from the end; nothing if the end is unknown.
std::optional<int64_t> from_start(int64_t step, const StepContext& context) {
  if (step >= 0) return step;
  if (context.num_steps <= 0) return {};
  return std::max<int64_t>(context.num_steps + step, 0);
}

// How much of the rule's weight counts at this step: 0 outside it, less than 1 on its ramp.
double share_of(const WeightRule& rule, const Prompt& prompt, const StepContext& context) {
  if (!rule.task.empty() && rule.task != prompt.task) return 0;
  if (!rule.source.empty() && rule.source != prompt.source) return 0;
  const auto first = from_start(rule.first_step, context);
  if (!first || context.step < *first) return 0;
  if (rule.last_step) {
    const auto last = from_start(*rule.last_step, context);
    if (last && context.step > *last) return 0;
  }
  if (rule.ramp_steps <= 0) return 1;
  return std::min(1.0, static_cast<double>(context.step - *first + 1) / static_cast<double>(rule.ramp_steps));
}

}  // namespace

Composite::Composite(std::vector<Part> parts, std::vector<WeightRule> rules) : parts_(std::move(parts)) {
  check_parts(parts_);
  for (auto& rule : rules) {
    const auto part = find_part(parts_, rule.part);
    if (!std::isfinite(rule.weight)) {
      throw Error("rewards.rules", fmt::format("the weight of '{}' must be finite, got {}", rule.part, rule.weight),
                  "use a weight such as 1");
    }
    rules_.push_back({std::move(rule), part});
  }
}

double Composite::weight_of(size_t part, const Prompt& prompt, const StepContext& context) const {
  double weight = parts_[part].weight;
  for (const auto& [rule, of] : rules_) {
    if (of == part) weight += (rule.weight - weight) * share_of(rule, prompt, context);
  }
  return weight;
}

Score Composite::score_reply(const Prompt& prompt, const Reply& reply) const {
  if (reply.finish == FinishReason::kCancelled) {
    return {.verdict = Verdict::kUndecided, .parts = {}, .detail = "the sample was cancelled"};
  }
  Score total;
  auto rest = reply;  // with the verdict, for the parts behind the first
  const auto add_detail = [&](const std::string& name, const std::string& detail) {
    if (!detail.empty()) total.detail += fmt::format("{}{}: {}", total.detail.empty() ? "" : "; ", name, detail);
  };
  for (size_t i = 0; i < parts_.size(); ++i) {
    const double weight = weight_of(i, prompt, reply.context);
    if (i > 0 && weight == 0) continue;
    auto score = parts_[i].reward->score_reply(prompt, i == 0 ? reply : rest);
    if (i == 0) {
      if (score.verdict == Verdict::kUndecided) {
        return {.verdict = score.verdict, .parts = {}, .detail = std::move(score.detail)};
      }
      rest.verdict = total.verdict = score.verdict;
      total.detail = std::move(score.detail);
      total.answer = std::move(score.answer);
    } else {
      add_detail(parts_[i].name, score.detail);
      if (score.verdict == Verdict::kUndecided) continue;
    }
    const double value = weight * score.value;
    total.value += value;
    total.parts.emplace_back(parts_[i].name, value);
  }
  return total;
}

}  // namespace r1::rewards
