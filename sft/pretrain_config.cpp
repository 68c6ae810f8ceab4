#include "core/error.h"
#include "sft/pretrain.h"

namespace r1::sft {

namespace {

MoeTraining read_moe(const ConfigTable& t) {
  MoeTraining c;
  c.bias_update_speed = t.get_double("bias_update_speed", c.bias_update_speed);
  c.bias_frozen_from = t.get_double("bias_frozen_from", c.bias_frozen_from);
  c.balance_alpha = t.get_double("balance_alpha", c.balance_alpha);
  return c;
}

MtpTraining read_mtp(const ConfigTable& t) {
  MtpTraining c;
  c.weight = t.get_double("weight", c.weight);
  c.late_weight = t.get_double("late_weight", c.late_weight);
  c.late_from = t.get_double("late_from", c.late_from);
  return c;
}

void validate_v3(const PretrainConfig& c) {
  const auto within = [](std::string_view key, double value, double most) {
    if (value >= 0 && value <= most) return;
    throw Error(fmt::format("pretrain.{}", key), fmt::format("must lie in 0 .. {}, got {}", most, value), "use the default");
  };
  within("moe.bias_update_speed", c.moe.bias_update_speed, 1);
  within("moe.bias_frozen_from", c.moe.bias_frozen_from, 1);
  within("moe.balance_alpha", c.moe.balance_alpha, 10);
  within("mtp.weight", c.mtp.weight, 10);
  within("mtp.late_weight", c.mtp.late_weight, 10);
  within("mtp.late_from", c.mtp.late_from, 1);
}

bool has_come(double share, int64_t step, int64_t steps) {
  return static_cast<double>(step) >= share * static_cast<double>(steps);
}

}  // namespace

int64_t tokens_at(const PretrainConfig& c, int64_t step) {
  if (step >= c.ramp_steps) return c.tokens_per_step;
  return c.first_tokens_per_step + (c.tokens_per_step - c.first_tokens_per_step) * step / c.ramp_steps;
}

double mtp_weight_at(const PretrainConfig& c, int64_t step) {
  return has_come(c.mtp.late_from, step, c.steps) ? c.mtp.late_weight : c.mtp.weight;
}

double bias_speed_at(const PretrainConfig& c, int64_t step) {
  return has_come(c.moe.bias_frozen_from, step, c.steps) ? 0 : c.moe.bias_update_speed;
}

PretrainConfig read_pretrain_config(const Config& config) {
  const auto t = config.table("pretrain");
  PretrainConfig c;
  c.steps = t.get_int("steps", c.steps);
  c.tokens_per_step = t.get_int("tokens_per_step", c.tokens_per_step);
  c.first_tokens_per_step = t.get_int("first_tokens_per_step", c.first_tokens_per_step);
  c.ramp_steps = t.get_int("ramp_steps", c.ramp_steps);
  c.micro_batch_tokens = t.get_int("micro_batch_tokens", c.micro_batch_tokens);
  c.data = t.get_choice("data", c.data, {"traces", "files"});
  c.files = t.get_strings("files", {});
  c.max_tokens = t.get_int("max_tokens", c.max_tokens);
  c.learn_from = t.get_choice("learn_from", "all", {"all", "completion"}) == "all" ? LearnFrom::kAll : LearnFrom::kCompletion;
  c.init_std = t.get_double("init_std", c.init_std);
  c.schedule = train::read_schedule(t.table("optimizer"), c.schedule);
  c.optimizer = train::read_optimizer(t.table("optimizer"), c.optimizer);
  c.moe = read_moe(t.table("moe"));
  c.mtp = read_mtp(t.table("mtp"));
  c.checkpoint_every = t.get_int("checkpoint_every", c.checkpoint_every);
  c.keep_checkpoints = t.get_int("keep_checkpoints", c.keep_checkpoints);
  c.log_every = t.get_int("log_every", c.log_every);
  c.seed = static_cast<uint64_t>(config.root().get_int("seed", 0));
  return c;
}

void validate(const PretrainConfig& c) {
  const auto at_least = [](std::string_view key, int64_t value, int64_t least) {
    if (value < least) {
      throw Error(fmt::format("pretrain.{}", key), fmt::format("must be at least {}, got {}", least, value),
                  fmt::format("set pretrain.{} to {} or more", key, least));
    }
  };
  at_least("steps", c.steps, 1);
  at_least("tokens_per_step", c.tokens_per_step, 2);
  at_least("micro_batch_tokens", c.micro_batch_tokens, 2);
  at_least("max_tokens", c.max_tokens, 2);
  at_least("checkpoint_every", c.checkpoint_every, 1);
  at_least("keep_checkpoints", c.keep_checkpoints, 1);
  at_least("log_every", c.log_every, 1);
  at_least("ramp_steps", c.ramp_steps, 0);
  if (c.ramp_steps > 0) at_least("first_tokens_per_step", c.first_tokens_per_step, 2);
  if (c.ramp_steps == 0 && c.first_tokens_per_step != 0) {
    throw Error("pretrain.first_tokens_per_step", "has no effect without ramp_steps", "set pretrain.ramp_steps");
  }
  if (c.first_tokens_per_step > c.tokens_per_step || c.ramp_steps > c.steps) {
    throw Error("pretrain.ramp_steps",
                fmt::format("the batch would grow from {} to {} tokens over {} of {} steps", c.first_tokens_per_step,
                            c.tokens_per_step, c.ramp_steps, c.steps),
                "let first_tokens_per_step be at most tokens_per_step, and ramp_steps at most steps");
  }
  validate_v3(c);
  if (c.data == "files" && c.files.empty()) throw Error("pretrain.files", "data = \"files\" and no file", "list text or .jsonl files");
  if (c.data != "files" && !c.files.empty()) {
    throw Error("pretrain.files", fmt::format("has no effect with data = \"{}\"", c.data), "set data = \"files\"");
  }
  if (!(c.init_std > 0)) throw Error("pretrain.init_std", fmt::format("must be above 0, got {}", c.init_std), "use 0.02");
  train::validate(c.schedule, c.steps, "pretrain.optimizer");
  train::validate(c.optimizer, "pretrain.optimizer");
}

}  // namespace r1::sft
