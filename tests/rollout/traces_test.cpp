#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "rollout/trace_query.h"
#include "tests/rollout/database_support.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rollout;
using namespace r1::rollout::test;

namespace {

// Steps 0..3 of stage "rl": prompts p0 (countdown) and p1 (arithmetic), two samples each, sample ids 1..16 in order;
// then an evaluation of p0 at step 3 (id 17), and stage "sft" with a step and no samples.
void write_run(RolloutWriter& writer) {
  for (int64_t step = 0; step < 4; ++step) {
    writer.add_group("rl", step, Split::kTrain, make_group("p0", {kRight, fmt::format("alpha {} but wait", step)}));
    auto other = make_group("p1", {"beta check", fmt::format("gamma delta {}", step)});
    other.prompt.task = "arithmetic";
    other.scores[1].verdict = Verdict::kUndecided;
    other.scores[1].value = 0;
    writer.add_group("rl", step, Split::kTrain, other);
    writer.add_step(
        {.stage = "rl", .step = step, .metrics = {{"reward", static_cast<double>(step)}, {"kl", 0.5}}, .seconds = 3});
  }
  writer.add_group("rl", 3, Split::kEval, make_group("p0", {"epsilon"}));
  writer.add_evaluation(
      {.stage = "rl", .step = 3, .name = "avg", .k = 1, .value = 1, .low = 0.5, .high = 1, .num_prompts = 1});
  writer.add_step({.stage = "sft", .step = 0, .metrics = {{"loss", 1.0}}});
  writer.flush();
}

struct Fixture {
  Fixture() : writer(folder.file(), run_info()) {
    write_run(writer);
    reader.emplace(folder.path());
  }
  std::vector<int64_t> ids(const TraceFilter& filter) {
    std::vector<int64_t> found;
    for (const auto& hit : reader->filter(filter)) found.push_back(hit.row.sample_id);
    return found;
  }
  Folder folder;
  RolloutWriter writer;
  std::optional<TraceReader> reader;
};

using Ids = std::vector<int64_t>;

struct FilterRow {
  std::string_view why;
  TraceFilter filter;
  Ids expected;
};

std::vector<FilterRow> filter_rows() {
  return {
      {"newest first", {.limit = 3}, {17, 16, 15}},
      {"from an offset", {.limit = 2, .offset = 3}, {14, 13}},
      {"oldest first", {.sort = TraceSort::kOldest, .limit = 2}, {1, 2}},
      {"newest, reversed", {.order = TraceOrder::kReversed, .limit = 2}, {1, 2}},
      {"one step", {.first_step = 1, .last_step = 1}, {8, 7, 6, 5}},
      {"a wide range of steps", {.first_step = 3, .last_step = 1'000'000}, {17, 16, 15, 14, 13}},
      {"up to a step", {.last_step = 0}, {4, 3, 2, 1}},
      {"a task and a step", {.last_step = 0, .task = "arithmetic"}, {4, 3}},
      {"a prompt", {.first_step = 3, .prompt_id = "p0"}, {17, 14, 13}},
      {"the evaluation's", {.split = Split::kEval}, {17}},
      {"right ones of step 2", {.first_step = 2, .last_step = 2, .verdict = Verdict::kRight}, {11, 9}},
      {"undecided ones", {.first_step = 2, .verdict = Verdict::kUndecided}, {16, 12}},
      {"cut off at the length", {.first_step = 3, .finish = FinishReason::kLength}, {16, 14}},
      {"rewards", {.first_step = 3, .min_value = 1.0, .max_value = 2.0}, {17, 15, 13}},
      {"lengths", {.first_step = 3, .min_tokens = 21, .max_tokens = 21}, {16, 14}},
      {"with a turn", {.first_step = 2, .min_turns = 1}, {13, 9}},
      {"a reflection word", {.first_step = 3, .word = "check"}, {15}},
      {"two conditions that exclude each other", {.task = "arithmetic", .word = "but"}, {}},
      {"text", {.search = "alpha"}, {14, 10, 6, 2}},
      {"text and a step", {.first_step = 2, .last_step = 2, .search = "gamma"}, {12}},
      {"text, oldest first", {.search = "alpha", .sort = TraceSort::kOldest, .limit = 1}, {2}},
      {"a stage", {.stage = "rl", .limit = 1}, {17}},
      {"by reward, largest first", {.first_step = 3, .sort = TraceSort::kValue, .limit = 4}, {17, 15, 13, 14}},
      {"by length, least first",
       {.first_step = 3, .sort = TraceSort::kTokens, .order = TraceOrder::kReversed, .limit = 1},
       {17}},
      {"by turns", {.sort = TraceSort::kTurns, .limit = 2}, {13, 9}},
      {"an expression", {.where = "advantage < 0 AND step = 3"}, {16, 14}},
      {"an expression and text", {.search = "alpha", .where = "step > 1"}, {14, 10}},
      {"an expression with another table",
       {.where = "id IN (SELECT sample_id FROM completions WHERE text LIKE 'EPS%')"},
       {17}},
      {"an expression with a comment", {.where = "step = 3 AND finish = 'length' -- no more"}, {16, 14}},
      {"an expression with functions", {.where = "abs(advantage) > 1 AND round(value) = 1 AND id < 4"}, {3, 1}},
  };
}

struct BadWhere {
  std::string_view why, where;
};

constexpr BadWhere kBadWheres[]{
    {"not SQL", "advantage <"},
    {"no such column", "secret = 1"},
    {"a second statement", "1); DELETE FROM samples; --"},
    {"a function that loads code", "load_extension('x')"},
    {"a function that allocates", "length(zeroblob(900000000)) > 0"},
    {"a function that formats", "printf('%.*c', 900000000, 'x') > ''"},
    {"a pragma", "1 IN (SELECT 1 FROM pragma_table_info('samples'))"},
    {"SQLite's own tables", "EXISTS (SELECT 1 FROM sqlite_master)"},
    {"the full-text index's insides", "EXISTS (SELECT 1 FROM completions_fts_data)"},
    {"recursion", "(WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r) > 0"},
    {"an aggregate that grows", "(SELECT group_concat(text) FROM completions) > ''"},
};

struct SearchRow {
  std::string_view why, typed, query;
};

constexpr SearchRow kSearchRows[]{
    {"a word", "wait", R"(("wait"))"},
    {"words must all occur", "no wait", R"(("no") AND ("wait"))"},
    {"a phrase", "\"no wait\"", R"(("no wait"))"},
    {"a beginning", "wai*", R"(("wai"*))"},
    {"either", "wait OR check", R"(("wait" OR "check"))"},
    {"either, and another", "a b OR c", R"(("a") AND ("b" OR "c"))"},
    {"not", "wait -check", R"((("wait")) NOT ("check"))"},
    {"none of two", "wait -check -\"no no\"", R"((("wait")) NOT ("check" OR "no no"))"},
    {"operators of FTS5 are words", "a AND NOT NEAR", R"(("a") AND ("AND") AND ("NOT") AND ("NEAR"))"},
    {"columns and carets are signs", "text:x ^y {z}", R"(("text:x") AND ("^y") AND ("{z}"))"},
    {"signs alone hold no word", "wait + () -- *", R"(("wait"))"},
    {"an open quote", "\"no wait", R"(("no wait"))"},
    {"a quote within", "a\"b", R"(("a") AND ("b"))"},
    {"an expression", "(3*5)+2", R"(("(3*5)+2"))"},
    {"OR at the edges", "OR a OR", R"(("a"))"},
    {"minus before a sign", "a -+", R"(("a"))"},
    {"a NUL byte", std::string_view("a\0b", 3), R"(("a") AND ("b"))"},
};

}  // namespace

TEST_CASE_METHOD(Fixture, "filter finds what all conditions hold for") {
  for (const auto& row : filter_rows()) {
    INFO(row.why);
    CHECK(ids(row.filter) == row.expected);
  }
}

TEST_CASE_METHOD(Fixture, "an expression that could do more than read is refused, and the file stays") {
  for (const auto& row : kBadWheres) {
    INFO(row.why);
    CHECK_THROWS_AS(reader->filter({.where = std::string(row.where)}), Error);
  }
  CHECK(reader->filter({}).size() == 17);
}

TEST_CASE_METHOD(Fixture, "an expression that runs too long is stopped") {
  TraceReader quick(folder.path(), {.where_time_limit = std::chrono::milliseconds(50)});
  const std::string loops = "(SELECT count(*) FROM words a, words b, words c, words d, words e, words f) > 0";
  CHECK_THROWS_WITH(quick.filter({.where = loops}),
                    Catch::Contains("ran for more than 50 ms") && Catch::Contains("mend: ask for less"));
  CHECK(quick.filter({.where = "1"}).size() == 17);
}

TEST_CASE_METHOD(Fixture, "a reader cannot write, whatever SQL reaches it") {
  Sqlite db(folder.file(), Sqlite::Mode::kReadOnly);
  CHECK_THROWS_AS(db.run("DELETE FROM samples"), Error);
  CHECK_THROWS_AS(db.run("CREATE TABLE x (y)"), Error);
  CHECK_THROWS_AS(db.run("INSERT INTO completions_fts (completions_fts) VALUES ('optimize')"), Error);
}

TEST_CASE("full_text_query makes a harmless query of whatever is typed") {
  const auto row = GENERATE(from_range(std::begin(kSearchRows), std::end(kSearchRows)));
  INFO(row.why);
  CHECK(full_text_query(row.typed) == row.query);
}

TEST_CASE("full_text_query wants a word") {
  const auto typed = GENERATE("", "  ", "+-*/", "\"\"", "-wait", "OR");
  CHECK_THROWS_WITH(full_text_query(typed), Catch::Contains("no word to look for"));
}

TEST_CASE_METHOD(Fixture, "no search text is a syntax error") {
  for (const auto& row : kSearchRows) {
    INFO(row.why);
    CHECK_NOTHROW(reader->filter({.search = std::string(row.typed)}));
  }
  CHECK_NOTHROW(reader->filter({.search = "\xc3\x97 wait"}));  // a sign beyond ASCII
  CHECK_NOTHROW(reader->filter({.search = "\xff\xfe wait"}));
  CHECK(ids({.search = "ALPHA"}) == Ids{14, 10, 6, 2});
  CHECK(ids({.search = "\"gamma delta\" -3"}) == Ids{12, 8, 4});
  CHECK(ids({.search = "\"delta gamma\""}).empty());
  CHECK(ids({.search = "eps*"}) == Ids{17});
}

TEST_CASE_METHOD(Fixture, "a hit shows where it says what was searched for") {
  const auto hits = reader->filter({.search = "wait", .limit = 1, .offset = 1});
  CHECK(hits.at(0).snippet.find("no \x02wait\x03 3*5") != std::string::npos);
  CHECK(reader->filter({.limit = 1}).at(0).snippet == "epsilon");
}

TEST_CASE_METHOD(Fixture, "unknown names are errors that name the known ones") {
  CHECK_THROWS_WITH(reader->steps("rll"), Catch::Contains("no stage 'rll': there are rl, sft"));
  CHECK_THROWS_WITH(reader->filter({.word = "wiat"}), Catch::Contains("did you mean 'wait'"));
  CHECK_THROWS_WITH(reader->filter({.word = "nope"}), Catch::Contains("is not among those that were counted"));
  CHECK_THROWS_WITH(reader->groups_of_step("rl", 900),
                    Catch::Contains("no step 900: its last one is 3") && Catch::Contains("--step 3"));
  CHECK_THROWS_WITH(reader->groups_of_prompt("p9"), Catch::Contains("no prompt has the id 'p9'"));
  CHECK_THROWS_WITH(reader->sample(999), Catch::Contains("ids run up to 17"));
  CHECK_THROWS_WITH(reader->group(999), Catch::Contains("no group 999"));
  CHECK_THROWS_WITH(reader->filter({.limit = 0}), Catch::Contains("a limit lies in 1.."));
}

TEST_CASE_METHOD(Fixture, "runs and stages sum up what was written") {
  const auto runs = reader->runs();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].run_id == "zero");
  CHECK(runs[0].started_at == "2026-11-23T10:00:00Z");
  REQUIRE(runs[0].stages.size() == 2);
  const auto& rl = runs[0].stages[0];
  CHECK(rl.name == "rl");
  CHECK(rl.first_step == 0);
  CHECK(rl.last_step == 3);
  CHECK(rl.seconds == 12);
  CHECK(rl.train.num_samples == 16);
  CHECK(rl.train.accuracy() == Approx(8.0 / 12));  // the four undecided ones count neither way
  CHECK(rl.eval.num_samples == 1);
  CHECK(runs[0].stages[1].train.num_samples == 0);
  CHECK(reader->resolve_stage("") == "rl");  // the latest that sampled
}

TEST_CASE_METHOD(Fixture, "steps carry their sums and metrics, and a metric is a curve") {
  const auto steps = reader->steps("rl");
  REQUIRE(steps.size() == 4);
  CHECK(steps[2].step == 2);
  CHECK(steps[2].train.num_samples == 4);
  CHECK(steps[2].train.mean_tokens() == Approx(20.5));
  CHECK(steps[2].train.mean_value() == Approx((1.1 + 0.1 + 1.1) / 3));
  CHECK(steps[2].train.truncated() == Approx(0.5));
  CHECK(steps[2].train.num_turns == 1);
  CHECK(steps[2].metrics == std::map<std::string, double>{{"kl", 0.5}, {"reward", 2}});
  CHECK(steps[2].seconds == 3);
  CHECK(steps[3].eval.num_samples == 1);
  CHECK(reader->steps("rl", 1, 2).size() == 2);
  CHECK(reader->metric_names("rl") == std::vector<std::string>{"kl", "reward"});
  const auto curve = reader->curve("rl", "reward");
  REQUIRE(curve.size() == 4);
  CHECK(curve[3].step == 3);
  CHECK(curve[3].value == 3);
  CHECK(reader->curve("rl", "loss").empty());
  const auto evaluations = reader->evaluations("rl");
  REQUIRE(evaluations.size() == 1);
  CHECK(evaluations[0].low == 0.5);
}

TEST_CASE_METHOD(Fixture, "word counts are means per sample of a step") {
  const auto steps = reader->word_counts("rl", Split::kTrain);
  REQUIRE(steps.size() == 4);
  CHECK(steps[1].num_samples == 4);
  CHECK(steps[1].mean_per_sample == std::map<std::string, double>{{"but", 0.25}, {"check", 0.25}, {"wait", 0.5}});
  CHECK(steps[1].mean_turns == 0.25);
  CHECK(reader->word_counts("rl", Split::kEval).at(0).mean_per_sample.empty());
}

TEST_CASE_METHOD(Fixture, "one prompt is followed through training") {
  const auto groups = reader->groups_of_prompt("p0");
  REQUIRE(groups.size() == 5);
  for (size_t i = 0; i < 4; ++i) CHECK(groups[i].step == static_cast<int64_t>(i));
  CHECK(groups[4].split == Split::kEval);
  CHECK(groups[0].sums.num_right == 1);
  CHECK(groups[0].sums.num_samples == 2);
  CHECK(groups[0].prompt_text == "3 5 2 = 17\n");
  CHECK(reader->group(groups[1].group_id).samples.at(1).sample.text == "alpha 1 but wait");
}

TEST_CASE_METHOD(Fixture, "lineage tells what became of a sample") {
  writer.add_lineage("sft", "reject.jsonl:12", {13, 9});
  writer.add_lineage("sft", "reject.jsonl:12", {13});
  writer.flush();
  CHECK(reader->sample(13).children == std::vector<std::pair<std::string, std::string>>{{"sft", "reject.jsonl:12"}});
  CHECK(reader->sample(1).children.empty());
}

TEST_CASE_METHOD(Fixture, "turns are judged by the answer key, where the key is a number") {
  const auto steps = reader->word_counts("rl", Split::kTrain);
  CHECK(steps.at(0).mean_aha == 0.25);  // 16 dropped for 17
}

TEST_CASE("turns are judged by a checker of the caller's own") {
  Folder folder;
  RolloutWriter writer(folder.file(), run_info(),
                       {.extra_words = {"yes"}, .checker = [](const Prompt& p, const Candidate& c) {
                          return std::optional(c.answer != p.answer);
                        }});
  writer.add_group("rl", 0, Split::kTrain, make_group("p0", {kRight, kWrong}));
  writer.flush();
  TraceReader reader(folder.path());
  const auto steps = reader.word_counts("rl", Split::kTrain);
  CHECK(steps.at(0).mean_aha == 0);
  CHECK(steps.at(0).mean_per_sample.at("yes") == 0.5);
  const auto events = reader.sample(1).events;
  const auto turn = std::find_if(events.begin(), events.end(), [](const EventRow& e) { return e.is_turn; });
  REQUIRE(turn != events.end());
  CHECK(turn->from_right == true);
  CHECK(turn->to_right == false);
}
