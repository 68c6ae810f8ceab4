// What `r1 score` reads and writes.

#include "rewards/scorer.h"

#include <fmt/format.h>

#include <fstream>

#include "core/error.h"
#include "core/json.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace r1;
using namespace r1::rewards;

namespace {

std::string score_line(std::string_view line) { return Scorer().score_line(line, "rows.jsonl:7").json; }

std::vector<std::string> score_text(const TempFolder& folder, const std::string& text, int num_threads,
                                    ScoreCounts* counts) {
  std::ofstream(folder.path() / "rows.jsonl") << text;
  std::vector<std::string> lines;
  const auto result = score_file(
      Scorer(), folder.path() / "rows.jsonl", {.num_threads = num_threads, .max_waiting = 8},
      [&](std::string_view line) { lines.emplace_back(line); }, [] {});
  if (counts) *counts = result;
  return lines;
}

}  // namespace

TEST_CASE("a row gives its id, verdict, value, reason and parts") {
  CHECK(score_line(R"({"id": "a", "task": "number", "answer": 2, "completion": "<answer>2.0</answer>"})") ==
        R"({"id":"a","verdict":"right","value":1.0,"reason":"","parts":{"accuracy":1.0}})");
  const auto wrong = score_line(R"({"id": 3, "task": "number", "answer": "2", "completion": "<answer>3</answer>"})");
  CHECK_THAT(wrong, Catch::StartsWith(R"({"id":3,"verdict":"wrong","value":0.0,"reason":")"));
  CHECK_THAT(wrong, Catch::EndsWith(R"(","parts":{"accuracy":0.0}})"));
  const auto undecided = score_line(R"({"task": "number", "answer": "two", "completion": "<answer>2</answer>"})");
  CHECK_THAT(undecided, Catch::StartsWith(R"({"id":"rows.jsonl:7","verdict":"undecided","value":0.0,"reason":")"));
  CHECK_THAT(undecided, Catch::EndsWith(R"(","parts":{}})"));
}

TEST_CASE("answers may be JSON, and options may stand in the metadata") {
  CHECK_THAT(score_line(R"({"task": "json", "answer": {"a": [1, 2]}, "completion": "<answer>{\"a\":[1,2]}</answer>"})"),
             Catch::Contains("right"));
  CHECK_THAT(
      score_line(
          R"({"task": "choice", "answer": "B", "metadata": {"options": ["x", "y"]}, "completion": "<answer>y</answer>"})"),
      Catch::Contains("right"));
}

TEST_CASE("a row of a code task has its tests for an answer") {
  const auto key = parse_score_row(
      R"({"task": "number", "language": "python", "tests": {"entry_point": "f", "cases": []}, "completion": ""})",
      "f:1");
  CHECK(key.prompt.answer == R"({"language":"python","tests":{"entry_point": "f", "cases": []}})");
}

TEST_CASE("what a reward may look at beside the text stands in the row") {
  RewardOptions options{.format_weight = 0};
  options.shaping.overlong_tokens = 10;
  options.shaping.language_weight = 1;
  const auto line = Scorer(options).score_line(
      R"({"task": "number", "answer": 2, "prompt": "你好吗?", "num_tokens": 15, "max_new_tokens": 20, "completion": "<think>首先计算</think><answer>2</answer>"})",
      "f:1");
  CHECK_THAT(line.json, Catch::Contains(R"("value":1.5)"));
  CHECK_THAT(line.json, Catch::Contains(R"("language":1.0)") && Catch::Contains(R"("overlong":-0.5)"));
}

TEST_CASE("a line that is no row is undecided, says where and why, and keeps its id") {
  struct Row {
    std::string_view line, says;
  };
  const auto row = GENERATE(values<Row>({
      {"{", "rows.jsonl:7"},
      {"[1]", "no JSON object"},
      {R"({"id": "x", "answer": 2, "completion": ""})", "task"},
      {R"({"id": "x", "task": "number", "completion": ""})", "answer"},
      {R"({"id": "x", "task": "number", "answer": 2})", "completion"},
      {R"({"id": "x", "task": "numbr", "answer": 2, "completion": ""})", "perhaps number"},
      {R"({"id": "x", "task": "number", "answer": 2, "completion": 3})", "completion"},
      {R"({"id": "x", "task": "number", "answer": 2, "completion": "", "finish": "late"})", "finish"},
      {R"({"id": "x", "task": "number", "answer": 2, "tests": {}, "completion": ""})", "both"},
  }));
  INFO(row.line);
  const auto scored = Scorer().score_line(row.line, "rows.jsonl:7");
  CHECK_FALSE(scored.was_read);
  CHECK(scored.verdict == Verdict::kUndecided);
  const auto json = json::parse(scored.json, "out");
  CHECK(json.at("verdict") == "undecided");
  CHECK_THAT(std::string(json.at("reason").as_string()), Catch::Contains(std::string(row.says)));
  CHECK(json.at("id") == (row.line.find("\"x\"") == row.line.npos ? "rows.jsonl:7" : "x"));
}

TEST_CASE("the output is JSON whatever the completion is") {
  const auto line = score_line(
      "{\"task\": \"countdown\", \"answer\": \"2 3 = 5\", \"completion\": "
      "\"<answer>\\u0000\\\"\xF0\x9F\x98\x80</answer>\"}");
  CHECK(json::parse(line, "out").at("verdict") == "wrong");
}

TEST_CASE("lines come in the order of the input, whatever the number of threads") {
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text += fmt::format(R"({{"id": {}, "task": "number", "answer": {}, "completion": "<answer>{}</answer>"}})", i,
                        i % 3, i % 2) +
            "\n";
    if (i % 50 == 0) text += " \r\n{\n";
  }
  const TempFolder folder;
  ScoreCounts one_counts, four_counts;
  const auto one = score_text(folder, text, 1, &one_counts), four = score_text(folder, text, 4, &four_counts);
  REQUIRE(one.size() == 510);
  CHECK((one == four));
  CHECK(json::parse(one[509], "out").at("id") == 499);
  CHECK(one_counts.num_right + one_counts.num_wrong == 500);
  CHECK(one_counts.num_unread == 10);
  CHECK(four_counts.num_right == one_counts.num_right);
}

TEST_CASE("errors of the file and of the output come back") {
  CHECK_THROWS_AS(score_file(
                      Scorer(), "/no/such/file", {}, [](std::string_view) {}, [] {}),
                  Error);
  CHECK_THROWS_AS(score_file(
                      Scorer(), "/no/such/file", {.num_threads = 0}, [](std::string_view) {}, [] {}),
                  Error);
  const TempFolder folder;
  std::ofstream out(folder.path() / "rows");
  for (int i = 0; i < 100; ++i) out << "{}\n";
  out.close();
  const auto fail = [](std::string_view) { throw Error("disk", "is full", "make room"); };
  CHECK_THROWS_WITH(score_file(Scorer(), folder.path() / "rows", {.num_threads = 3, .max_waiting = 2}, fail, [] {}),
                    Catch::Contains("is full"));
}
