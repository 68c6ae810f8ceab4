// Score::answer: what majority votes (cons@k) count. Answers that mean the same vote together, whatever their spelling.

#include "rewards/registry.h"
#include "tests/support/catch.h"

using namespace r1;

namespace {

std::string vote(const std::string& task, const std::string& key, const std::string& answer) {
  static const auto reward = rewards::make_reward({});
  const auto text = "<think>so</think> <answer>" + answer + "</answer>";
  return reward->score({.task = task, .answer = key}, text, FinishReason::kStop).answer;
}

}  // namespace

TEST_CASE("answers of one meaning vote together, right or wrong") {
  struct Row {
    std::string task, key, one, other;
  };
  const auto row = GENERATE(
      Row{"number", "0.5", "1/2", "\\frac{2}{4}"}, Row{"number", "7", "1,000", "1000.0"}, Row{"number", "7", "-0", "0"},
      Row{"number", "25%", "25%", "25.0 %"}, Row{"countdown", "2 3 5 = 17", "2 + 3*5", "2+3 * 5"},
      Row{"text", "yes it is", "no  it\tis", "no it is"},
      Row{"knights_knaves", R"({"names": ["Ann"], "statements": [["lying", 0]]})", "Ann is  a knave", "Ann is a knave"},
      Row{"math", "7", "\\sqrt{2}/2", "1/\\sqrt{2}"}, Row{"choice", "B", "(C)", "C"});
  CAPTURE(row.task, row.one, row.other);
  CHECK_FALSE(vote(row.task, row.key, row.one).empty());
  CHECK(vote(row.task, row.key, row.one) == vote(row.task, row.key, row.other));
}

TEST_CASE("programs vote by what they do") {
  const std::string tests =
      R"({"entry_point": "f", "cases": [{"args": [1], "result": 2}, {"args": [2], "result": 3}]})";
  const auto program = [](std::string_view body) { return "\n```python\ndef f(x): " + std::string(body) + "\n```\n"; };
  const auto right = vote("code", tests, program("return x + 1"));
  if (right.empty()) return;  // a machine without namespaces runs no programs
  CHECK(right == vote("code", tests, program("return 1 + x")));
  CHECK(right != vote("code", tests, program("return 2")));
  CHECK(vote("code", tests, program("return 2")) != vote("code", tests, program("return 0")));
}

TEST_CASE("answers of different meaning vote apart") {
  struct Row {
    std::string task, key, one, other;
  };
  const auto row =
      GENERATE(Row{"number", "0.5", "1/2", "1/3"}, Row{"number", "25%", "25%", "0.25"}, Row{"number", "5", "-5", "5"},
               Row{"countdown", "2 3 5 = 17", "2+3*5", "(2+3)*5"}, Row{"text", "yes", "yes", "no"});
  CAPTURE(row.task, row.one, row.other);
  CHECK(vote(row.task, row.key, row.one) != vote(row.task, row.key, row.other));
}

TEST_CASE("what is no answer does not vote, and a huge number costs no lowest terms") {
  CHECK(vote("number", "5", "five").empty());
  CHECK(vote("number", "5", std::string(9000, '7')).empty());
  const auto reward = rewards::make_reward({});
  CHECK(reward->score({.task = "number", .answer = "5"}, "no answer here", FinishReason::kLength).answer.empty());
  CHECK(vote("text", "yes", std::string(100'000, 'y')).size() == 1024);
}
