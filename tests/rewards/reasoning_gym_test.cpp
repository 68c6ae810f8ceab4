// Our verdicts beside those of reasoning-gym 0.1.25's own scorers, on answers it generated and answers spoilt from them
// (tests/reference/reasoning_gym_verdicts.py).

#include <map>
#include <set>

#include "core/files.h"
#include "core/json.h"
#include "rewards/registry.h"
#include "tasks/jsonl.h"
#include "tests/support/catch.h"

using namespace r1;

namespace {

const std::string kFolder = R1_FIXTURES "/reasoning_gym/";

struct Difference {
  std::string_view dataset, kind;
  bool is_right_here;
  std::string_view why;
};

// Where we mean to differ. Each row must be needed.
constexpr Difference kDifferences[]{
    {"basic_arithmetic", "blanks_around", true, "its scorer compares texts; ours compares numbers"},
    {"basic_arithmetic", "leading_zeros", true, "texts against numbers"},
    {"basic_arithmetic", "closing_zeros", true, "texts against numbers"},
    {"basic_arithmetic", "plus_sign", true, "texts against numbers"},
    {"basic_arithmetic", "thousands", true, "texts against numbers"},
    {"gcd", "blanks_around", true, "texts against numbers"},
    {"gcd", "leading_zeros", true, "texts against numbers"},
    {"gcd", "closing_zeros", true, "texts against numbers"},
    {"gcd", "plus_sign", true, "texts against numbers"},
    {"gsm_symbolic", "negated", false, "its pattern drops a minus sign: -288 passes for 288"},
    {"gsm_symbolic", "two_numbers", false, "its pattern takes the first number of any text"},
    {"gsm_symbolic", "sentence", false, "the same; we read prose only with number_reading = last_number"},
    {"gsm_symbolic", "expression", false, "the same: 288+0 passes for 288"},
    {"gsm_symbolic", "thousands", true, "its pattern reads 1,234 as 1"},
    {"countdown", "double_sign", false, "sympy reads --3 as 3; a sign is written once"},
    {"game_of_life", "one_row_more", false, "its scorer does not look beyond the rows of the key"},
    {"puzzle24", "other_numbers", false, "its scorer never looks at which numbers are used"},
    {"syllogism", "blank_before", true, "blanks around a text answer do not count"},
    {"caesar_cipher", "blank_before", true, "blanks around a text answer do not count"},
    {"string_splitting", "blank_before", true, "blanks around a text answer do not count"},
};

const Difference* find_difference(std::string_view dataset, std::string_view kind, bool is_right_here) {
  for (const auto& row : kDifferences) {
    if (row.dataset == dataset && row.kind == kind && row.is_right_here == is_right_here) return &row;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("verdicts equal reasoning-gym's on right and spoilt answers, but for differences we can name", "[golden]") {
  const auto reward = rewards::make_reward({.format_weight = 0});
  std::map<std::string, int> num_rows, num_right;
  std::set<const Difference*> met;
  for_each_line(kFolder + "verdicts.jsonl", [&](int64_t number, std::string_view line) {
    const auto where = "verdicts.jsonl:" + std::to_string(number);
    const auto value = json::parse(line, where);
    const auto& row = value.get_object();
    const auto dataset = json::get_string(row, "dataset", where), kind = json::get_string(row, "kind", where);
    const auto candidate = json::get_string(row, "candidate", where);
    const Prompt prompt{.task = json::get_string(row, "task", where), .answer = json::get_string(row, "answer", where)};
    const auto score = reward->score(prompt, "<answer>" + candidate + "</answer>", FinishReason::kStop);
    const bool is_right = score.verdict == Verdict::kRight;
    INFO(where << ": " << dataset << " " << kind << " '" << candidate << "' for '" << prompt.answer << "'");
    REQUIRE(score.verdict != Verdict::kUndecided);
    if (kind == "right") REQUIRE(is_right);
    if (is_right != (json::get_double(row, "oracle", where) == 1)) {
      const auto* difference = find_difference(dataset, kind, is_right);
      CHECK(difference != nullptr);
      met.insert(difference);
    }
    ++num_rows[dataset];
    num_right[dataset] += is_right;
  });
  CHECK(met.size() == std::size(kDifferences));
  CHECK(num_rows.size() == 15);
  for (const auto& [dataset, count] : num_rows) {
    INFO(dataset);
    CHECK(num_right[dataset] >= 12);
    CHECK(count - num_right[dataset] >= 36);
  }
}

TEST_CASE("what scripts/reasoning_gym_jsonl.py writes is read, with tasks we know and keys we can use", "[golden]") {
  const auto set = tasks::jsonl_set(kFolder + "questions.jsonl", {});
  REQUIRE(set.size == 45);
  const auto reward = rewards::make_reward({});
  std::set<std::string> tasks_met;
  for (uint64_t i = 0; i < set.size; ++i) {
    const auto question = set.at(i);
    rewards::require_known_task(question.task, question.id);
    const Prompt prompt{.task = question.task, .answer = question.answer};
    CHECK(reward->score(prompt, "<answer>?</answer>", FinishReason::kStop).verdict == Verdict::kWrong);
    CHECK(question.metadata_json.find("\"dataset\":") != std::string::npos);
    tasks_met.insert(question.task);
  }
  CHECK(tasks_met == std::set<std::string>{"countdown", "cryptarithm", "json", "knights_knaves", "number", "puzzle24",
                                           "text", "zebra"});
}
