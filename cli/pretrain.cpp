// r1 pretrain: a base model from documents.

#include <torch/torch.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/precision.h"
#include "cli/recipe.h"
#include "core/error.h"
#include "core/log.h"
#include "sft/fresh_tokenizer.h"
#include "train/run_folder.h"

namespace r1::cli {
namespace {

int32_t eos_of(const text::Tokenizer& tokenizer, const std::string& where) {
  if (const auto eos = tokenizer.eos_id()) return *eos;
  throw Error(where, "the tokenizer names no end-of-sequence token", "add eos_token to its tokenizer_config.json");
}

// The tokenizer of the recipe's path or model; else one trained on the documents and kept in the run folder.
std::filesystem::path tokenizer_folder(const Recipe& recipe, const train::RunFolder& run) {
  if (!recipe.tokenizer.path.empty()) return recipe.tokenizer.path;
  if (!recipe.model.path.empty()) return recipe.model.path;
  const auto folder = run.path() / "tokenizer";
  if (!std::filesystem::exists(folder / "tokenizer.json")) {
    log::info("trains a tokenizer of {} tokens", recipe.tokenizer.vocab_size);
    AtomicFolder target(folder);
    sft::train_tokenizer({.traces = recipe.traces, .files = recipe.pretrain.files, .seed = recipe.pretrain.seed,
                          .vocab_size = recipe.tokenizer.vocab_size, .max_integer = recipe.tokenizer.max_integer,
                          .num_documents = recipe.tokenizer.num_documents})
        .save(target.path());
    target.commit();
  }
  return folder;
}

sft::DocumentSet documents_of(const Recipe& recipe, const text::Tokenizer& tokenizer, int32_t eos) {
  const auto& p = recipe.pretrain;
  if (p.data == "traces") return sft::trace_documents(recipe.traces, p.seed, tokenizer, eos, p.learn_from);
  return sft::file_documents({.files = p.files, .max_tokens = p.max_tokens, .learn_from = p.learn_from}, tokenizer, eos);
}

// The recipe's architecture with the tokenizer's vocabulary.
model::ModelConfig fresh_config(const Recipe& recipe, const text::Tokenizer& tokenizer, int32_t eos) {
  auto config = recipe.model.fresh;
  config.vocab_size = (tokenizer.vocab_size() + 15) / 16 * 16;
  config.eos_token_ids = {eos};
  model::validate(config, "model");
  return config;
}

}  // namespace

int run_pretrain(int argc, const char* const* argv) {
  std::string config_path, run_path;
  std::vector<std::string> overrides;
  int num_threads = 0;
  CLI::App app("Trains a model on text or synthetic traces from a recipe.", "r1 pretrain");
  app.add_option("config", config_path, "recipe, as configs/quickstart.toml")->required();
  app.add_option("--run", run_path, "the run's folder; an unfinished run in it goes on")->required();
  app.add_option("--set", overrides, "dotted.key=value, over the recipe's");
  add_threads(app, num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  apply_threads(num_threads);

  const auto config = Config::from_file(config_path, overrides);
  const auto recipe = read_recipe(config);
  sft::validate(recipe.pretrain);
  const train::RunFolder run(run_path, config);
  const auto tokenizer_path = tokenizer_folder(recipe, run);
  const auto tokenizer = text::Tokenizer::from_file(tokenizer_path);
  const auto eos = eos_of(tokenizer, tokenizer_path.string());
  const auto documents = documents_of(recipe, tokenizer, eos);

  model::LoadedModel start;
  std::unique_ptr<model::InitializedWeights> random;
  const model::WeightSource* weights = nullptr;
  if (recipe.model.path.empty()) {
    start.config = fresh_config(recipe, tokenizer, eos);
    random = model::random_weights(start.config, recipe.pretrain.init_std, recipe.pretrain.seed);
    weights = &random->weights;
  } else {
    start = model::open_model(recipe.model.path);
    weights = start.weights.get();
  }
  nn::CausalLm model(start.config, *weights,
                     {.recompute = recipe.model.recomputes_layers ? nn::Recompute::kLayers : nn::Recompute::kNothing,
                      .precision = precision_of(recipe.model.precision, start.config, "model.precision")});
  log::info("{} parameters, documents: {}", start.config.num_parameters(), documents.name);
  const train::CheckpointStore checkpoints(run.checkpoints(), recipe.pretrain.keep_checkpoints);
  const auto done = checkpoints.steps();
  train::MetricsWriter metrics(run.metrics(), done.empty() ? -1 : done.back() - 1);
  const auto result = sft::pretrain(recipe.pretrain, {.model = model, .documents = documents, .metrics = metrics,
                                                      .checkpoints = checkpoints, .tokenizer_files = tokenizer_path});
  metrics.flush();
  if (result.was_stopped) return 130;
  AtomicFolder folder(run.model());
  model::save_model(folder.path(), model.config(), model.parameters().source(), {.extra_files = tokenizer_path});
  folder.commit();
  log::info("loss {:.4f} after {:.0f} s of compute; the model is in {}", result.final_loss, result.compute_seconds,
            run.model().string());
  return 0;
}

}  // namespace r1::cli
