#include "rewards/code/value.h"

#include "rewards/code/frame.h"
#include "tests/support/catch.h"

using namespace r1::rewards::code;

namespace {

Value value(std::string_view text, Syntax syntax = Syntax::kJson) {
  auto parsed = parse_value(text, syntax);
  if (!parsed.value) throw std::runtime_error(parsed.reason);
  return *parsed.value;
}

struct Row {
  std::string_view why, expected, got;
  bool is_equal;
};

constexpr Row kRows[]{
    {"the same integer", "3", "3", true},
    {"another integer", "3", "4", false},
    {"beyond 64 bits", "123456789012345678901234567890", "123456789012345678901234567890", true},
    {"beyond 64 bits, one digit off", "123456789012345678901234567890", "123456789012345678901234567891", false},
    {"a float for an integer", "3", "3.0", false},
    {"an integer for a float", "3.0", "3", true},
    {"floats within the tolerance", "0.3", "0.30000000000000004", true},
    {"floats beyond it", "0.3", "0.3001", false},
    {"large floats, relative", "1e20", "1.0000000000000001e20", true},
    {"minus zero", "0.0", "-0.0", true},
    {"NaN for a number", "1.0", "nan", false},
    {"NaN for NaN", R"({"$float": "nan"})", "nan", true},
    {"infinity for a number", "1e308", "inf", false},
    {"infinities of two signs", R"({"$float": "inf"})", "-inf", false},
    {"true for one", "1", "true", false},
    {"one for true", "true", "1", false},
    {"null", "null", "null", true},
    {"null for zero", "0", "null", false},
    {"texts", R"("a\u00e9\ud83d\ude00")", "\"a\xC3\xA9\xF0\x9F\x98\x80\"", true},
    {"texts of another case", R"("a")", R"("A")", false},
    {"a text for a number", "3", "\"3\"", false},
    {"lists", "[1,[2]]", "[1,[2]]", true},
    {"lists in another order", "[1,2]", "[2,1]", false},
    {"a longer list", "[1]", "[1,1]", false},
    {"a tuple for a list", "[1,2]", "(1,2)", true},
    {"a list for a tuple", R"({"$tuple": [1,2]})", "[1,2]", false},
    {"a tuple for a tuple", R"({"$tuple": [1,2]})", "(1,2)", true},
    {"a set for a list", "[1,2]", "<1,2>", false},
    {"sets in any order", R"({"$set": [1,2]})", "<2,1>", true},
    {"a smaller set", R"({"$set": [1,2]})", "<1>", false},
    {"objects in any order", R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
    {"an object with more", R"({"a":1})", R"({"a":1,"b":2})", false},
    {"an integer key as JSON writes it", R"({"1":2})", "{1:2}", true},
    {"an integer key where keys have types", R"({"$dict":[[1,2]]})", "{\"1\":2}", false},
    {"keys with types", R"({"$dict":[[{"$tuple":[1,2]},3]]})", "{(1,2):3}", true},
    {"bytes", R"({"$bytes":"61ff"})", "b\"61ff\"", true},
    {"complex numbers", R"({"$complex":[1,2]})", "c(1.0,2.0)", true},
    {"a real for a complex number", R"({"$complex":[1,0]})", "1.0", false},
};

}  // namespace

TEST_CASE("results are compared by type and value") {
  const auto row = GENERATE(from_range(std::begin(kRows), std::end(kRows)));
  INFO(row.why);
  const auto found = difference(without_tags(value(row.expected)), value(row.got, Syntax::kResult), {});
  INFO(found.value_or("no difference"));
  CHECK(!found.has_value() == row.is_equal);
}

TEST_CASE("the comparison can be loosened, and says where two values differ") {
  CHECK_FALSE(difference(value("3"), value("3.0"), {.numbers = Numbers::kByValue}));
  CHECK_FALSE(difference(value("1.0"), value("1.05"), {.tolerance = 0.1}));
  CHECK(difference(value("0.3"), value("0.30000000000000004"), {.tolerance = 0}));
  CHECK(*difference(value(R"({"a":[1,2]})"), value(R"({"a":[1,3]})"), {}) == "at key a: at [1]: expected 2, got 3");
}

TEST_CASE("what is no JSON is refused, with the place") {
  const auto text = GENERATE(values<std::string>(
      {"",    " ",   "[1,]",     "[1",      "{\"a\":1,\"a\":2}", "{1:2}", "01",    "1.",  "1e",   "-",       "+1",
       "nan", "\"a", "\"\x01\"", "\"\\q\"", "\"\\u12\"",         "tru",   "[1] 2", "'a'", "(1,)", "{\"a\"}", "\xff"}));
  INFO(text);
  const auto parsed = parse_value(text, Syntax::kJson);
  CHECK_FALSE(parsed.value);
  CHECK_FALSE(parsed.reason.empty());
}

TEST_CASE("depth and size are bounded") {
  CHECK_FALSE(parse_value(std::string(100000, '['), Syntax::kResult).value);
  CHECK_FALSE(parse_value(std::string(3'000'000, '('), Syntax::kResult).value);
  std::string many = "[1";
  for (int i = 0; i < 1'000'001; ++i) many += ",1";
  CHECK_FALSE(parse_value(many + "]", Syntax::kResult).value);
  CHECK(parse_value(std::string(200, '[') + std::string(200, ']'), Syntax::kResult).value);
}

TEST_CASE("arguments go to programs as they were written") {
  const std::string json =
      R"([1,2.5,"a\"\\",null,true,{"$tuple":[1]},{"$set":[2]},{"$dict":[["a",1]]},{"$bytes":"61"},{"$complex":[1.0,2.0]}])";
  CHECK(to_json(without_tags(value(json))) == json);
}

TEST_CASE("a frame is one result of this run, and nothing else") {
  struct Frames {
    std::string_view why, bytes;
    Frame::Kind kind;
  };
  const auto row = GENERATE(values<Frames>({
      {"a value", "R1 abc value 3\n[1]", Frame::Kind::kValue},
      {"an error", "R1 abc error 4\noops", Frame::Kind::kError},
      {"nothing", "", Frame::Kind::kBroken},
      {"another nonce", "R1 abd value 3\n[1]", Frame::Kind::kBroken},
      {"no nonce", "R1  value 3\n[1]", Frame::Kind::kBroken},
      {"two frames", "R1 abc value 3\n[1]R1 abc value 3\n[1]", Frame::Kind::kBroken},
      {"a byte before", " R1 abc value 3\n[1]", Frame::Kind::kBroken},
      {"a byte after", "R1 abc value 3\n[1] ", Frame::Kind::kBroken},
      {"cut short", "R1 abc value 4\n[1]", Frame::Kind::kBroken},
      {"a negative size", "R1 abc value -3\n[1]", Frame::Kind::kBroken},
      {"a size beyond 64 bits", "R1 abc value 99999999999999999999\n[1]", Frame::Kind::kBroken},
      {"an unknown kind", "R1 abc passed 3\n[1]", Frame::Kind::kBroken},
      {"a value that is none", "R1 abc value 3\n[1(", Frame::Kind::kBroken},
      {"no end of line", "R1 abc value 3", Frame::Kind::kBroken},
  }));
  INFO(row.why);
  const auto frame = parse_frame(row.bytes, "abc");
  CHECK(frame.kind == row.kind);
  CHECK((frame.kind == Frame::Kind::kValue) == frame.text.empty());
  CHECK(parse_frame("R1  value 3\n[1]", "").kind == Frame::Kind::kBroken);
}

TEST_CASE("nonces are long and never the same") {
  CHECK(make_nonce().size() == 32);
  CHECK(make_nonce() != make_nonce());
}
