#include "rl/estimators.h"

#include "tests/support/catch.h"

using namespace r1::rl;

TEST_CASE("pass@k without bias: 1 - C(n - c, k) / C(n, k)") {
  const std::vector<PromptOutcome> outcomes{{.is_right = {true, false, false, false}}, {.is_right = {false, false, false, false}}};
  CHECK(avg_at_k(outcomes).value == Approx(0.125));
  CHECK(pass_at_k(outcomes, 1).value == Approx(0.125));
  CHECK(pass_at_k(outcomes, 2).value == Approx(0.25));  // (1 - C(3,2)/C(4,2)) / 2
  CHECK(pass_at_k(outcomes, 4).value == Approx(0.5));
  CHECK(pass_at_k(outcomes, 5).num_prompts == 0);
}

TEST_CASE("cons@k follows the most frequent answer") {
  struct Row {
    std::string why;
    PromptOutcome outcome;
    double value;
  };
  const auto row = GENERATE(Row{"the majority is right", {{true, true, false}, {"4", "4", "5"}}, 1},
                            Row{"the majority is wrong", {{true, false, false}, {"4", "5", "5"}}, 0},
                            Row{"a tie of right and wrong", {{true, false}, {"4", "5"}}, 0.5},
                            Row{"empty answers do not vote", {{false, false, true}, {"", "", "4"}}, 1},
                            Row{"no answer at all", {{false}, {""}}, 0});
  INFO(row.why);
  CHECK(cons_at_k(std::vector{row.outcome}).value == row.value);
}

TEST_CASE("an interval is over prompts and stays in [0, 1]") {
  const std::vector<double> values{1, 0, 1, 1};
  const auto e = mean_over_prompts(values);
  CHECK(e.value == Approx(0.75));
  CHECK(e.low == Approx(0.75 - 1.95996 * 0.25).epsilon(1e-4));
  CHECK(e.high == 1);
  CHECK(mean_over_prompts(std::vector<double>{}).num_prompts == 0);
}
