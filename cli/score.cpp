// r1 score: verdicts on completions outside any run.

#include <cstdio>
#include <thread>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/recipe.h"
#include "core/error.h"
#include "rewards/scorer.h"

namespace r1::cli {
namespace {

struct ScoreOptions {
  std::string file, config;
  std::vector<std::string> overrides;
  int num_threads = 0;
};

// Of a recipe's [rewards], or accuracy alone; --set names keys of that table.
rewards::RewardOptions reward_options(const ScoreOptions& o) {
  std::vector<std::string> overrides;
  for (const auto& text : o.overrides) overrides.push_back(text.starts_with("rewards.") ? text : "rewards." + text);
  if (!o.config.empty()) return read_recipe(Config::from_file(o.config, overrides)).rewards;
  const auto config = Config::from_text("", "r1 score", overrides);
  const auto options = rewards::read_reward_options(config.table("rewards"), {.format_weight = 0});
  config.check_all_used();
  return options;
}

}  // namespace

int run_score(int argc, const char* const* argv) {
  ScoreOptions o;
  CLI::App app("Scores completions: JSONL rows in, one row with a verdict out for each, in the same order.", "r1 score");
  app.add_option("file", o.file, "rows such as {\"task\": \"number\", \"answer\": 2, \"completion\": \"...\"}; - reads standard input")
      ->required();
  app.add_option("--config", o.config, "a recipe whose [rewards] to use, instead of accuracy alone");
  app.add_option("--set", o.overrides, "key=value of [rewards], such as format_weight=1");
  add_threads(app, o.num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  if (o.num_threads == 0) o.num_threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));

  const rewards::Scorer scorer(reward_options(o));
  const auto write = [](std::string_view line) {
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fputc('\n', stdout) == EOF) {
      throw Error("standard output", "cannot write a row", "check the disk or the pipe that the output goes to");
    }
  };
  const auto flush = [] {
    if (std::fflush(stdout) != 0) {
      throw Error("standard output", "cannot write a row", "check the disk or the pipe that the output goes to");
    }
  };
  const auto counts = rewards::score_file(scorer, o.file, {.num_threads = o.num_threads}, write, flush);
  flush();
  fmt::print(stderr, "{} right, {} wrong, {} undecided", counts.num_right, counts.num_wrong, counts.num_undecided);
  if (counts.num_unread > 0) fmt::print(stderr, " ({} of them no rows: see their reasons)", counts.num_unread);
  fmt::print(stderr, "\n");
  return counts.num_unread > 0 ? 1 : 0;
}

}  // namespace r1::cli
