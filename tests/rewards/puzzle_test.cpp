// Puzzles with checkers: any solution is right, and nothing else.

#include "rewards/puzzle/cryptarithm.h"
#include "rewards/puzzle/exact_json.h"
#include "rewards/puzzle/knights.h"
#include "rewards/puzzle/zebra.h"
#include "rewards/puzzle_rewards.h"

#include <fmt/format.h>
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

using std::string_literals::operator""s;

constexpr std::string_view kSaid =
    R"({"names": ["Joseph", "Zoey"], "roles": ["angel", "devil"],
        "statements": [["or", ["telling-truth", 0], ["telling-truth", 1]],
                       ["->", ["telling-truth", 1], ["telling-truth", 0]]]})";

// Two people who each say that the other lies: two solutions.
constexpr std::string_view kTwoSolutions = R"({"names": ["Ann", "Bob"], "statements": [["lying", 1], ["lying", 0]]})";

constexpr std::string_view kHouses =
    R"({"attributes": {"name": ["alice", "bob", "carol"], "drink": ["tea", "milk", "iced coffee"]},
  "clues": [["at", "alice", 1], ["left_of", "alice", "bob"], ["same", "bob", "tea"], ["not_at", "milk", 1]]})";

Verdict knights(std::string_view answer, std::string_view key) {
  const auto read = parse_knights_key(key);
  REQUIRE(read);
  return check_knights(answer, *read).verdict;
}

Verdict zebra(std::string_view answer, std::string_view key = kHouses) {
  const auto read = parse_zebra_key(key);
  REQUIRE(read);
  return check_zebra(answer, *read).verdict;
}

Verdict sum(std::string_view answer, std::string_view key) {
  const auto read = parse_cryptarithm_key(key);
  REQUIRE(read);
  return check_cryptarithm(answer, *read).verdict;
}

constexpr auto kRight = Verdict::kRight, kWrong = Verdict::kWrong, kUndecided = Verdict::kUndecided;

}  // namespace

TEST_CASE("the 24 game takes each number once and gives exactly 24") {
  struct Row {
    std::string_view why, answer, key;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"a solution", "4*8 - 6 - 2", "4 8 6 2", kRight},
      {"through a fraction", "8/(3-8/3)", "3 3 8 8", kRight},
      {"a JSON key", "(1+2+3)*4", "[1, 2, 3, 4]", kRight},
      {"with the target behind it", "(1+2+3)*4 = 24", "1 2 3 4", kRight},
      {"another target behind it", "(1+2+3)*4 = 25", "1 2 3 4", kWrong},
      {"the target alone", "24", "1 2 3 4", kWrong},
      {"other numbers", "12+12", "1 2 3 4", kWrong},
      {"a number twice", "4*(1+2+3)*1", "1 2 3 4", kWrong},
      {"nearly 24", "24.0", "1 2 3 4", kWrong},
      {"integer division", "7*7/2+0", "7 7 2 0", kWrong},
      {"a key of words", "24", "four", kUndecided},
      {"no key", "24", "", kUndecided},
  }));
  INFO(row.why);
  CHECK(check_game24(row.answer, row.key).verdict == row.verdict);
}

TEST_CASE("knights and knaves: everybody once, with the right role") {
  constexpr std::string_view kKey = "Zoey is a knight, and Oliver is a knave.";
  struct Row {
    std::string_view why, answer;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"the key itself", "Zoey is a knight, and Oliver is a knave.", kRight},
      {"another order and case", "oliver is a KNAVE and zoey is a Knight", kRight},
      {"lines", "(1) Zoey is a knight\n(2) Oliver is a knave", kRight},
      {"signs", "Zoey: knight; Oliver = knave", kRight},
      {"the other way", "Zoey is a knave, and Oliver is a knight.", kWrong},
      {"one alone", "Zoey is a knight.", kWrong},
      {"somebody else too", "Zoey is a knight, Oliver is a knave, Max is a knight", kWrong},
      {"both roles", "Zoey is a knight, Oliver is a knave, Oliver is a knight", kWrong},
      {"said twice", "Zoey is a knight, Zoey is a knight, Oliver is a knave", kWrong},
      {"a denial", "Zoey is not a knave, and Oliver is a knave", kWrong},
      {"a doubt", "Zoey is a knight or Oliver is a knave", kWrong},
      {"a name without a role", "Zoey is a knight, and Oliver is a knave, Zoey", kWrong},
      {"a role without a name", "knight, knave", kWrong},
      {"the roles of another island", "Zoey is an angel, and Oliver is a devil", kWrong},
      {"nothing", "", kWrong},
      {"a look-alike name", "\xCE\x96oey is a knight, and Oliver is a knave", kWrong},
  }));
  INFO(row.why);
  CHECK(knights(row.answer, kKey) == row.verdict);
}

TEST_CASE("what people said decides which assignments are right") {
  CHECK(knights("Joseph is an angel, and Zoey is an angel.", kSaid) == kRight);
  CHECK(knights("Joseph is a devil, and Zoey is an angel.", kSaid) == kWrong);
  CHECK(knights("Joseph is an angel, and Zoey is a devil.", kSaid) == kWrong);
  CHECK(knights("Ann is a knight, and Bob is a knave.", kTwoSolutions) == kRight);
  CHECK(knights("Ann is a knave, and Bob is a knight.", kTwoSolutions) == kRight);
  CHECK(knights("Ann is a knight, and Bob is a knight.", kTwoSolutions) == kWrong);
}

TEST_CASE("keys of knights that cannot be read are no keys") {
  const auto text = GENERATE(values<std::string_view>(
      {"", "42", "Zoey is tall", "Zoey is a knight, Zoey is a knave", R"({"names": ["A"]})",
       R"({"names": ["A", "A"], "statements": [["lying", 0], ["lying", 0]]})",
       R"({"names": ["A"], "statements": [["lying", 1]]})", R"({"names": ["A"], "statements": [["lies", 0]]})",
       R"({"names": ["A"], "statements": []})", R"({"names": ["A B"], "statements": [["lying", 0]]})",
       R"({"names": ["A"], "statements": [["->", ["lying", 0]]]})"}));
  INFO(text);
  CHECK_FALSE(parse_knights_key(text));
}

TEST_CASE("zebra: a single value, or every house with every attribute") {
  CHECK(zebra("Arnold\n", "arnold") == kRight);
  CHECK(zebra("arnold or bob", "arnold") == kWrong);
  struct Row {
    std::string_view why, answer;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"lines", "House 1: Alice, iced coffee\nHouse 2: Bob, tea\nHouse 3: Carol, milk", kRight},
      {"numbered", "1. name: alice; drink: iced coffee\n2. name: bob; drink: tea\n3. name: carol; drink: milk", kRight},
      {"a table",
       "| House | Name | Drink |\n|---|---|---|\n| 1 | alice | iced coffee |\n| 2 | bob | tea |\n| 3 | carol | milk |",
       kRight},
      {"an array",
       R"([{"name": "alice", "drink": "iced coffee"}, {"name": "bob", "drink": "tea"}, {"name": "carol", "drink": "milk"}])",
       kRight},
      {"an object", R"({"House 1": ["alice", "iced coffee"], "House 2": ["bob", "tea"], "House 3": ["milk", "carol"]})",
       kRight},
      {"houses within",
       R"([{"House": 1, "name": "alice", "drink": "iced coffee"}, {"House": 2, "name": "bob", "drink": "tea"}, {"House": 3, "name": "carol", "drink": "milk"}])",
       kRight},
      {"a clue that does not hold", "House 1: Alice, milk\nHouse 2: Bob, tea\nHouse 3: Carol, iced coffee", kWrong},
      {"a house missing", "House 1: Alice, iced coffee\nHouse 2: Bob, tea", kWrong},
      {"a value missing", "House 1: Alice, iced coffee\nHouse 2: Bob, tea\nHouse 3: Carol", kWrong},
      {"a value twice", "House 1: Alice, iced coffee\nHouse 2: Bob, tea, milk\nHouse 3: Carol, milk", kWrong},
      {"two values of one attribute", "House 1: Alice, iced coffee\nHouse 2: Bob, Carol, tea, milk", kWrong},
      {"an attribute's wrong name", "1. drink: alice; name: iced coffee\n2. bob, tea\n3. carol, milk", kWrong},
      {"houses from 0", R"({"0": ["alice", "iced coffee"], "1": ["bob", "tea"], "2": ["carol", "milk"]})", kWrong},
      {"another house within",
       R"([{"House": 2, "name": "alice", "drink": "iced coffee"}, {"House": 1, "name": "bob", "drink": "tea"}, {"House": 3, "name": "carol", "drink": "milk"}])",
       kWrong},
      {"a house twice", R"({"House 1": ["alice"], "1": ["iced coffee"], "2": ["bob", "tea"], "3": ["carol", "milk"]})",
       kWrong},
      {"all values in every house", "House 1: Alice, Bob, Carol, tea, milk, iced coffee", kWrong},
      {"prose", "Alice lives in house 1 and drinks iced coffee", kWrong},
      {"nothing", "", kWrong},
  }));
  INFO(row.why);
  CHECK(zebra(row.answer) == row.verdict);
}

TEST_CASE("every kind of clue of a zebra puzzle is checked") {
  struct Row {
    std::string_view clue;
    bool holds;
  };
  // alice in 1 with milk, bob in 2 with tea, carol in 3 with water
  const auto row = GENERATE(values<Row>({
      {R"(["at", "bob", 2])", true},
      {R"(["at", "bob", 1])", false},
      {R"(["not_at", "bob", 1])", true},
      {R"(["not_at", "bob", 2])", false},
      {R"(["same", "bob", "tea"])", true},
      {R"(["same", "bob", "milk"])", false},
      {R"(["not_same", "bob", "milk"])", true},
      {R"(["not_same", "bob", "tea"])", false},
      {R"(["next_to", "bob", "water"])", true},
      {R"(["next_to", "alice", "water"])", false},
      {R"(["left_of", "alice", "tea"])", true},
      {R"(["left_of", "bob", "milk"])", false},
      {R"(["before", "alice", "water"])", true},
      {R"(["before", "carol", "tea"])", false},
      {R"(["apart", "alice", "carol", 1])", true},
      {R"(["apart", "alice", "bob", 1])", false},
  }));
  INFO(row.clue);
  const auto key = fmt::format(
      R"({{"attributes": {{"name": ["alice", "bob", "carol"], "drink": ["tea", "milk", "water"]}}, "clues": [{}]}})",
      row.clue);
  CHECK((zebra("1: alice, milk\n2: bob, tea\n3: carol, water", key) == kRight) == row.holds);
}

TEST_CASE("a zebra key may be its solution; one that cannot be read is none") {
  const std::string attributes = R"({"attributes": {"name": ["a", "b"]}, )";
  CHECK(zebra("1: b\n2: a", attributes + R"("solution": {"a": 2, "b": 1}})") == kRight);
  CHECK(zebra("1: a\n2: b", attributes + R"("solution": {"a": 2, "b": 1}})") == kWrong);
  const auto rest = GENERATE(values<std::string_view>(
      {R"("x": 1})", R"("clues": []})", R"("clues": [["at", "c", 1]]})", R"("clues": [["at", "a", 3]]})",
       R"("clues": [["near", "a", "b"]]})", R"("solution": {"a": 1}})"}));
  INFO(rest);
  CHECK_FALSE(parse_zebra_key(attributes + std::string(rest)));
  CHECK_FALSE(parse_zebra_key(""));
  CHECK_FALSE(parse_zebra_key(R"({"attributes": {"name": ["a", "A"]}, "clues": [["at", "a", 1]]})"));
  CHECK_FALSE(parse_zebra_key(R"({"attributes": {"name": ["a", "b"], "drink": ["c"]}, "clues": [["at", "a", 1]]})"));
}

TEST_CASE("cryptarithms: every letter a digit of its own, and an exact sum") {
  constexpr std::string_view kSend = "SEND + MORE = MONEY";
  struct Row {
    std::string_view why, answer;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"the solution", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=2", kRight},
      {"other signs", "S: 9; E -> 5\nN=6 D=7 M=1 O=0 R=8, Y = 2", kRight},
      {"JSON", R"({"S": 9, "E": 5, "N": 6, "D": 7, "M": 1, "O": 0, "R": 8, "Y": 2})", kRight},
      {"JSON of strings", R"({"S": "9", "E": "5", "N": "6", "D": "7", "M": "1", "O": "0", "R": "8", "Y": "2"})",
       kRight},
      {"another sum", "S=9,E=5,N=6,D=7,M=1,O=0,R=2,Y=8", kWrong},
      {"all zero", "S=0,E=0,N=0,D=0,M=0,O=0,R=0,Y=0", kWrong},
      {"a leading zero", "S=2,E=8,N=1,D=7,M=0,O=3,R=6,Y=5", kWrong},
      {"a letter missing", "S=9,E=5,N=6,D=7,M=1,O=0,R=8", kWrong},
      {"a letter too many", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=2,X=3", kWrong},
      {"a letter twice", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=2,Y=2", kWrong},
      {"two digits", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=12", kWrong},
      {"a sign", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=-2", kWrong},
      {"small letters", "s=9,e=5,n=6,d=7,m=1,o=0,r=8,y=2", kWrong},
      {"the numbers", "9567 + 1085 = 10652", kWrong},
      {"a digit of another script", "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=\xD9\xA2", kWrong},
      {"nothing", "", kWrong},
  }));
  INFO(row.why);
  CHECK(sum(row.answer, kSend) == row.verdict);
}

TEST_CASE("any solution of a cryptarithm is right, of any length; leading zeros where the key allows them") {
  constexpr std::string_view kKey = R"({"words": ["A", "B"], "result": "C", "allow_leading_zero": true})";
  CHECK(sum("A=1,B=2,C=3", kKey) == kRight);
  CHECK(sum("A=4,B=5,C=9", kKey) == kRight);
  CHECK(sum("A=0,B=2,C=2", kKey) == kWrong);
  CHECK(sum("A=0,B=1", R"({"words": ["A", "B"], "result": "AB", "allow_leading_zero": true})") == kRight);
  CHECK(sum("A=0,B=1", "A + B = AB") == kWrong);
  const std::string many(90, 'A');
  CHECK(sum("A=1,B=2", many + " + " + many + " = " + std::string(90, 'B')) == kRight);
  for (const std::string_view key : {"", "A", "A = B", "A + = B", "A + B = C = D", "A * B = C", "1 + 2 = 3",
                                     "ABCDEF + GHIJK = A", R"({"words": ["A"]})"}) {
    INFO(key);
    const bool is_key = parse_cryptarithm_key(key).has_value();
    CHECK(is_key == (key == "A = B"));
  }
}

TEST_CASE("JSON is compared by type and value, exactly") {
  struct Row {
    std::string_view why;
    std::string answer, key;
    Verdict verdict;
  };
  const auto row = GENERATE(values<Row>({
      {"blanks and order", "{\"b\": [1, 2], \"a\": null}", "{\"a\":null,\"b\":[1,2]}", kRight},
      {"a fence", "```json\n[1]\n```", "[1]", kRight},
      {"spellings of a number", "[1.0, 100, 5e-1]", "[1, 1e2, 0.5]", kRight},
      {"escapes", "\"\\u0041\\n\\ud83d\\ude00\"", "\"A\\n\xF0\x9F\x98\x80\"", kRight},
      {"minus zero", "-0.0", "0", kRight},
      {"beyond a double", "9007199254740993", "9007199254740992", kWrong},
      {"twenty digits", "0.30000000000000000001", "0.3", kWrong},
      {"a number for a string", "[1]", "[\"1\"]", kWrong},
      {"false for null", "[false]", "[null]", kWrong},
      {"0 for false", "[0]", "[false]", kWrong},
      {"more items", "[1, 2, 3]", "[1, 2]", kWrong},
      {"fewer items", "[]", "[1, 2]", kWrong},
      {"another order of items", "[2, 1]", "[1, 2]", kWrong},
      {"a member more", "{\"a\": 1, \"b\": 2}", "{\"a\": 1}", kWrong},
      {"another key", "{\"b\": 1}", "{\"a\": 1}", kWrong},
      {"a key twice", "{\"a\": 2, \"a\": 1}", "{\"a\": 1}", kWrong},
      {"two documents", "[1] [1]", "[1]", kWrong},
      {"a trailing comma", "[1,]", "[1]", kWrong},
      {"single quotes", "['a']", "[\"a\"]", kWrong},
      {"NaN", "[NaN]", "[NaN]", kUndecided},
      {"a comment", "[1] // so", "[1]", kWrong},
      {"a leading zero", "[01]", "[1]", kWrong},
      {"a plus sign", "[+1]", "[1]", kWrong},
      {"a lone surrogate", "\"\\ud800\"", "\"\xEF\xBF\xBD\"", kWrong},
      {"invalid UTF-8", "\"\xFF\"", "\"\xEF\xBF\xBD\"", kWrong},
      {"a NUL byte", "\"a\0\""s, "\"a\"", kWrong},
      {"an exponent beyond reason", "1e99999999999", "1", kWrong},
      {"nothing", "", "null", kWrong},
      {"a key that is no JSON", "1", "one", kUndecided},
  }));
  INFO(row.why);
  CHECK(check_json(row.answer, row.key).verdict == row.verdict);
}

TEST_CASE("where two documents differ is said") {
  CHECK_THAT(check_json("{\"a\": [1, 2]}", "{\"a\": [1, 3]}").detail, Catch::Contains("$.a[1]"));
}

TEST_CASE("hostile answers to puzzles end soon and are wrong") {
  const double begin = cpu_seconds();
  std::vector<std::string> texts;
  for (const std::string_view part :
       {"[", "{\"a\":", "\"", "\\", "9", "A=1,", "Zoey is a ", "House 1: ", "|", "(", "1+", "\xFF", " "}) {
    std::string text;
    while (text.size() < 2'000'000) text += part;
    texts.push_back(std::move(text));
  }
  for (const auto& text : texts) {
    CHECK(knights(text, kSaid) == kWrong);
    CHECK(zebra(text) == kWrong);
    CHECK(sum(text, "SEND + MORE = MONEY") == kWrong);
    CHECK(check_json(text, "[]").verdict == kWrong);
    CHECK(check_game24(text, "1 2 3 4").verdict == kWrong);
  }
  CHECK(cpu_seconds() - begin < 20 * kSlowdown);
}
