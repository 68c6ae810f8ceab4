// Alarms and parts of rewards in the database, and how `r1 traces` shows them.

#include <cstdlib>

#include "core/json.h"
#include "rollout/schema.h"
#include "rollout/trace_print.h"
#include "tests/rollout/database_support.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rollout;
using namespace r1::rollout::test;

namespace {

const Alarm kFarmed{"dominance", "format", 0.9, 0.8, "90 % of the signal comes of 'format'"};

void write_run(const std::filesystem::path& file) {
  RolloutWriter writer(file, run_info());
  for (int64_t step = 0; step < 3; ++step) {
    writer.add_group("rl", step, Split::kTrain, make_group("p0", {kRight, kWrong}));
    writer.add_step({.stage = "rl",
                     .step = step,
                     .metrics = {{"reward/format", 0.25 * static_cast<double>(step)}, {"reward_signal/format", 0.9}}});
  }
  writer.add_alarms("rl", 1, {kFarmed, {"no_signal", "", 1, 0.9, "evil\x1b[2J"}});
  writer.add_alarms("rl", 1, {kFarmed});  // once more, of a resumed run
  writer.add_alarms("rl", 2, {{"jump", "reward", 3, 1, "reward went"}});
}

std::string printed(TraceCommand command) {
  command.width = 100;
  char* data = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&data, &size);
  print_traces(command, out);
  std::fclose(out);
  std::string text(data, size);
  std::free(data);
  return text;
}

}  // namespace

TEST_CASE("alarms are kept by step, each once, and read back as they were") {
  Folder folder;
  write_run(folder.file());
  TraceReader reader(folder.file());
  const auto all = reader.alarms("rl");
  REQUIRE(all.size() == 3);
  CHECK(all[0].step == 1);
  CHECK(all[0].alarm.kind == "dominance");
  CHECK(all[0].alarm.subject == "format");
  CHECK(all[0].alarm.value == 0.9);
  CHECK(all[0].alarm.limit == 0.8);
  CHECK(all[0].alarm.message == kFarmed.message);
  CHECK(all[2].step == 2);
  CHECK(reader.alarms("rl", 2, 2).size() == 1);
  CHECK(reader.alarms("rl", 0, 0).empty());
}

TEST_CASE("a resumed run takes back the alarms of the steps it repeats") {
  Folder folder;
  write_run(folder.file());
  {
    RolloutWriter writer(folder.file(), run_info());
    writer.truncate_after("rl", 1);
  }
  CHECK(TraceReader(folder.file()).alarms("rl").size() == 2);
}

TEST_CASE("the overview, a step and --alarms show alarms; the overview shows the parts") {
  Folder folder;
  write_run(folder.file());
  const TraceCommand overview{.run = folder.file()};
  const auto text = printed(overview);
  CHECK_THAT(text, Catch::Contains("3 alarms\n"));
  CHECK_THAT(text, Catch::Contains("dominance") && Catch::Contains("90 % of the signal comes of 'format'"));
  CHECK_THAT(text,
             Catch::Contains("parts of the reward") && Catch::Contains("signal  90 %") && Catch::Contains("0.500"));
  CHECK_THAT(text, !Catch::Contains("\x1b"));
  const TraceCommand step{.run = folder.file(), .step = 2};
  CHECK_THAT(printed(step), Catch::Contains("1 alarms") && Catch::Contains("reward went"));
  TraceCommand alarms{.run = folder.file(), .wants_alarms = true};
  alarms.limit = 1;
  CHECK_THAT(printed(alarms), Catch::Contains("reward went") && Catch::Contains("... 2 older"));
  alarms.wants_json = true;
  const auto json = json::parse(printed(alarms), "alarms");
  CHECK(json.as_array().size() == 3);
  CHECK(json.at(0).at("limit") == 0.8);
  alarms.step = 0;
  alarms.wants_json = false;
  CHECK(printed(alarms) == "(no alarm)\n");
}

TEST_CASE("a file of before there were alarms is read, and brought up to date when it is written to") {
  Folder folder;
  {
    Sqlite db(folder.file(), Sqlite::Mode::kReadWrite);
    migrate(db, migrations().first(1));
    db.run("INSERT INTO runs (run_id, config_toml, version, started_at) VALUES ('zero', '', '', '')");
    db.run("INSERT INTO stages (run_key, name) VALUES (1, 'rl')");
    db.run("INSERT INTO steps (stage_id, step) VALUES (1, 0)");
  }
  CHECK(TraceReader(folder.file()).alarms("rl").empty());
  CHECK_THAT(printed({.run = folder.file()}), !Catch::Contains("alarm"));
  write_run(folder.file());
  CHECK(TraceReader(folder.file()).alarms("rl").size() == 3);
}
