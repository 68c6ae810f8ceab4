#include "rewards/math/judge.h"

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace r1::rewards::math;

namespace {

struct Row {
  std::string kind, gold, answer, label;
};

std::vector<Row> read_corpus(const std::string& name) {
  std::vector<Row> rows;
  std::ifstream file(std::string(R1_FIXTURES) + "/math/" + name);
  for (std::string line; std::getline(file, line);) {
    const auto row = boost::json::parse(line).as_object();
    const auto text = [&](const char* key) { return std::string(row.at(key).as_string()); };
    rows.push_back({text("kind"), text("gold"), text("answer"), text("label")});
  }
  return rows;
}

struct Tally {
  int num_equal = 0, num_found = 0, num_false_equal = 0, num_false_different = 0, num_undecided_keys_missed = 0;
  std::string misses;
};

Tally judge_corpus(const std::vector<Row>& rows) {
  Tally tally;
  for (const auto& row : rows) {
    const auto judgement = judge_math(row.answer, row.gold);
    const auto verdict = judgement.verdict;
    tally.num_equal += row.label == "equal";
    tally.num_found += row.label == "equal" && verdict == MathVerdict::kEqual;
    tally.num_false_equal += row.label != "equal" && verdict == MathVerdict::kEqual;
    tally.num_false_different += row.label == "equal" && verdict == MathVerdict::kDifferent;
    tally.num_undecided_keys_missed += row.label == "undecided" && verdict != MathVerdict::kUndecided;
    if (to_string(verdict) != row.label) {
      tally.misses += row.kind + ": " + row.gold + " | " + row.answer + " is " + row.label + ", judged " +
                      std::string(to_string(verdict)) + " (" + judgement.reason + ")\n";
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("the corpora hold no pair that is falsely equal, and 99 in 100 equal ones are found") {
  for (const std::string name : {"generated.jsonl", "handwritten.jsonl"}) {
    const auto rows = read_corpus(name);
    REQUIRE(rows.size() >= 100);
    const auto tally = judge_corpus(rows);
    INFO(name << "\n" << tally.misses);
    CHECK(tally.num_false_equal == 0);
    CHECK(tally.num_undecided_keys_missed == 0);
    if (missing_abilities().empty()) CHECK(tally.num_found * 100 >= tally.num_equal * 99);
  }
}

TEST_CASE("the corpora hold 1,500 pairs and more, equal and different ones of every kind of answer") {
  std::map<std::string, std::map<std::string, int>> counts;
  size_t num_rows = 0;
  for (const std::string name : {"generated.jsonl", "handwritten.jsonl"}) {
    for (const auto& row : read_corpus(name)) {
      ++counts[row.kind][row.label];
      ++num_rows;
    }
  }
  CHECK(num_rows >= 1'500);
  for (const std::string kind :
       {"integer",    "decimal",      "fraction",   "mixed",     "percent",  "unit",       "currency",
        "scientific", "radical",      "power",      "factorial", "binomial", "logarithm",  "constant",
        "complex",    "trigonometry", "interval",   "set",       "tuple",    "matrix",     "vector",
        "equation",   "inequality",   "plus-minus", "piecewise", "sum",      "product",    "integral",
        "limit",      "date",         "time",       "choice",    "text",     "polynomial", "rational function",
        "ratio",      "algebra"}) {
    INFO(kind);
    CHECK(counts[kind]["equal"] >= 4);
    CHECK(counts[kind]["different"] >= 4);
  }
  CHECK(counts["hack"]["different"] >= 40);
  CHECK(counts["unreadable key"]["undecided"] + counts["undecided"]["undecided"] >= 80);
}

TEST_CASE("every verdict but equal has a reason") {
  for (const auto& row : read_corpus("handwritten.jsonl")) {
    const auto judgement = judge_math(row.answer, row.gold);
    INFO(row.gold << " | " << row.answer);
    CHECK(judgement.reason.empty() == (judgement.verdict == MathVerdict::kEqual));
    CHECK((judgement.fault == Fault::kNone) == (judgement.verdict != MathVerdict::kUndecided));
  }
}

TEST_CASE("a tolerance counts only where the key states one") {
  struct Case {
    std::string gold, answer;
    MathVerdict verdict;
    std::string why;
  };
  const std::vector<Case> cases{
      {"\\approx 3.14", "\\pi", MathVerdict::kEqual, "pi rounds to 3.14"},
      {"\\approx 3.14", "3.1416", MathVerdict::kEqual, "so does 3.1416"},
      {"\\approx 3.14", "3.15", MathVerdict::kDifferent, "3.15 does not"},
      {"3.14", "\\pi", MathVerdict::kDifferent, "the key is exact"},
      {"1/3", "0.3333", MathVerdict::kDifferent, "the key is exact"},
      {"0.3333", "1/3", MathVerdict::kDifferent, "a decimal key is exact too"},
  };
  for (const auto& c : cases) {
    INFO(c.gold << " | " << c.answer << ": " << c.why);
    CHECK(judge_math(c.answer, c.gold).verdict == c.verdict);
  }
}

TEST_CASE("equal answers share the text that votes are counted by") {
  const std::vector<std::vector<std::string>> groups{
      {"\\boxed{\\frac{1}{2}}", "\\boxed{0.5}", "The answer is $2/4$.", "<answer>\\dfrac12</answer>"},
      {"\\boxed{x^2+2x+1}", "\\boxed{(x+1)^2}", "\\boxed{1+2x+x^2}"},
      {"\\boxed{\\sqrt{8}}", "\\boxed{2\\sqrt2}"},
      {"\\boxed{\\text{Tuesday}}", "The answer is Tuesday."},
  };
  for (const auto& group : groups) {
    const auto first = judge_math(group[0], "0").answer;
    CHECK_FALSE(first.empty());
    for (const auto& completion : group) CHECK(judge_math(completion, "0").answer == first);
  }
}
