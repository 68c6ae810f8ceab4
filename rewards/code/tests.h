#pragma once
// The answer key of a code task: tests as JSON.
//
//   {"entry_point": "f", "cases": [{"args": [1, 2], "result": 3}]}          a function's results
//   {"cases": [{"stdin": "1 2\n", "stdout": "3\n"}]}                         a program's output
//   {"language": "cpp", "tests": {...}}                                       either, with the language
//   {"fn_name"?: "f", "inputs": [...], "outputs": [...]}                      APPS' and TACO's spelling
//
// Further keys of tests: "language"; "block" (take the fenced block so named); "match": "exact", "lines" (default:
// blanks at line ends and empty last lines aside), "tokens", "floats"; "numbers": "by_type" (default), "by_value";
// "tolerance"; "cpu_ms", "wall_ms", "memory_mb"; "checker": {"source": PYTHON, "entry_point"?: "check"}, whose
// check(input, expected, output) decides instead of a comparison, with args for input if there is an entry point.
// Values that JSON lacks are tagged: rewards/code/value.h.

#include <optional>
#include <string>
#include <vector>

#include "rewards/code/value.h"

namespace r1::rewards::code {

enum class Match { kExact, kLines, kTokens, kFloats };

struct Case {
  std::vector<Value> args;  // calls
  Value result;
  std::string input;  // programs
  std::string output;
};

struct Checker {
  std::string source;
  std::string entry_point = "check";
};

struct Tests {
  std::string language;     // "" is not said
  std::string entry_point;  // "": the whole program, by stdin and stdout
  std::string block;
  std::vector<Case> cases;
  Match match = Match::kLines;
  CompareOptions compare;
  std::optional<Checker> checker;
  std::optional<double> tolerance;
  std::optional<int64_t> cpu_ms, wall_ms, memory_mb;
  bool is_call() const { return !entry_point.empty(); }
};

struct ParsedTests {
  std::optional<Tests> tests;
  std::string reason;  // what is wrong with the key
};

// Unknown keys are errors: a misspelt setting would be a test that does not test.
ParsedTests parse_tests(std::string_view json);

// Nothing if the output is as expected, else where it differs. Linear in both texts.
std::optional<std::string> output_difference(std::string_view expected, std::string_view got, Match match,
                                             double tolerance);

}  // namespace r1::rewards::code
