// What a user loses when the program dies: nothing. The whole program is run, killed and started again.

#include <filesystem>

#include "core/files.h"
#include "core/hash.h"
#include "core/random.h"
#include "rollout/sqlite.h"
#include "tests/cli/recipes.h"
#include "tests/support/catch.h"

using namespace r1;

namespace {

std::string weights_of(const Workplace& place, const std::string& run) {
  return read_file(place.at(run) + "/model/model.safetensors");
}

// What the database says of a run, apart from clocks.
std::string samples_of(const Workplace& place, const std::string& run) {
  rollout::Sqlite db(place.at(run) + "/rollouts.db", rollout::Sqlite::Mode::kReadOnly);
  rollout::Statement rows(db,
                          "SELECT s.step || ' ' || s.split || ' ' || p.prompt_id || ' ' || s.sample_index || ' ' || "
                          "coalesce(s.value, '-') || ' ' || c.text FROM samples s JOIN groups g ON g.id = s.group_id "
                          "JOIN prompts p ON p.id = g.prompt_key JOIN completions c ON c.sample_id = s.id "
                          "ORDER BY s.step, s.split, p.prompt_id, s.sample_index");
  std::string all;
  while (rows.step()) all += rows.get_text(0) + "\n";
  return all;
}

// Starts the program again and again, and kills it at moments drawn from [0, most_ms) until it was killed ten times;
// then lets it finish. A run that gets done before that is thrown away and begun anew.
template <class Run>
void kill_ten_times(Run run, const std::string& folder, int most_ms) {
  RandomStream random(2026, 11);
  for (int kills = 0; kills < 10;) {
    const auto end = run(ProgramOptions{.signal = SIGKILL, .signal_after_ms = static_cast<int>(random.below(most_ms))});
    INFO(end.output);
    if (end.signal == SIGKILL) {
      ++kills;
    } else {
      REQUIRE(end.status == 0);
      std::filesystem::remove_all(folder);
    }
  }
  const auto end = run(ProgramOptions{});
  INFO(end.output);
  REQUIRE(end.status == 0);
}

}  // namespace

TEST_CASE("pretraining and RL that are killed ten times each end with the weights and samples of one undisturbed run") {
  const Workplace place;
  REQUIRE(place.pretrain("base").status == 0);
  REQUIRE(place.rl("base", "rl").status == 0);

  kill_ten_times([&](const ProgramOptions& o) { return place.pretrain("base2", o); }, place.at("base2"), 900);
  CHECK(weights_of(place, "base2") == weights_of(place, "base"));

  kill_ten_times([&](const ProgramOptions& o) { return place.rl("base", "rl2", o); }, place.at("rl2"), 1500);
  CHECK(weights_of(place, "rl2") == weights_of(place, "rl"));
  CHECK(samples_of(place, "rl2") == samples_of(place, "rl"));
}

TEST_CASE("Ctrl-C stops a run with a checkpoint from which it ends bit for bit as if it had not been stopped") {
  const Workplace place;
  REQUIRE(place.pretrain("base").status == 0);
  REQUIRE(place.rl("base", "rl").status == 0);
  for (int i = 0; i < 20; ++i) {
    const auto end = place.rl("base", "stopped", {.signal = SIGINT, .signal_after_ms = 700});
    INFO(end.output);
    if (end.status == 0) break;
    if (end.signal == SIGINT) continue;  // it came while the program was still being loaded
    REQUIRE(end.status == 130);
    REQUIRE_THAT(end.output, Catch::Contains("the same command goes on from here") || Catch::Contains("stop"));
  }
  REQUIRE(place.rl("base", "stopped").status == 0);
  CHECK(weights_of(place, "stopped") == weights_of(place, "rl"));
  CHECK(samples_of(place, "stopped") == samples_of(place, "rl"));
}
