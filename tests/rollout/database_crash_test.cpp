// The database when things go wrong: the process killed, the disk full, text that means harm.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "core/error.h"
#include "core/random.h"
#include "rollout/database.h"
#include "rollout/trace_query.h"
#include "tests/rollout/database_support.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rollout;
using namespace r1::rollout::test;

namespace {

constexpr int kGroupSize = 4;

Group group_of_step(int64_t step) {
  const auto text = fmt::format("step {} wait, 3+5={} no wait 15+2=17", step, step + 8);
  return make_group(fmt::format("p{}", step), {kRight, text, kWrong, text});
}

// Writes steps and flushes each, and says so through the pipe: one byte a step that flush() has returned for.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int pipe) {
  try {
    RolloutWriter writer(file, run_info(), {.batch_samples = 6, .batch_ms = 1});
    for (int64_t step = 0;; ++step) {
      for (int i = 0; i < 3; ++i) {
        auto group = group_of_step(step);
        group.prompt.id += fmt::format("-{}", i);
        writer.add_group("rl", step, Split::kTrain, group);
      }
      writer.add_step({.stage = "rl", .step = step, .metrics = {{"reward", 0.5}}});
      writer.flush();
      if (write(pipe, "x", 1) != 1) _exit(2);
    }
  } catch (...) {
    _exit(3);
  }
}

struct KilledRun {
  int64_t num_flushed = 0;
  int status = 0;
};

// Lets a child write until it has flushed `steps` and some more time has gone by, then kills it.
KilledRun run_and_kill(const std::filesystem::path& file, int64_t steps, int64_t spins) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    close(ends[0]);
    write_until_killed(file, ends[1]);
  }
  close(ends[1]);
  KilledRun run;
  char byte = 0;
  while (run.num_flushed < steps && read(ends[0], &byte, 1) == 1) ++run.num_flushed;
  for (int64_t i = 0; i < spins; ++i) asm volatile("");
  kill(child, SIGKILL);
  while (read(ends[0], &byte, 1) == 1) ++run.num_flushed;
  close(ends[0]);
  waitpid(child, &run.status, 0);
  return run;
}

std::string integrity(const std::filesystem::path& file) {
  Sqlite db(file, Sqlite::Mode::kReadOnly);
  Statement check(db, "PRAGMA integrity_check");
  check.step();
  return check.get_text(0);
}

// Runs `body` in a child with R1_KILL_AT set, and gives its wait status.
template <typename Body>
int run_with_kill_point(const char* point, const Body& body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    setenv("R1_KILL_AT", point, 1);
    try {
      body();
    } catch (...) {
      _exit(3);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("a writer killed at random moments loses nothing that it flushed, and the file stays whole") {
  RandomStream random(2026, 11);
  for (int round = 0; round < 8; ++round) {
    Folder folder;
    const auto run = run_and_kill(folder.file(), 1 + static_cast<int64_t>(random.below(6)),
                                  static_cast<int64_t>(random.below(3'000'000)));
    REQUIRE(WIFSIGNALED(run.status));
    CHECK(integrity(folder.file()) == "ok");
    const auto kept = fmt::format("SELECT count(*) FROM samples WHERE step < {}", run.num_flushed);
    CHECK(count(folder.file(), kept) == run.num_flushed * 3 * kGroupSize);
    CHECK(count(folder.file(),
                "SELECT count(*) FROM groups g WHERE (SELECT count(*) FROM samples WHERE group_id = g.id) <> 4") == 0);

    RolloutWriter writer(folder.file(), run_info());  // and the run goes on
    writer.truncate_after("rl", run.num_flushed - 1);
    CHECK(writer.position("rl") ==
          RolloutPosition{run.num_flushed - 1, run.num_flushed * 3, run.num_flushed * 3 * kGroupSize});
    writer.add_group("rl", run.num_flushed, Split::kTrain, group_of_step(run.num_flushed));
    writer.flush();
    CHECK(count(folder.file(), "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH 'wait'") ==
          count(folder.file(), "SELECT count(*) FROM completions WHERE text LIKE '%wait%'"));
  }
}

TEST_CASE("killed just before a commit the transaction is gone, just after it is there") {
  struct Row {
    const char* point;
    int64_t samples;
  };
  // The first commit is that of the constructor.
  const auto row = GENERATE(Row{"database.before_commit:2", 0}, Row{"database.after_commit:2", kGroupSize});
  INFO(row.point);
  Folder folder;
  const int status = run_with_kill_point(row.point, [&] {
    RolloutWriter writer(folder.file(), run_info(), {.batch_ms = 60'000});
    writer.add_group("rl", 0, Split::kTrain, group_of_step(0));
    writer.flush();
  });
  CHECK(WIFSIGNALED(status));
  CHECK(integrity(folder.file()) == "ok");
  CHECK(count(folder.file(), "SELECT count(*) FROM samples") == row.samples);
}

TEST_CASE("killed while the file is made, the next process makes it") {
  Folder folder;
  CHECK(WIFSIGNALED(
      run_with_kill_point("database.before_commit:1", [&] { RolloutWriter writer(folder.file(), run_info()); })));
  RolloutWriter writer(folder.file(), run_info());
  CHECK(count(folder.file(), "SELECT num_sessions FROM runs") == 1);
}

TEST_CASE("a full disk is an Error with a mend, again at every call, and what was flushed stays") {
  Folder folder;
  int64_t num_flushed = 0;
  {
    RolloutWriter writer(folder.file(), run_info(), {.max_pages = 150});
    std::string message;
    for (int64_t step = 0; step < 10'000 && message.empty(); ++step) {
      try {
        writer.add_group("rl", step, Split::kTrain, group_of_step(step));
        writer.flush();
        ++num_flushed;
      } catch (const Error& e) {
        message = e.what();
      }
    }
    CHECK_THAT(message, Catch::Contains("database or disk is full") && Catch::Contains("mend: free space on the disk"));
    CHECK(num_flushed > 5);
    CHECK_THROWS_WITH(writer.flush(), Catch::Contains("disk is full"));
    CHECK_THROWS_WITH(writer.add_group("rl", 0, Split::kTrain, group_of_step(0)), Catch::Contains("disk is full"));
    CHECK_THROWS_WITH(writer.add_step({.stage = "rl"}), Catch::Contains("disk is full"));
    CHECK_THROWS_WITH(writer.position("rl"), Catch::Contains("disk is full"));
  }
  CHECK(integrity(folder.file()) == "ok");
  CHECK(count(folder.file(), "SELECT count(*) FROM samples") == num_flushed * kGroupSize);

  RolloutWriter writer(folder.file(), run_info());  // with room again, the run goes on
  writer.add_group("rl", num_flushed, Split::kTrain, group_of_step(num_flushed));
  CHECK(writer.position("rl").num_groups == num_flushed + 1);
}

TEST_CASE("callers waiting for room in the queue are woken by a failure") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info(), {.queue_bytes = 1, .max_pages = 150});
  std::string message;
  for (int64_t step = 0; step < 10'000 && message.empty(); ++step) {
    try {
      writer.add_group("rl", step, Split::kTrain, group_of_step(step));
    } catch (const Error& e) {
      message = e.what();
    }
  }
  CHECK_THAT(message, Catch::Contains("disk is full"));
}

TEST_CASE("hostile text is stored as it is, and found where it has words") {
  struct Row {
    std::string_view why;
    std::string text;
  };
  const auto row = GENERATE(
      Row{"NUL bytes", std::string("needle\0hidden needle\0", 20)},
      Row{"not UTF-8", "needle \xff\xfe\xc0\x80 \xed\xa0\x80"}, Row{"cut within a character", "needle \xe2\x82"},
      Row{"SQL", "needle'); DROP TABLE samples; --"}, Row{"search syntax", "needle\" OR text:* NEAR(a b) ^x {text}"},
      Row{"escapes", "\x1b]52;c;bmVlZGxl\x07 needle \x1b[2J"}, Row{"nothing but needle", "needle"},
      Row{"a megabyte and more", "needle " + std::string(3'000'000, 'x')}, Row{"a million words", [] {
                                                                                 std::string text = "needle";
                                                                                 for (int i = 0; i < 300'000; ++i)
                                                                                   text += fmt::format(" w{}", i % 977);
                                                                                 return text;
                                                                               }()});
  INFO(row.why);
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  auto group = make_group(row.text.substr(0, 1000), {row.text});
  group.prompt.text = row.text.substr(0, 1000);
  group.scores[0].detail = row.text.substr(0, 1000);
  writer.add_group("rl", 0, Split::kTrain, group);
  writer.flush();

  TraceReader reader(folder.path());
  const auto hits = reader.filter({.search = "needle"});
  REQUIRE(hits.size() == 1);
  const auto stored = reader.sample(hits[0].row.sample_id);
  CHECK((stored.sample.text == row.text));
  CHECK((stored.detail == group.scores[0].detail));
  CHECK((stored.row.prompt_id == group.prompt.id));
  writer.truncate_after("rl", -1);  // the full-text index forgets by the same text
  CHECK(reader.filter({.search = "needle"}).empty());
}

TEST_CASE("a sample with very many tokens comes back whole") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  auto group = make_group("p", {"long"});
  auto& s = group.samples[0];
  s.token_ids.assign(200'000, 7);
  s.logprobs.assign(200'000, -0.5f);
  s.sampling_logprobs.assign(200'000, -0.25f);
  s.weights_versions.assign(200'000, 3);
  s.weights_versions.back() = 4;
  writer.add_group("rl", 0, Split::kTrain, group);
  writer.flush();
  const auto stored = TraceReader(folder.path()).sample(1);
  CHECK((stored.sample.token_ids == s.token_ids));
  CHECK((stored.sample.sampling_logprobs == s.sampling_logprobs));
  CHECK((stored.sample.weights_versions == s.weights_versions));
}
