#include "rewards/code/tests.h"

#include "tests/support/catch.h"

using namespace r1::rewards::code;

TEST_CASE("tests of functions and of programs are read") {
  const auto call =
      parse_tests(
          R"({"entry_point":"f","cases":[{"args":[1,"a"],"result":{"$tuple":[1,2]}}],"tolerance":0.5,"numbers":"by_value"})")
          .tests;
  REQUIRE(call);
  CHECK(call->is_call());
  CHECK(call->cases[0].args.size() == 2);
  CHECK(call->cases[0].result.kind == Value::Kind::kTuple);
  CHECK(call->compare.tolerance == 0.5);
  CHECK(call->compare.numbers == Numbers::kByValue);

  const auto program =
      parse_tests(
          R"({"language":"cpp","tests":{"cases":[{"stdin":"1\n","stdout":"2\n"}],"match":"tokens","cpu_ms":100,"memory_mb":64,"block":"main"}})")
          .tests;
  REQUIRE(program);
  CHECK_FALSE(program->is_call());
  CHECK(program->language == "cpp");
  CHECK(program->cases[0].output == "2\n");
  CHECK(program->match == Match::kTokens);
  CHECK(program->cpu_ms == 100);
  CHECK(program->memory_mb == 64);
  CHECK(program->block == "main");
}

TEST_CASE("APPS' spelling is read") {
  const auto call = parse_tests(R"({"fn_name":"f","inputs":[[1],[2]],"outputs":[2,3]})").tests;
  REQUIRE(call);
  CHECK(call->entry_point == "f");
  CHECK(call->cases.size() == 2);
  const auto program = parse_tests(R"({"inputs":["1\n"],"outputs":["2\n"]})").tests;
  REQUIRE(program);
  CHECK(program->cases[0].input == "1\n");
}

TEST_CASE("tests that cannot test say why") {
  struct Row {
    std::string_view json, says;
  };
  const auto row = GENERATE(values<Row>({
      {"", "no JSON"},
      {"[]", "no object"},
      {"{}", "no cases"},
      {R"({"cases":[]})", "no cases"},
      {R"({"cases":[{"stdin":"1"}]})", "lacks 'stdout'"},
      {R"({"cases":[{"args":[1],"result":1}]})", "without an entry point"},
      {R"({"entry_point":"f","cases":[{"stdin":"1","stdout":"1"}]})", "args and result"},
      {R"({"entry_point":"f","cases":[{"result":1}]})", "lacks 'args'"},
      {R"({"entry_point":"f","cases":[{"args":1,"result":1}]})", "no list"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"match":"fuzzy"})", "'fuzzy', not one of 'lines'"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"tolerence":1})", "unknown key 'tolerence'"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"tolerance":0.1})", "needs 'match'"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"tolerance":2})", "'tolerance' must"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"cpu_ms":0})", "'cpu_ms' must"},
      {R"({"cases":[{"stdin":"1","stdout":"1"}],"checker":{}})", "lacks 'source'"},
      {R"({"inputs":["1"],"outputs":[]})", "1 inputs and 0 outputs"},
      {R"({"tests":{"cases":[{"stdin":"","stdout":""}]},"cpu_ms":1})", "beside 'tests'"},
  }));
  INFO(row.json);
  const auto parsed = parse_tests(row.json);
  CHECK_FALSE(parsed.tests);
  CHECK_THAT(parsed.reason, Catch::Contains(std::string(row.says)));
}

TEST_CASE("outputs are compared as the tests ask") {
  struct Row {
    std::string_view expected, got;
    Match match;
    bool is_equal;
  };
  const auto row = GENERATE(values<Row>({
      {"3\n", "3\n", Match::kExact, true},
      {"3\n", "3", Match::kExact, false},
      {"3\n", "3", Match::kLines, true},
      {"1 2\n3\n", "1 2 \r\n3\n\n\n", Match::kLines, true},
      {"1 2\n3\n", "1  2\n3\n", Match::kLines, false},
      {"  *\n", "*\n", Match::kLines, false},
      {"1\n\n2\n", "1\n2\n", Match::kLines, false},
      {"1\n2\n", "1\n", Match::kLines, false},
      {"1\n", "1\n2\n", Match::kLines, false},
      {"1 2\n3\n", "1\n2 3", Match::kTokens, true},
      {"1 2 3\n", "1 2", Match::kTokens, false},
      {"1 2\n", "1 2 3", Match::kTokens, false},
      {"0.5 x\n", "0.5000001 x\n", Match::kFloats, true},
      {"0.5\n", "0.51\n", Match::kFloats, false},
      {"0.5\n", "nan\n", Match::kFloats, false},
      {"0.5\n", "5e-1\n", Match::kFloats, true},
      {"x\n", "0.5\n", Match::kFloats, false},
      {"16\n", "0x10\n", Match::kFloats, false},
      {"1e400\n", "1e500\n", Match::kFloats, false},
      {"", "", Match::kLines, true},
      {"", "x", Match::kTokens, false},
  }));
  INFO(row.expected << " / " << row.got);
  CHECK(!output_difference(row.expected, row.got, row.match, 1e-6).has_value() == row.is_equal);
}
