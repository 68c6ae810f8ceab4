#include "core/error.h"
#include "sft/pretrain.h"

namespace r1::sft {

PretrainConfig read_pretrain_config(const Config& config) {
  const auto t = config.table("pretrain");
  PretrainConfig c;
  c.steps = t.get_int("steps", c.steps);
  c.tokens_per_step = t.get_int("tokens_per_step", c.tokens_per_step);
  c.micro_batch_tokens = t.get_int("micro_batch_tokens", c.micro_batch_tokens);
  c.data = t.get_choice("data", c.data, {"traces", "files"});
  c.files = t.get_strings("files", {});
  c.max_tokens = t.get_int("max_tokens", c.max_tokens);
  c.learn_from = t.get_choice("learn_from", "all", {"all", "completion"}) == "all" ? LearnFrom::kAll : LearnFrom::kCompletion;
  c.init_std = t.get_double("init_std", c.init_std);
  c.schedule = train::read_schedule(t.table("optimizer"), c.schedule);
  c.optimizer = train::read_optimizer(t.table("optimizer"), c.optimizer);
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
  if (c.data == "files" && c.files.empty()) throw Error("pretrain.files", "data = \"files\" and no file", "list text or .jsonl files");
  if (c.data != "files" && !c.files.empty()) {
    throw Error("pretrain.files", fmt::format("has no effect with data = \"{}\"", c.data), "set data = \"files\"");
  }
  if (!(c.init_std > 0)) throw Error("pretrain.init_std", fmt::format("must be above 0, got {}", c.init_std), "use 0.02");
  train::validate(c.schedule, c.steps, "pretrain.optimizer");
  train::validate(c.optimizer, "pretrain.optimizer");
}

}  // namespace r1::sft
