// r1 traces: the rollout database in the terminal.

#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "rollout/trace_print.h"

namespace r1::cli {
namespace {

// The text of tokens, if the run's model folder or newest checkpoint has a tokenizer.
rollout::TokenText token_text(const std::filesystem::path& run) {
  auto folder = run / "model";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(run / "checkpoints", error)) {
    if (!std::filesystem::exists(folder / "tokenizer.json")) folder = entry.path() / "model";
  }
  if (!std::filesystem::exists(folder / "tokenizer.json")) return {};
  return [tokenizer = text::Tokenizer::from_file(folder)](int32_t id) { return std::string(tokenizer.token_text(id)); };
}

}  // namespace

int run_traces(int argc, const char* const* argv) {
  rollout::TraceCommand command;
  std::string run, split = "train";
  CLI::App app("Reads a run's rollout database: without options, an overview.", "r1 traces");
  app.add_option("run", run, "run folder, or its rollouts.db")->required();
  app.add_option("--stage", command.stage, "stage; the latest that sampled if left out");
  app.add_option("--step", command.step, "the groups of a step");
  app.add_option("--group", command.group, "a prompt's id: its samples side by side (of --step)");
  app.add_option("--sample", command.sample, "a sample's number: everything about it");
  app.add_flag("--tokens", command.wants_tokens, "with --sample: log-probs of every token");
  app.add_option("--prompt", command.prompt, "a prompt's id: its groups over all steps");
  app.add_option("--search", command.search, "full text");
  app.add_flag("--words", command.wants_words, "reflection words by step");
  app.add_flag("--alarms", command.wants_alarms, "what the rewards of steps raised (of --step)");
  app.add_option("--split", split, "with --words: train or eval")->check(CLI::IsMember({"train", "eval"}));
  app.add_option("--limit", command.limit, "rows");
  app.add_flag("--json", command.wants_json, "one JSON document instead of text");
  if (const auto status = parse(app, argc, argv)) return *status;

  command.run = run;
  command.words_split = split == "eval" ? rollout::Split::kEval : rollout::Split::kTrain;
  if (command.wants_tokens) command.token_text = token_text(run);
  return rollout::print_traces(command, stdout);
}

}  // namespace r1::cli
