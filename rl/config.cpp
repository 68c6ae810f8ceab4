#include "rl/config.h"

#include <algorithm>

#include "core/error.h"
#include "rollout/sampler.h"

namespace r1::rl {
namespace {

void fail(const std::string& key, const std::string& what, const std::string& mend) { throw Error(key, what, mend); }

void at_least(const std::string& key, int64_t value, int64_t least) {
  if (value < least) fail(key, fmt::format("must be at least {}, got {}", least, value), fmt::format("set {} to {} or more", key, least));
}

SamplingParams read_sampling(const ConfigTable& rl) {
  SamplingParams p;
  p.num_samples = static_cast<int>(rl.get_int("group_size", 16));
  p.temperature = rl.get_double("temperature", 1.0);
  p.top_p = rl.get_double("top_p", 1.0);
  p.top_k = static_cast<int>(rl.get_int("top_k", 0));
  p.min_p = rl.get_double("min_p", 0.0);
  p.stop = rl.get_strings("stop", {});
  if (rl.get_bool("keep_stop", false)) p.stop_text = SamplingParams::StopText::kInclude;
  return p;
}

std::vector<LengthStage> read_lengths(const ConfigTable& rl) {
  std::vector<LengthStage> out{{.step = 0, .max_new_tokens = rl.get_int("max_new_tokens", 256)}};
  for (const auto& stage : rl.tables("length_schedule")) {
    out.push_back({.step = stage.get_int("step", 0), .max_new_tokens = stage.get_int("max_new_tokens", 256)});
  }
  return out;
}

AdvantageConfig read_advantage(const ConfigTable& table) {
  const auto kind = table.get_choice("kind", "group_std", {"group_std", "group_mean", "batch_std", "leave_one_out"});
  const auto deviation = table.get_choice("deviation", "sample", {"sample", "population"});
  return {.kind = kind == "group_std"    ? AdvantageKind::kGroupStd
                  : kind == "group_mean" ? AdvantageKind::kGroupMean
                  : kind == "batch_std"  ? AdvantageKind::kBatchStd
                                         : AdvantageKind::kLeaveOneOut,
          .deviation = deviation == "sample" ? Deviation::kSample : Deviation::kPopulation,
          .eps = table.get_double("eps", 1e-4)};
}

EvalConfig read_eval(const ConfigTable& t, const EvalConfig& d) {
  return {.every = t.get_int("every", d.every),
          .num_prompts = t.get_int("num_prompts", d.num_prompts),
          .num_samples = t.get_int("num_samples", d.num_samples),
          .temperature = t.get_double("temperature", d.temperature),
          .top_p = t.get_double("top_p", d.top_p),
          .at_start = t.get_bool("at_start", d.at_start)};
}

}  // namespace

RlConfig read_rl_config(const Config& config) {
  const auto rl = config.table("rl");
  RlConfig c;
  c.steps = rl.get_int("steps", c.steps);
  c.prompts_per_step = rl.get_int("prompts_per_step", c.prompts_per_step);
  c.sampling = read_sampling(rl);
  c.lengths = read_lengths(rl);
  c.num_minibatches = rl.get_int("num_minibatches", c.num_minibatches);
  c.num_epochs = rl.get_int("num_epochs", c.num_epochs);
  c.micro_batch_tokens = rl.get_int("micro_batch_tokens", c.micro_batch_tokens);
  c.reference_refresh_steps = rl.get_int("reference_refresh_steps", c.reference_refresh_steps);
  c.recompute_old_logprobs = rl.get_bool("recompute_old_logprobs", c.recompute_old_logprobs);
  c.checkpoint_every = rl.get_int("checkpoint_every", c.checkpoint_every);
  c.keep_checkpoints = rl.get_int("keep_checkpoints", c.keep_checkpoints);
  c.num_reward_threads = rl.get_int("num_reward_threads", c.num_reward_threads);
  c.seed = static_cast<uint64_t>(config.root().get_int("seed", 0));
  c.advantage = read_advantage(rl.table("advantage"));
  c.loss = read_loss(rl.table("loss"), c.loss);
  const auto dynamic = rl.table("dynamic_sampling");
  c.dynamic_sampling = {.enabled = dynamic.get_bool("enabled", false), .max_rounds = dynamic.get_int("max_rounds", 4)};
  c.overlong = {.filter = rl.table("overlong").get_bool("filter", false)};
  c.schedule = train::read_schedule(rl.table("optimizer"), c.schedule);
  c.optimizer = train::read_optimizer(rl.table("optimizer"), c.optimizer);
  c.eval = read_eval(config.table("eval"), c.eval);
  return c;
}

void validate(const RlConfig& c) {
  at_least("rl.steps", c.steps, 1);
  at_least("rl.prompts_per_step", c.prompts_per_step, 1);
  if (c.sampling.num_samples < 2) {
    fail("rl.group_size", fmt::format("must be at least 2, got {}", c.sampling.num_samples),
         "the baseline is the group's mean, so a lone completion has advantage 0; 8 to 64 is usual");
  }
  if (!(c.sampling.temperature > 0)) {
    fail("rl.temperature", fmt::format("must be above 0, got {}", c.sampling.temperature),
         "greedy decoding samples the same completion over and over; use 1.0");
  }
  rollout::validate(c.sampling, "rl");
  for (size_t i = 0; i < c.lengths.size(); ++i) {
    at_least("rl.max_new_tokens", c.lengths[i].max_new_tokens, 1);
    if (i > 0 && c.lengths[i].step <= c.lengths[i - 1].step) {
      fail("rl.length_schedule", fmt::format("steps must rise, got {} after {}", c.lengths[i].step, c.lengths[i - 1].step),
           "order the stages by step, the first above 0");
    }
  }
  if (c.num_minibatches < 1 || c.prompts_per_step % c.num_minibatches != 0) {
    fail("rl.num_minibatches", fmt::format("must divide prompts_per_step = {}, got {}", c.prompts_per_step, c.num_minibatches),
         "use 1, or a divisor");
  }
  at_least("rl.num_epochs", c.num_epochs, 1);
  at_least("rl.micro_batch_tokens", c.micro_batch_tokens, 1);
  at_least("rl.reference_refresh_steps", c.reference_refresh_steps, 0);
  at_least("rl.checkpoint_every", c.checkpoint_every, 1);
  at_least("rl.keep_checkpoints", c.keep_checkpoints, 1);
  at_least("rl.num_reward_threads", c.num_reward_threads, 1);
  at_least("rl.dynamic_sampling.max_rounds", c.dynamic_sampling.max_rounds, 1);
  at_least("eval.every", c.eval.every, 0);
  at_least("eval.num_prompts", c.eval.num_prompts, 1);
  at_least("eval.num_samples", c.eval.num_samples, 1);
  if (c.reference_refresh_steps > 0 && c.loss.kl_coef == 0) {
    fail("rl.reference_refresh_steps", "has no effect: rl.loss.kl_coef is 0, so there is no reference policy",
         "set rl.loss.kl_coef (R1: 0.001), or leave reference_refresh_steps out");
  }
  validate(c.loss, "rl.loss");
  train::validate(c.schedule, c.steps * c.num_minibatches * c.num_epochs, "rl.optimizer");
  train::validate(c.optimizer, "rl.optimizer");
}

int64_t max_new_tokens_at(const RlConfig& c, int64_t step) {
  int64_t tokens = c.lengths[0].max_new_tokens;
  for (const auto& stage : c.lengths) {
    if (step >= stage.step) tokens = stage.max_new_tokens;
  }
  return tokens;
}

}  // namespace r1::rl
