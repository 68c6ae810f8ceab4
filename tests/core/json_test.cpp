#include "core/json.h"

#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

namespace r1::json {
namespace {

using Catch::Contains;
using Catch::StartsWith;

bj::object object(std::string_view text) { return parse(text, "test").as_object(); }

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST_CASE("Text that is not JSON is refused with its line and column") {
  struct Row {
    const char* text;
    const char* where;
    const char* why;
  };
  const Row rows[] = {
      {"", "f.json:1:1: not JSON", "empty"},
      {"  ", "f.json:1:3: not JSON", "blank"},
      {"{\"a\": 1,}", "f.json:1:9: not JSON", "trailing comma"},
      {"{\n  \"a\": tru\n}", "f.json:2:8: not JSON", "cut literal"},
      {"[1, 2", "f.json:1:6: not JSON", "cut array"},
      {"{} {}", "f.json:1:4: not JSON", "two values"},
      {"[1]x", "f.json:1:4: not JSON", "something after the value"},
      {"{a: 1}", "f.json:1:2: not JSON", "bare key"},
      {"{'a': 1}", "f.json:1:2: not JSON", "single quotes"},
      {"[NaN]", "f.json:1:2: not JSON", "NaN"},
      {"[Infinity]", "f.json:1:2: not JSON", "Infinity"},
      {"[1] // c", "f.json:1:5: not JSON", "comment"},
      {"[01]", "f.json:1:3: not JSON", "leading zero"},
      {"[+1]", "f.json:1:2: not JSON", "plus sign"},
      {"[1e999]", "f.json:1:", "too large for a double"},
      {"[\"\xC3\xA9\xC3\xA9\", x]", "f.json:1:8: not JSON", "columns are characters, not bytes"},
      {"[\"a\nb\"]", "f.json:1:4: not JSON", "raw newline in a string"},
      {"[\"\\x41\"]", "f.json:1:4: not JSON", "unknown escape"},
      {"[\"\\ud800\"]", "f.json:1:", "half of a surrogate pair"},
      {"\xEF\xBB\xBF[]", "f.json:1:1: not JSON", "byte order mark"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK_THROWS_WITH(parse(row.text, "f.json"), StartsWith(row.where));
    CHECK_THROWS_AS(parse(row.text, "f.json"), Error);
  }
}

TEST_CASE("Bytes that are not UTF-8 are refused") {
  for (const char* bytes : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) {
    CHECK_THROWS_AS(parse(std::string("[\"") + bytes + "\"]", "f"), Error);
    CHECK_THROWS_AS(parse(std::string("{\"") + bytes + "\":1}", "f"), Error);
  }
}

TEST_CASE("Nesting is taken to 64 and refused beyond, however deep") {
  CHECK_NOTHROW(parse(nested(64), "f"));
  CHECK_THROWS_WITH(parse(nested(65), "f"), Contains("at most 64"));
  CHECK_THROWS_AS(parse(std::string(10'000'000, '['), "f"), Error);
}

TEST_CASE("Every cut of a document is refused or a shorter number") {
  const std::string text = R"({"a": [1.5, "\u00e9\n", null], "b": {"c": true}})";
  for (size_t size = 0; size < text.size(); ++size) CHECK_THROWS_AS(parse(text.substr(0, size), "f"), Error);
  CHECK_NOTHROW(parse(text, "f"));
}

TEST_CASE("Doubles read exactly and print so that they read back the same") {
  RandomStream random(3, 4);
  std::vector<double> values = {0.0,
                                -0.0,
                                1.0,
                                -1.5,
                                0.1,
                                1e22,
                                1e23,
                                5e-324,
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::min(),
                                2.2250738585072011e-308,
                                9007199254740993.0,
                                0.3,
                                123456789.12345678};
  while (values.size() < 20000) {
    const double d = std::bit_cast<double>(random.bits());
    if (std::isfinite(d)) values.push_back(d);
  }
  size_t num_wrong = 0;
  for (const double d : values) {
    const bj::value back = parse(dump(d), "test");
    num_wrong += !back.is_double() || std::bit_cast<uint64_t>(back.get_double()) != std::bit_cast<uint64_t>(d);
  }
  CHECK(num_wrong == 0);
}

TEST_CASE("Numbers keep their kind and their digits") {
  CHECK(parse("9223372036854775807", "f").get_int64() == std::numeric_limits<int64_t>::max());
  CHECK(parse("-9223372036854775808", "f").get_int64() == std::numeric_limits<int64_t>::min());
  CHECK(parse("18446744073709551615", "f").get_uint64() == std::numeric_limits<uint64_t>::max());
  CHECK(parse("1000000000000000019884624838656", "f").get_double() == 1e30);
  CHECK(parse("1e-999", "f").get_double() == 0);
  CHECK(parse("0.1000000000000000055511151231257827021181583404541015625000", "f").get_double() == 0.1);
  CHECK(parse(" 3.0 ", "f").get_double() == 3);
}

TEST_CASE("Readers give what is there") {
  const auto o = object(R"({"i": 3, "whole": 3.0, "d": 2.5, "b": true, "s": "x", "o": {"k": 1}, "a": [1], "z": null})");
  CHECK(get_int(o, "i", "w") == 3);
  CHECK(get_int(o, "whole", "w") == 3);
  CHECK(get_double(o, "d", "w") == 2.5);
  CHECK(get_double(o, "i", "w") == 3.0);
  CHECK(get_bool(o, "b", "w"));
  CHECK(get_string(o, "s", "w") == "x");
  CHECK(get_object(o, "o", "w").size() == 1);
  CHECK(&get_array(o, "a", "w") == &o.at("a").get_array());
  CHECK(find_int(o, "i", "w") == 3);
  CHECK(find_double(o, "i", "w") == 3.0);
  CHECK(find_bool(o, "b", "w") == true);
  CHECK(find_string(o, "s", "w") == "x");
}

TEST_CASE("Optional readers give nothing for a key that is missing or null") {
  const auto o = object(R"({"z": null})");
  for (const char* key : {"z", "absent"}) {
    CHECK_FALSE(find_int(o, key, "w").has_value());
    CHECK_FALSE(find_double(o, key, "w").has_value());
    CHECK_FALSE(find_bool(o, key, "w").has_value());
    CHECK_FALSE(find_string(o, key, "w").has_value());
  }
}

TEST_CASE("A key that is missing or of another type is named with its place") {
  const auto o = object(R"({"s": "3", "f": 2.5, "i": 1, "big": 1e300, "over": 9223372036854775808, "z": null})");
  CHECK_THROWS_WITH(get_int(o, "n", "data.jsonl:7"), StartsWith("data.jsonl:7: key 'n' is missing"));
  CHECK_THROWS_WITH(get_int(o, "s", "data.jsonl:7"),
                    StartsWith("data.jsonl:7: key 's' is a string, wanted an integer"));
  CHECK_THROWS_WITH(get_int(o, "f", "w"), Contains("key 'f' is a number 2.5, wanted an integer"));
  CHECK_THROWS_WITH(get_int(o, "big", "w"), Contains("wanted an integer of 64 bits"));
  CHECK_THROWS_WITH(get_int(o, "over", "w"), Contains("9223372036854775808"));
  CHECK_THROWS_WITH(get_int(o, "z", "w"), Contains("key 'z' is null"));
  CHECK_THROWS_WITH(get_double(o, "s", "w"), Contains("wanted a number"));
  CHECK_THROWS_WITH(get_bool(o, "i", "w"), Contains("wanted true or false"));
  CHECK_THROWS_WITH(get_string(o, "i", "w"), Contains("wanted a string"));
  CHECK_THROWS_WITH(get_object(o, "i", "w"), Contains("wanted an object"));
  CHECK_THROWS_WITH(get_array(o, "i", "w"), Contains("wanted an array"));
  CHECK_THROWS_WITH(find_int(o, "s", "w"), Contains("wanted an integer"));
  CHECK_THROWS_WITH(find_double(o, "s", "w"), Contains("wanted a number"));
  CHECK_THROWS_WITH(find_bool(o, "s", "w"), Contains("wanted true or false"));
  CHECK_THROWS_WITH(find_string(o, "i", "w"), Contains("wanted a string"));
}

TEST_CASE("dump writes one line in the order of the keys") {
  const auto v = parse(
      "{ \"b\": [1, 2.5, -0.0, true, null],\n \"a\": {\"x\": \"q\\\"\\n\\u0001\\u00e9\"}, \"e\": [], \"o\": {} }", "f");
  CHECK(dump(v) == "{\"b\":[1,2.5,-0.0,true,null],\"a\":{\"x\":\"q\\\"\\n\\u0001\xC3\xA9\"},\"e\":[],\"o\":{}}");
  CHECK(parse(dump(v), "again") == v);
  CHECK(dump(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(dump(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("dump_pretty indents by two and ends with a newline") {
  const auto v = parse(R"({"a": [1, {"b": 2}], "e": [], "o": {}})", "f");
  CHECK(dump_pretty(v) == "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}\n");
  CHECK(parse(dump_pretty(v), "again") == v);
}

TEST_CASE("parse_file names the file") {
  const TempFolder folder;
  put(folder / "bad.json", "{\n  \"a\": }\n");
  CHECK_THROWS_WITH(parse_file(folder / "bad.json"), StartsWith((folder / "bad.json").string() + ":2:8: not JSON"));
  CHECK_THROWS_WITH(parse_file(folder / "none.json"), Contains("No such file"));
  put(folder / "good.json", "[1]\n");
  CHECK(parse_file(folder / "good.json") == bj::value{1});
}

}  // namespace
}  // namespace r1::json
