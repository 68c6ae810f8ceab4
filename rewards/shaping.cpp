#include "rewards/shaping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace r1::rewards {
namespace {

void require_weight(std::string_view key, double weight) {
  if (std::isfinite(weight) && weight >= 0) return;
  throw Error(fmt::format("rewards.{}", key), fmt::format("must be at least 0, got {}", weight),
              "use a weight such as 0.1; penalties are below 0 by themselves");
}

WeightRule read_rule(const ConfigTable& table) {
  WeightRule rule;
  rule.part = table.require_string("part");
  rule.task = table.get_string("task", "");
  rule.source = table.get_string("source", "");
  rule.first_step = table.get_int("first_step", 0);
  if (table.has("last_step")) rule.last_step = table.get_int("last_step", -1);
  rule.ramp_steps = table.get_int("ramp_steps", 0);
  if (!table.has("weight")) {
    throw Error(table.where("weight"), "a rule without a weight has no effect", "add weight = 0.5, or take it out");
  }
  rule.weight = table.get_double("weight", 0);
  return rule;
}

void validate(const WeightRule& rule) {
  require_weight("rules.weight", rule.weight);
  if (rule.ramp_steps < 0) {
    throw Error("rewards.rules.ramp_steps", fmt::format("must be at least 0, got {}", rule.ramp_steps),
                "use 0 for none");
  }
  const bool is_same_end = rule.last_step && (rule.first_step < 0) == (*rule.last_step < 0);
  if (is_same_end && *rule.last_step < rule.first_step) {
    throw Error("rewards.rules.last_step",
                fmt::format("is {}, before first_step = {}: the rule never holds", *rule.last_step, rule.first_step),
                "steps below 0 count from the end of the stage: -1 is its last");
  }
}

}  // namespace

bool ShapingOptions::has_rule(std::string_view part) const {
  return std::ranges::any_of(rules, [&](const WeightRule& rule) { return rule.part == part; });
}

bool ShapingOptions::has_effect() const {
  return language_weight > 0 || overlong_tokens > 0 || cosine_weight > 0 || repetition_weight > 0 ||
         std::ranges::any_of(rules, [](const WeightRule& rule) { return rule.weight > 0; });
}

ShapingOptions read_shaping_options(const ConfigTable& t, ShapingOptions o) {
  o.language_weight = t.get_double("language_weight", o.language_weight);
  o.language.target = t.get_string("language_target", o.language.target);
  o.overlong_weight = t.get_double("overlong_weight", o.overlong_weight);
  o.overlong_tokens = t.get_int("overlong_tokens", o.overlong_tokens);
  o.cosine_weight = t.get_double("cosine_weight", o.cosine_weight);
  auto& c = o.cosine;
  c.right_short = t.get_double("cosine_right_short", c.right_short);
  c.right_long = t.get_double("cosine_right_long", c.right_long);
  c.wrong_short = t.get_double("cosine_wrong_short", c.wrong_short);
  c.wrong_long = t.get_double("cosine_wrong_long", c.wrong_long);
  c.exceeded = t.get_double("cosine_exceeded", c.exceeded);
  c.max_tokens = t.get_int("cosine_max_tokens", c.max_tokens);
  o.repetition_weight = t.get_double("repetition_weight", o.repetition_weight);
  o.repetition.ngram = t.get_int("repetition_ngram", o.repetition.ngram);
  o.repetition.free_share = t.get_double("repetition_free_share", o.repetition.free_share);
  for (const auto& table : t.tables("rules")) o.rules.push_back(read_rule(table));
  validate(o);
  return o;
}

void validate(const ShapingOptions& o) {
  require_weight("language_weight", o.language_weight);
  require_weight("overlong_weight", o.overlong_weight);
  require_weight("cosine_weight", o.cosine_weight);
  require_weight("repetition_weight", o.repetition_weight);
  if (o.overlong_tokens < 0) {
    throw Error("rewards.overlong_tokens", fmt::format("must be at least 0, got {}", o.overlong_tokens), "0 is off");
  }
  validate(o.language);
  validate(o.cosine);
  validate(o.repetition);
  for (const auto& rule : o.rules) validate(rule);
}

void add_shaping_parts(const ShapingOptions& o, std::vector<Part>& parts) {
  const auto is_used = [&](std::string_view name, double weight) { return weight > 0 || o.has_rule(name); };
  if (is_used("language", o.language_weight)) {
    parts.push_back({"language", o.language_weight, std::make_unique<LanguageReward>(o.language)});
  }
  if (o.overlong_tokens > 0) {
    parts.push_back({"overlong", o.overlong_weight, std::make_unique<OverlongReward>(o.overlong_tokens)});
  }
  if (is_used("cosine", o.cosine_weight)) {
    parts.push_back({"cosine", o.cosine_weight, std::make_unique<CosineReward>(o.cosine)});
  }
  if (is_used("repetition", o.repetition_weight)) {
    parts.push_back({"repetition", o.repetition_weight, std::make_unique<RepetitionReward>(o.repetition)});
  }
}

}  // namespace r1::rewards
