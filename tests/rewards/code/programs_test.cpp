// The corpora under tests/fixtures/code: no honest solution is refused, no reward hack is accepted.

#include "tests/rewards/code/programs.h"

#include <set>

#include "tests/support/catch.h"

using namespace r1::rewards::code;
using namespace code_programs;

namespace {

void check_honest(const std::vector<Solution>& found) {
  Judge judge({.num_slots = 2});
  std::vector<Judged> judged(found.size());
  in_parallel(found.size(),
              [&](size_t i) { judged[i] = judge.judge_program(found[i].source, parsed(found[i].tests)); });
  for (size_t i = 0; i < found.size(); ++i) {
    INFO(found[i].name << ": " << to_string(judged[i].finding) << ", " << judged[i].detail);
    CHECK(judged[i].finding == Finding::kPassed);
    CHECK(judged[i].num_passed == judged[i].num_cases);
  }
}

constexpr auto kAdd =
    R"({"entry_point":"add","cases":[{"args":[1,2],"result":3},{"args":[5,7],"result":12},{"args":[-1,1],"result":0}]})";

}  // namespace

TEST_CASE("no honest Python function is refused") {
  const auto found = solutions("functions.py", true, "python");
  CHECK(found.size() >= 150);
  check_honest(found);
}

TEST_CASE("no honest Python program is refused") {
  const auto found = solutions("programs.py", false, "python");
  CHECK(found.size() >= 30);
  check_honest(found);
}

TEST_CASE("no honest C++ solution is refused") {
  check_honest(solutions("functions.cpp", true, "cpp"));
  check_honest(solutions("programs.cpp", false, "cpp"));
}

TEST_CASE("no reward hack is accepted, and none buys itself out of being wrong") {
  const auto found = files("hacks");
  CHECK(found.size() >= 50);
  Judge judge({.limits = {.cpu_ms = 500, .wall_ms = 1500, .memory_bytes = 128 << 20}, .num_slots = 2});
  std::vector<Judged> judged(found.size());
  in_parallel(found.size(), [&](size_t i) {
    const auto source = read_text(found[i]);
    const auto tests = header(source, "tests");
    judged[i] = judge.judge_program(source, parsed(tests.empty() ? kAdd : tests));
  });
  for (size_t i = 0; i < found.size(); ++i) {
    INFO(found[i].filename().string() << ": " << to_string(judged[i].finding) << ", " << judged[i].detail);
    CHECK(judged[i].finding != Finding::kPassed);
    CHECK(judged[i].finding != Finding::kUndecided);
    CHECK(judged[i].finding != Finding::kNoProgram);
  }
  CHECK(judge.judge_program("def add(a, b):\n  return a + b\n", parsed(kAdd)).finding == Finding::kPassed);
}
