// r1 rl: GRPO from a recipe.

#include <torch/torch.h>

#include <set>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/recipe.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "rewards/judgeable.h"
#include "rl/loop.h"
#include "text/chat.h"
#include "train/run_folder.h"

namespace r1::cli {
namespace {

struct RlOptions {
  std::string config, run, model;
  std::vector<std::string> overrides;
  int num_threads = 0;
  bool is_dry = false, is_unsafe = false;
};

tasks::PromptMaker prompt_maker(const Recipe& recipe, const text::Tokenizer& tokenizer) {
  const bool is_chat =
      recipe.prompt.form == tasks::PromptTemplate::kChat;  // chat templates write the special tokens themselves
  return {.style = recipe.prompt,
          .encode =
              [&tokenizer, is_chat](std::string_view text) {
                return tokenizer.encode(text, is_chat ? text::Specials::kNone : text::Specials::kAdd);
              },
          .render_chat =
              [&tokenizer](std::span<const tasks::Message> messages) {
                std::vector<text::Message> out;
                for (const auto& m : messages) out.push_back({m.role, m.content});
                return text::render_chat(tokenizer, out);
              }};
}

// Reads a finite set through; an endless one is a generator's, whose answers can be judged.
void require_judgeable(const tasks::QuestionSet& set, const rewards::RewardOptions& options) {
  std::set<std::string> names;
  for (uint64_t i = 0; i < set.size; ++i) names.insert(set.at(i).task);
  rewards::require_judgeable(names, set.name, options);
}

// Opened and checked, so that bad data is refused before the run's folder is made.
std::vector<tasks::WeightedSet> training_sets(const Recipe& recipe) {
  std::vector<tasks::WeightedSet> sets;
  for (const auto& set : recipe.task_sets) {
    sets.push_back({.set = tasks::open_set(set, tasks::Split::kTrain, recipe.rl.seed), .weight = set.weight});
    require_judgeable(sets.back().set, recipe.rewards);
  }
  if (sets.empty()) throw Error("tasks", "the recipe names no data set", "add [[tasks]] with a generator or a file");
  return sets;
}

// Held-out prompts of every set, in proportion to the weights.
std::vector<Prompt> held_out_prompts(const Recipe& recipe, const tasks::PromptMaker& maker) {
  double weights = 0;
  for (const auto& set : recipe.task_sets) weights += set.weight;
  std::vector<Prompt> prompts;
  for (const auto& set : recipe.task_sets) {
    const auto count = static_cast<int>(static_cast<double>(recipe.rl.eval.num_prompts) * set.weight / weights + 0.5);
    if (count == 0) continue;
    auto some = tasks::first_prompts(tasks::open_set(set, tasks::Split::kHeldOut, recipe.rl.seed), count, maker);
    std::ranges::move(some, std::back_inserter(prompts));
  }
  return prompts;
}

// What the run will cost, before anything is spent.
void print_plan(const Recipe& r, const model::ModelConfig& model) {
  const auto& rl = r.rl;
  const double mib = 1 << 20;
  const auto parameters = static_cast<double>(model.num_parameters());
  const auto samples = rl.prompts_per_step * rl.sampling.num_samples;
  fmt::print("model               {} parameters, {}\n", model.num_parameters(), to_string(model.family));
  fmt::print("a step              {} prompts x {} samples = {} completions of at most {} tokens\n", rl.prompts_per_step,
             rl.sampling.num_samples, samples, rl::max_new_tokens_at(rl, 0));
  fmt::print("updates             {} a step, {} in all\n", rl.num_minibatches * rl.num_epochs,
             rl.steps * rl.num_minibatches * rl.num_epochs);
  fmt::print("completions         {} in all\n", rl.steps * samples);
  fmt::print("weights and AdamW   {:.0f} MiB (weights, gradients, two moments, packed copy{})\n",
             parameters * 4 * (rl.loss.kl_coef != 0 ? 6 : 5) / mib, rl.loss.kl_coef != 0 ? ", reference" : "");
  fmt::print("KV cache            at most {} MiB, {} bytes a token\n", r.engine.kv_cache_mb,
             model.kv_floats_per_token() * 4);
  fmt::print("a checkpoint        {:.0f} MiB, {} kept\n", parameters * 4 * (rl.loss.kl_coef != 0 ? 4 : 3) / mib,
             rl.keep_checkpoints);
}

rl::LoopEnd train(const Recipe& recipe, const OpenModel& start, std::vector<tasks::WeightedSet> sets,
                  const train::RunFolder& run, const Config& config) {
  const auto precision = recipe.model.precision == "bf16" ? nn::Precision::kBF16 : nn::Precision::kF32;
  nn::CausalLm policy(start.loaded.config, *start.loaded.weights,
                      {.recompute = recipe.model.recomputes_layers ? nn::Recompute::kLayers : nn::Recompute::kNothing,
                       .precision = precision,
                       .latent_attention = nn::LatentAttention::kAbsorbed});
  model::Decoder decoder(start.loaded.config, policy.parameters().source(),
                         precision == nn::Precision::kBF16 ? model::WeightFormat::kBF16 : model::WeightFormat::kF32,
                         compute_pool(), mtp_for(recipe.engine.num_draft_tokens));
  rollout::Engine engine(decoder, start.tokenizer, start.eos_ids, recipe.engine);
  const auto maker = prompt_maker(recipe, start.tokenizer);
  tasks::PromptSource prompts(std::move(sets), maker, recipe.rl.seed);
  const auto eval_prompts = held_out_prompts(recipe, maker);
  const auto reward = rewards::make_reward(recipe.rewards);
  const train::CheckpointStore checkpoints(run.checkpoints(), recipe.rl.keep_checkpoints);
  const auto done = checkpoints.steps();
  train::MetricsWriter metrics(run.metrics(), done.empty() ? -1 : done.back() - 1);
  rollout::RolloutWriter database(
      run.path() / rollout::kRolloutsFile,
      {.run_id = run.path().filename().string(), .config_toml = config.effective_toml(), .version = "0.1.0"});
  rl::RlLoop loop(recipe.rl, {.policy = policy,
                              .decoder = decoder,
                              .engine = engine,
                              .prompts = prompts,
                              .eval_prompts = eval_prompts,
                              .reward = *reward,
                              .alarms = recipe.rewards.alarms,
                              .database = database,
                              .metrics = metrics,
                              .checkpoints = checkpoints,
                              .tokenizer_files = start.loaded.path});
  const auto end = loop.run();
  database.flush();
  metrics.flush();
  if (end == rl::LoopEnd::kFinished) {
    AtomicFolder folder(run.model());
    model::save_model(folder.path(), policy.config(), policy.parameters().source(), {.extra_files = start.loaded.path});
    if (start.loaded.is_gguf) start.tokenizer.save(folder.path());
    folder.commit();
    log::info("the trained model is in {}", run.model().string());
  }
  return end;
}

}  // namespace

int run_rl(int argc, const char* const* argv) {
  RlOptions o;
  CLI::App app("Reinforcement learning from a recipe: sample, score, update (GRPO).", "r1 rl");
  app.add_option("config", o.config, "recipe, as configs/quickstart.toml")->required();
  app.add_option("--run", o.run, "the run's folder; an unfinished run in it goes on")->required();
  app.add_option("--model", o.model, "model to start from, instead of model.path");
  app.add_option("--set", o.overrides, "dotted.key=value, over the recipe's");
  app.add_flag("--dry-run", o.is_dry, "print sizes and stop");
  app.add_flag("--unsafe", o.is_unsafe, "run programs of code rewards without namespaces, where the machine has none");
  add_threads(app, o.num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  apply_threads(o.num_threads);
  if (o.is_unsafe) o.overrides.push_back("rewards.code_isolation=\"unsafe\"");
  if (!o.model.empty()) o.overrides.push_back(fmt::format("model.path=\"{}\"", o.model));

  const auto config = Config::from_file(o.config, o.overrides);
  const auto recipe = read_recipe(config);
  rl::validate(recipe.rl);
  rollout::validate(recipe.engine);
  if (recipe.model.precision == "fp8") {
    throw Error("model.precision", "fp8 is for pretraining: rollouts would be of other products than the update's",
                "use f32 or bf16");
  }
  if (recipe.model.path.empty()) throw Error("model.path", "no model to start from", "set model.path, or pass --model");
  const auto start = open(recipe.model.path);
  model::check_finite(start.loaded);
  if (o.is_dry) {
    print_plan(recipe, start.loaded.config);
    return 0;
  }
  auto sets = training_sets(recipe);
  const train::RunFolder run(o.run, config);
  return train(recipe, start, std::move(sets), run, config) == rl::LoopEnd::kFinished ? 0 : 130;
}

}  // namespace r1::cli
