#include "rewards/code/judge.h"

#include "core/error.h"
#include "rewards/code/code_reward.h"
#include "rewards/registry.h"
#include "tests/rewards/code/programs.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;
using namespace r1::rewards::code;
using code_programs::parsed;

namespace {

constexpr auto kDouble =
    R"({"entry_point":"f","cases":[{"args":[1],"result":2},{"args":[3],"result":6},{"args":[0],"result":0}]})";

JudgeOptions small_options(Credit credit = Credit::kBinary) {
  return {.credit = credit, .limits = {.cpu_ms = 500, .wall_ms = 1500, .memory_bytes = 128 << 20}, .num_slots = 1};
}

std::string fenced(const std::string& source) { return "<think>...</think>\n```python\n" + source + "\n```\n"; }

}  // namespace

TEST_CASE("what became of a program is told apart") {
  Judge judge(small_options());
  struct Row {
    std::string source;
    Finding finding;
    std::string says;
  };
  const auto row = GENERATE(values<Row>({
      {"def f(x):\n  return 2 * x", Finding::kPassed, ""},
      {"def f(x):\n  return 2", Finding::kWrong, "test 2: expected 6, got 2"},
      {"def f(x):\n  return 2 *", Finding::kCompileError, "SyntaxError"},
      {"def g(x):\n  return 2", Finding::kCompileError, "there is no f"},
      {"def f(x):\n  raise KeyError('k')", Finding::kRuntimeError, "KeyError: 'k' (line 2)"},
      {"def f(x):\n  while True: pass", Finding::kTime, "stopped for processor time"},
      {"def f(x):\n  import time; time.sleep(60)", Finding::kTime, "stopped for wall time"},
      {"def f(x):\n  return [0] * 10**12", Finding::kMemory, "MemoryError"},
      {"def f(x):\n  while True: print('x' * 9999)", Finding::kOutput, "stopped for output"},
      {"def f(x):\n  return f", Finding::kWrong, "of type function"},
      {"import os\nos._exit(0)", Finding::kRuntimeError, "returned no result"},
      {"", Finding::kCompileError, "there is no f"},
      {std::string("def f(x):\n  return 2 * x\0", 25), Finding::kCompileError, "null bytes"},
      {"\xff\xfe", Finding::kCompileError, "UnicodeEncodeError"},
  }));
  INFO(row.source);
  const auto judged = judge.judge_program(row.source, parsed(kDouble));
  CHECK(to_string(judged.finding) == to_string(row.finding));
  CHECK_THAT(judged.detail, Catch::Contains(row.says));
}

TEST_CASE("binary credit stops at the first failure, fractional credit counts the tests passed") {
  const auto source = "def f(x):\n  return 2 * x if x != 3 else 0";
  CHECK(Judge(small_options()).judge_program(source, parsed(kDouble)).num_passed == 1);
  const auto judged = Judge(small_options(Credit::kFractional)).judge_program(source, parsed(kDouble));
  CHECK(judged.num_passed == 2);
  CHECK(judged.num_cases == 3);
  CHECK(judged.finding == Finding::kWrong);
}

TEST_CASE("compiled programs are compiled once, whoever asks") {
  Judge judge({.num_slots = 2});
  const auto tests = parsed(R"({"language":"cpp","cases":[{"stdin":"2","stdout":"4"},{"stdin":"3","stdout":"6"}]})");
  const std::string source =
      "#include <cstdio>\nint main() { int x; std::scanf(\"%d\", &x); std::printf(\"%d\", 2 * x); }";
  std::atomic<int> num_passed{0};
  code_programs::in_parallel(
      4, [&](size_t) { num_passed += judge.judge_program(source, tests).finding == Finding::kPassed; });
  CHECK(num_passed == 4);
  CHECK(judge.num_builds() == 1);
  const auto broken = judge.judge_program("int main() { return x; }", tests);
  CHECK(broken.finding == Finding::kCompileError);
  CHECK_THAT(broken.detail,
             Catch::Contains("'x' was not declared") || Catch::Contains("\xE2\x80\x98x\xE2\x80\x99 was not declared"));
}

TEST_CASE("a checker decides where several outputs are right") {
  Judge judge(small_options());
  const auto tests = parsed(R"({"cases":[{"stdin":"6","stdout":""}],"checker":{"source":
    "def check(given, expected, output):\n    a, b = map(int, output.split())\n    return a * b == int(given) and 1 < a < 6"}})");
  CHECK(judge.judge_program("print(2, 3)", tests).finding == Finding::kPassed);
  CHECK(judge.judge_program("print(3, 2)", tests).finding == Finding::kPassed);
  CHECK(judge.judge_program("print(1, 6)", tests).finding == Finding::kWrong);
  CHECK(judge.judge_program("print('x')", tests).finding == Finding::kWrong);

  const auto broken = parsed(R"({"cases":[{"stdin":"","stdout":""}],"checker":{"source":"def check(:"}})");
  CHECK(judge.judge_program("print(1)", broken).finding == Finding::kUndecided);
  const auto of_call = parsed(
      R"x({"entry_point":"f","cases":[{"args":[4],"result":null}],"checker":{"source":
      "def check(args, expected, got):\n    return sorted(got) == list(range(args[0]))"}})x");
  CHECK(judge.judge_program("def f(n):\n  return list(range(n))[::-1]", of_call).finding == Finding::kPassed);
  CHECK(judge.judge_program("def f(n):\n  return [0]", of_call).finding == Finding::kWrong);
}

TEST_CASE("the reward of a completion is that of its program") {
  const CodeReward reward({.judge = small_options()});
  const Prompt prompt{.task = "code", .answer = kDouble};
  const auto right = reward.score(prompt, fenced("def f(x):\n  return x + x"), FinishReason::kStop);
  CHECK(right.value == 1);
  CHECK(right.verdict == Verdict::kRight);
  CHECK(right.detail == "passed, passed 3 of 3");
  const auto wrong = reward.score(prompt, fenced("def f(x):\n  return 2"), FinishReason::kStop);
  CHECK(wrong.value == 0);
  CHECK(wrong.verdict == Verdict::kWrong);
  CHECK(reward.score(prompt, "x + x", FinishReason::kStop).verdict == Verdict::kWrong);

  const CodeReward fractional({.judge = small_options(Credit::kFractional)});
  const auto part = fractional.score(prompt, fenced("def f(x):\n  return 2 * x if x != 3 else 0"), FinishReason::kStop);
  CHECK(part.value == Approx(2 / 3.));
  CHECK(part.verdict == Verdict::kWrong);
}

TEST_CASE("tests that cannot be read are undecided, and worth nothing") {
  const CodeReward reward({.judge = small_options()});
  const auto answer = GENERATE(values<std::string>({"", "4", "{}", R"({"entry_point":"f","cases":[]})",
                                                    R"({"language":"cobol","cases":[{"stdin":"","stdout":""}]})"}));
  INFO(answer);
  const auto score =
      reward.score({.task = "code", .answer = answer}, fenced("def f(x):\n  return 2"), FinishReason::kStop);
  CHECK(score.verdict == Verdict::kUndecided);
  CHECK(score.value == 0);
  CHECK_FALSE(score.detail.empty());
}

TEST_CASE("the language may stand in the metadata") {
  const CodeReward reward({.judge = small_options()});
  const auto answer = R"({"cases":[{"stdin":"","stdout":""}]})";
  const auto score = reward.score({.task = "code", .answer = answer, .metadata_json = R"({"language":"cobol"})"}, "",
                                  FinishReason::kStop);
  CHECK_THAT(score.detail, Catch::Contains("the language 'cobol' is unknown; known are python, cpp"));
}

TEST_CASE("settings of the code reward are read from their table") {
  const auto config = Config::from_text(
      "[rewards]\ncode_credit = 'fractional'\ncode_isolation = 'unsafe'\ncode_cpu_ms = 100\ncode_memory_mb = "
      "64\ncode_python = '/opt/python'\ncode_slots = 3\n",
      "recipe.toml");
  const auto o = read_reward_options(config.table("rewards")).code.judge;
  CHECK(o.credit == Credit::kFractional);
  CHECK(o.isolation == sandbox::Isolation::kUnsafe);
  CHECK(o.limits.cpu_ms == 100);
  CHECK(o.limits.memory_bytes == 64 << 20);
  CHECK(o.toolchain.python == "/opt/python");
  CHECK(o.num_slots == 3);
  CHECK_NOTHROW(config.check_all_used());
  for (const auto* text :
       {"code_cpu_ms = 0\n", "code_python = 'python3'\n", "code_slots = -1\n", "code_credit = 'some'\n"}) {
    INFO(text);
    const auto bad = Config::from_text(text, "recipe.toml");
    CHECK_THROWS_AS(read_code_options(bad.root()), Error);
  }
}
