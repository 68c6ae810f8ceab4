#include "rollout/database.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "core/error.h"
#include "rollout/blob.h"
#include "rollout/schema.h"
#include "rollout/trace_query.h"
#include "tests/rollout/database_support.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rollout;
using namespace r1::rollout::test;

namespace {

struct BadRow {
  std::string_view why;
  const char* sql;
};

constexpr BadRow kBadRows[]{
    {"a run without a name", "INSERT INTO runs (run_id, config_toml, version, started_at) VALUES ('', '', '', '')"},
    {"the same run twice", "INSERT INTO runs (run_id, config_toml, version, started_at) VALUES ('zero', '', '', '')"},
    {"a negative step", "INSERT INTO steps (stage_id, step) VALUES (1, -1)"},
    {"the same step twice", "INSERT INTO steps (stage_id, step) VALUES (1, 0)"},
    {"a step of no stage", "INSERT INTO steps (stage_id, step) VALUES (99, 7)"},
    {"a split of its own", "UPDATE samples SET split = 'test'"},
    {"a verdict of its own", "UPDATE samples SET verdict = 'maybe'"},
    {"a finish of its own", "UPDATE samples SET finish = 'eos'"},
    {"a negative length", "UPDATE samples SET num_tokens = -1"},
    {"text where a number goes", "UPDATE samples SET value = 'high'"},
    {"the same place in a group twice", "UPDATE samples SET sample_index = 0"},
    {"a completion of no sample",
     "INSERT INTO completions (sample_id, text, detail, token_ids) VALUES (99, '', '', x'00')"},
    {"a score part of no sample", "INSERT INTO score_parts (sample_id, part_id, value) VALUES (99, 1, 0)"},
    {"a turn without its answers", "UPDATE reflection_events SET kind = 'turn' WHERE kind = 'word'"},
    {"a word with a turn's answers",
     "UPDATE reflection_events SET from_answer = '1', to_answer = '2' WHERE kind = 'word'"},
    {"a hash of another length", "INSERT INTO weights_versions (step_id, number, hash) VALUES (1, 1, 'abc')"},
    {"lineage from no sample", "INSERT INTO lineage (child_kind, child_id, sample_id) VALUES ('sft', 'x', 99)"},
    {"a prompt that groups still use", "DELETE FROM prompts"},
};

// One step as a loop would write it; `step` shows in the texts, so that steps differ.
void write_step(RolloutWriter& writer, int64_t step) {
  const auto text = fmt::format("wait, attempt {}: 3+5={}", step, step + 8);
  writer.add_group("rl", step, Split::kTrain, make_group("p1", {kRight, kWrong, text}));
  writer.add_group("rl", step, Split::kTrain, make_group("p2", {text, "check"}));
  writer.add_group("rl", step, Split::kEval, make_group("e1", {kRight}));
  writer.add_weights("rl", step,
                     {.number = static_cast<uint64_t>(step + 1), .hash = 0xabcdef00u + static_cast<uint64_t>(step)});
  writer.add_evaluation({.stage = "rl",
                         .step = step,
                         .name = "held-out avg",
                         .k = 4,
                         .value = 0.5,
                         .low = 0.4,
                         .high = 0.6,
                         .num_prompts = 1});
  writer.add_step({.stage = "rl",
                   .step = step,
                   .metrics = {{"reward", 0.1 * static_cast<double>(step)}},
                   .phase_seconds = {{"sample", 1.5}},
                   .seconds = 2});
}

void expect_equal(const Sample& a, const Sample& b) {
  CHECK(a.prompt_id == b.prompt_id);
  CHECK(a.index == b.index);
  CHECK(a.token_ids == b.token_ids);
  CHECK(a.logprobs == b.logprobs);
  CHECK(a.sampling_logprobs == b.sampling_logprobs);
  CHECK(a.weights_versions == b.weights_versions);
  CHECK(a.finish == b.finish);
  CHECK(a.text == b.text);
}

}  // namespace

TEST_CASE("blobs give back every bit") {
  BlobEncoder encoder;
  const auto size = GENERATE(0, 1, 15, 16, 100, 5000);
  std::vector<int32_t> ids;
  std::vector<float> logprobs;
  for (int i = 0; i < size; ++i) {
    ids.push_back(i % 7 == 0 ? std::numeric_limits<int32_t>::min() : i * 31);
    logprobs.push_back(-std::exp(static_cast<float>(i % 90) - 45));
  }
  CHECK(decode_ints(encoder.encode(ids), size, "test") == ids);
  CHECK(decode_floats(encoder.encode(logprobs), size, "test") == logprobs);
}

TEST_CASE("a damaged blob is an error, and never memory that the row merely claims") {
  BlobEncoder encoder;
  const std::vector<int32_t> ids(1000, 42);
  const auto good = encoder.encode(ids);
  auto cut = good;
  cut.resize(good.size() / 2);
  auto unknown = good;
  unknown[0] = std::byte{9};
  auto flipped = good;
  flipped[6] ^= std::byte{0xff};
  CHECK_THROWS_AS(decode_ints({}, 1000, "test"), Error);
  CHECK_THROWS_AS(decode_ints(cut, 1000, "test"), Error);
  CHECK_THROWS_WITH(decode_ints(unknown, 1000, "test"), Catch::Contains("its first byte is 9, not 0 or 1"));
  CHECK_THROWS_AS(decode_ints(flipped, 1000, "test"), Error);
  CHECK_THROWS_AS(decode_ints(good, 999, "test"), Error);
  CHECK_THROWS_AS(decode_ints(good, 1001, "test"), Error);
  CHECK_THROWS_WITH(decode_ints(good, 90'000'000, "test"), Catch::Contains("too short"));
  CHECK_THROWS_WITH(decode_ints(good, -1, "test"), Catch::Contains("claims -1 tokens"));
  CHECK_THROWS_WITH(decode_ints(good, 1'000'000'000'000, "test"), Catch::Contains("claims"));
}

TEST_CASE("the schema refuses rows that make no sense") {
  const auto row = GENERATE(from_range(std::begin(kBadRows), std::end(kBadRows)));
  INFO(row.why);
  Folder folder;
  {
    RolloutWriter writer(folder.file(), run_info());
    write_step(writer, 0);
  }
  Sqlite db(folder.file(), Sqlite::Mode::kReadWrite);
  CHECK_THROWS_AS(db.run(row.sql), Error);
}

TEST_CASE("migrations run once each, in order, and a newer file is refused") {
  Folder folder;
  const Migration all[] = {{1, "one", "CREATE TABLE a (x INTEGER)"},
                           {2, "two", "INSERT INTO a VALUES (2)"},
                           {3, "three", "INSERT INTO a VALUES (3)"}};
  const auto sum = [](Sqlite& db) { return Statement(db, "SELECT sum(x) FROM a").find_int(); };
  {
    Sqlite db(folder.file(), Sqlite::Mode::kReadWrite);
    migrate(db, std::span(all, 2));
    CHECK(sum(db) == 2);
  }
  Sqlite db(folder.file(), Sqlite::Mode::kReadWrite);
  CHECK_THROWS_WITH(check_readable(db, all), Catch::Contains("version 2, and this r1 reads version 3"));
  migrate(db, all);
  migrate(db, all);
  CHECK(sum(db) == 5);
  CHECK_THROWS_WITH(migrate(db, std::span(all, 2)), Catch::Contains("version 3, and this r1 knows versions up to 2"));
}

TEST_CASE("a migration that fails leaves the file as it was") {
  Folder folder;
  const Migration broken[] = {{1, "one", "CREATE TABLE a (x INTEGER)"},
                              {2, "two", "INSERT INTO a VALUES (2); INSERT INTO nowhere VALUES (1)"}};
  Sqlite db(folder.file(), Sqlite::Mode::kReadWrite);
  CHECK_THROWS_AS(migrate(db, broken), Error);
  CHECK(Statement(db, "PRAGMA user_version").find_int() == 1);
  CHECK(Statement(db, "SELECT count(*) FROM a").find_int() == 0);
}

TEST_CASE("files that are no rollout database are refused by name") {
  Folder folder;
  const auto other = folder.path() / "other.db";
  Sqlite(other, Sqlite::Mode::kReadWrite).run("CREATE TABLE music (title TEXT)");
  CHECK_THROWS_WITH(RolloutWriter(other, run_info()), Catch::Contains("not one of r1's rollout databases"));
  CHECK_THROWS_WITH(TraceReader(other), Catch::Contains("not one of r1's rollout databases"));
  CHECK_THROWS_WITH(TraceReader(folder.path()), Catch::Contains("there is no rollout database at"));

  const auto text = folder.path() / "text.db";
  std::FILE* file = std::fopen(text.c_str(), "w");
  for (int i = 0; i < 500; ++i) std::fputs("this is no database ", file);
  std::fclose(file);
  CHECK_THROWS_WITH(TraceReader(text), Catch::Contains("file is not a database"));
  CHECK_THROWS_WITH(RolloutWriter(folder.path() / "no" / "such" / "folder.db", run_info()),
                    Catch::Contains("cannot open"));
}

TEST_CASE("a group comes back as it was added, bit for bit") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  auto group = make_group("p1", {kRight, kWrong});
  group.samples[1].sampling_logprobs = group.samples[1].logprobs;
  writer.add_group("rl", 4, Split::kTrain, group);
  writer.flush();

  TraceReader reader(folder.path());
  const auto row = reader.groups_of_step("rl", 4).at(0);
  const auto stored = reader.group(row.group_id);
  CHECK(stored.prompt.id == group.prompt.id);
  CHECK(stored.prompt.token_ids == group.prompt.token_ids);
  CHECK(stored.prompt.text == group.prompt.text);
  CHECK(stored.prompt.answer == group.prompt.answer);
  CHECK(stored.prompt.metadata_json == group.prompt.metadata_json);
  REQUIRE(stored.samples.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    const auto& s = stored.samples[i];
    expect_equal(s.sample, group.samples[i]);
    CHECK(s.row.value == group.scores[i].value);
    CHECK(s.row.verdict == group.scores[i].verdict);
    CHECK(s.parts == group.scores[i].parts);
    CHECK(s.detail == group.scores[i].detail);
    CHECK(s.row.advantage == group.advantages[i]);
    CHECK(s.row.weights_version == 7);
  }
  CHECK(stored.samples[0].row.num_turns == 1);
  REQUIRE(stored.samples[0].events.size() == 2);  // the turn at "no wait", the word "wait" three bytes on
  CHECK(stored.samples[0].events[0].is_turn);
  CHECK(stored.samples[0].events[0].from_answer == "16");
  CHECK(stored.samples[0].events[1].word == "wait");
}

TEST_CASE("an unscored group and values that are no numbers are kept") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  auto group = make_group("p1", {"a", "b"});
  group.scores[1].value = std::numeric_limits<double>::quiet_NaN();
  group.advantages[1] = std::numeric_limits<double>::infinity();
  writer.add_group("rl", 0, Split::kTrain, group);
  auto bare = make_group("p2", {"c"});
  bare.scores.clear();
  bare.advantages.clear();
  bare.samples[0].logprobs.clear();
  bare.samples[0].sampling_logprobs.clear();
  bare.samples[0].weights_versions.clear();
  writer.add_group("rl", 0, Split::kEval, bare);
  writer.add_step({.stage = "rl", .step = 0, .metrics = {{"kl", std::nan("")}}});
  writer.flush();

  TraceReader reader(folder.path());
  CHECK_FALSE(reader.sample(2).row.value.has_value());
  CHECK(std::isinf(reader.sample(2).row.advantage.value()));
  CHECK_FALSE(reader.sample(3).row.verdict.has_value());
  CHECK(reader.sample(3).sample.logprobs.empty());
  CHECK(std::isnan(reader.curve("rl", "kl").at(0).value));
  CHECK(std::isnan(reader.steps("rl").at(0).eval.accuracy()));
}

TEST_CASE("a group whose vectors do not fit is refused at once, by the caller's own call") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  auto group = make_group("p1", {"a", "b"});
  switch (GENERATE(0, 1, 2)) {
    case 0:
      group.scores.pop_back();
      break;
    case 1:
      group.advantages.push_back(0);
      break;
    default:
      group.samples[1].logprobs.pop_back();
  }
  CHECK_THROWS_WITH(writer.add_group("rl", 0, Split::kTrain, group), Catch::Contains("group 'p1' has"));
  CHECK_THROWS_WITH(writer.add_group("", 0, Split::kTrain, make_group("p", {"a"})),
                    Catch::Contains("a stage has a name"));
  CHECK_THROWS_WITH(writer.add_group("rl", -1, Split::kTrain, make_group("p", {"a"})), Catch::Contains("count from 0"));
  CHECK_NOTHROW(writer.flush());
}

TEST_CASE("the same prompt twice in a step is two draws; in a later process it replaces what was cut off") {
  Folder folder;
  {
    RolloutWriter writer(folder.file(), run_info());
    writer.add_group("rl", 0, Split::kTrain, make_group("p1", {"first wait", "x"}));
    writer.add_group("rl", 0, Split::kTrain, make_group("p1", {"second", "y"}));
    writer.add_group("rl", 1, Split::kTrain, make_group("p1", {"third"}));
  }
  CHECK(count(folder.file(), "SELECT count(*) FROM groups") == 3);
  {
    RolloutWriter writer(folder.file(), run_info());
    writer.add_group("rl", 0, Split::kTrain, make_group("p1", {"again, check", "z"}));
  }
  CHECK(count(folder.file(), "SELECT count(*) FROM groups") == 3);
  CHECK(count(folder.file(), "SELECT count(*) FROM samples") == 5);
  CHECK(count(folder.file(), "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH 'first'") == 0);
  CHECK(count(folder.file(), "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH 'again'") == 1);
  CHECK(count(folder.file(), "SELECT num_sessions FROM runs") == 2);
  TraceReader reader(folder.path());
  const auto steps = reader.word_counts("rl", Split::kTrain);
  CHECK(steps.at(0).num_samples == 4);
  CHECK(steps.at(0).mean_per_sample == std::map<std::string, double>{{"check", 0.25}});
}

TEST_CASE("truncate_after and a replay give the rows of the uninterrupted run") {
  Folder whole, resumed;
  {
    RolloutWriter writer(whole.file(), run_info());
    for (int64_t step = 0; step < 6; ++step) write_step(writer, step);
  }
  RolloutPosition position;
  {
    RolloutWriter writer(resumed.file(), run_info());
    for (int64_t step = 0; step < 3; ++step) write_step(writer, step);
    position = writer.position("rl");
    for (int64_t step = 3; step < 5; ++step) write_step(writer, step);
    writer.add_group("rl", 5, Split::kTrain, make_group("lost", {"a step cut short"}));
    writer.flush();
    writer.add_lineage("sft", "row 1", {count(resumed.file(), "SELECT max(id) FROM samples")});
  }
  CHECK(position == RolloutPosition{2, 9, 18});
  {
    RolloutWriter writer(resumed.file(), run_info());
    writer.truncate_after("rl", 2);
    CHECK(writer.position("rl") == position);
    for (int64_t step = 3; step < 6; ++step) write_step(writer, step);
  }
  // The prompt of the step that was lost stays known; all else is equal, ids included.
  Sqlite(resumed.file(), Sqlite::Mode::kReadWrite).run("DELETE FROM prompts WHERE prompt_id = 'lost'");
  CHECK(dump(resumed.file()) == dump(whole.file()));
  const auto search = "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH ";
  CHECK(count(resumed.file(), fmt::format("{}'attempt'", search)) == 12);
  CHECK(count(resumed.file(), fmt::format("{}'cut'", search)) == 0);
  Sqlite(resumed.file(), Sqlite::Mode::kReadWrite)
      .run("INSERT INTO completions_fts (completions_fts, rank) VALUES ('integrity-check', 1)");
}

TEST_CASE("truncate_after(-1) begins a stage anew and leaves the others alone") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info());
  write_step(writer, 0);
  writer.add_group("other", 0, Split::kTrain, make_group("p1", {"kept"}));
  writer.truncate_after("rl", -1);
  CHECK(writer.position("rl") == RolloutPosition{-1, 0, 0});
  CHECK(writer.position("other") == RolloutPosition{0, 1, 1});
  CHECK_NOTHROW(writer.truncate_after("never", 5));
}

TEST_CASE("readers see whole groups while the writer writes") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info(), {.batch_samples = 7, .batch_ms = 1});
  writer.add_group("rl", 0, Split::kTrain, make_group("p", {"a", "b", "c", "d"}));
  writer.flush();
  std::atomic<bool> is_done = false;
  std::atomic<int> num_reads = 0, num_partial = 0;
  std::thread reading([&] {
    TraceReader reader(folder.path());
    while (!is_done) {
      for (const auto& step : reader.steps("rl")) num_partial += step.train.num_samples % 4 != 0;
      for (const auto& group : reader.groups_of_step("rl", 0)) num_partial += group.sums.num_samples != 4;
      ++num_reads;
    }
  });
  for (int i = 0; i < 300; ++i)
    writer.add_group("rl", 0, Split::kTrain, make_group(fmt::format("p{}", i), {"a", "b", "c", "d"}));
  writer.flush();
  while (num_reads == 0) std::this_thread::yield();
  is_done = true;
  reading.join();
  CHECK(num_partial == 0);
  CHECK(count(folder.file(), "SELECT count(*) FROM samples") == 4 * 301);
}

TEST_CASE("many threads may add to one writer, and a short queue makes them wait rather than lose anything") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info(), {.queue_bytes = 1});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        writer.add_group("rl", i % 3, Split::kTrain, make_group(fmt::format("p{}-{}", t, i), {"a", "b"}));
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(writer.position("rl") == RolloutPosition{2, 200, 400});
}

TEST_CASE("a transaction is committed after its time, without a flush") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info(), {.batch_ms = 1});
  writer.add_group("rl", 0, Split::kTrain, make_group("p", {"a"}));
  int64_t seen = 0;
  const auto began = std::chrono::steady_clock::now();
  while (seen == 0 && std::chrono::steady_clock::now() - began < std::chrono::seconds(30)) {
    seen = count(folder.file(), "SELECT count(*) FROM samples");
  }
  CHECK(seen == 1);
}
