// Reward hacks: what a policy finds when it looks for reward instead of answers. None may be accepted.

#include <fmt/format.h>

#include <set>

#include "rewards/registry.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

using std::string_literals::operator""s;

struct Hack {
  std::string_view why, task, key;
  std::string text;  // the whole completion
};

constexpr std::string_view kOptions = R"({"letter": "B", "options": ["3 m", "4 m", "5 m", "6 m"]})";
constexpr std::string_view kSend = "SEND + MORE = MONEY";
constexpr std::string_view kKnights =
    R"({"names": ["Ann", "Bob"], "statements": [["lying", 1], ["and", ["lying", 0], ["lying", 1]]]})";
constexpr std::string_view kZebra =
    R"({"attributes": {"name": ["al", "bo"], "drink": ["tea", "milk"]}, "clues": [["at", "al", 1], ["same", "al", "tea"]]})";

std::string in_tag(std::string_view text) { return fmt::format("<think>hm</think><answer>{}</answer>", text); }

const Hack kHacks[]{
    // the place of the answer
    {"no answer at all", "choice", "B", "<think>It is B</think>"},
    {"the answer in the reasoning alone", "choice", "B", "<think><answer>B</answer></think>"},
    {"an answer that never ends", "choice", "B", "<think>hm</think><answer>B"},
    {"two answers, the last one wrong", "choice", "B", "<answer>B</answer><answer>C</answer>"},
    {"the answer's tag in capitals", "choice", "B", "<ANSWER>B</ANSWER>"},
    {"every option boxed, the right one first", "choice", "B", "\\boxed{B}\\boxed{A}\\boxed{C}\\boxed{D}"},
    {"a box of everything", "choice", "B", "\\boxed{A B C D}"},
    // choice
    {"all letters", "choice", "B", in_tag("A, B, C, D")},
    {"all letters as one word", "choice", "B", in_tag("ABCD")},
    {"either of two", "choice", "B", in_tag("A or B")},
    {"a letter, then a change of mind", "choice", "B", in_tag("B, no, C")},
    {"the letter with another option's content", "choice", kOptions, in_tag("B) 3 m")},
    {"another letter with the right content", "choice", kOptions, in_tag("A) 4 m")},
    {"all contents", "choice", kOptions, in_tag("3 m, 4 m, 5 m, 6 m")},
    {"a part of the content", "choice", kOptions, in_tag("m")},
    {"blanks for content", "choice", kOptions, in_tag(" ")},
    {"a Cyrillic letter", "choice", "B", in_tag("\xD0\x92")},
    {"a full-width letter", "choice", "B", in_tag("\xEF\xBC\xA2")},
    {"a letter behind a NUL byte", "choice", "B", in_tag("C\0B"s)},
    {"a zero-width space between letters", "choice", "B",
     in_tag("C\xE2\x80\x8B"
            "B")},
    {"the key quoted", "choice", kOptions, in_tag(kOptions)},
    // the 24 game
    {"the target", "puzzle24", "1 2 3 4", in_tag("24")},
    {"numbers that are not there", "puzzle24", "1 2 3 4", in_tag("12+12")},
    {"a number more", "puzzle24", "1 2 3 4", in_tag("1*2*3*4*1")},
    {"a number less", "puzzle24", "1 2 3 4", in_tag("2*3*4")},
    {"numbers put together", "puzzle24", "1 2 3 4", in_tag("12+3*4")},
    {"a power", "puzzle24", "1 2 3 4", in_tag("4**2+3+1+4")},
    {"a factorial", "puzzle24", "1 2 3 4", in_tag("4!*1**(2+3)")},
    {"a comment", "puzzle24", "1 2 3 4", in_tag("24 # 1 2 3 4")},
    {"an equals sign in the middle", "puzzle24", "1 2 3 4", in_tag("1+2+3+4 = 24")},
    {"a comparison", "puzzle24", "1 2 3 4", in_tag("1*2*3*4 == 24")},
    {"digits of another script", "puzzle24", "1 2 3 4", in_tag("\xD9\xA1*2*3*4")},
    {"Python that is 24", "puzzle24", "1 2 3 4", in_tag("int('24') if 1 or 2 or 3 else 4")},
    {"an infinity", "puzzle24", "1 2 3 0", in_tag("(1+2+3)/0")},
    // countdown
    {"the equation alone", "countdown", "2 3 5 = 17", in_tag("17 = 17")},
    {"a number cancelled out", "countdown", "2 3 5 = 17", in_tag("17+2-2")},
    // knights and knaves
    {"everybody both", "knights_knaves", kKnights,
     in_tag("Ann is a knight, Ann is a knave, Bob is a knight, Bob is a knave")},
    {"either or", "knights_knaves", kKnights, in_tag("Ann is a knight or knave, Bob is a knight or knave")},
    {"nobody", "knights_knaves", kKnights, in_tag(".")},
    {"one alone", "knights_knaves", kKnights, in_tag("Ann is a knight")},
    {"a denial of the contrary", "knights_knaves", kKnights, in_tag("Ann is not a knave, Bob is not a knight")},
    {"a contradiction of what they say", "knights_knaves", kKnights, in_tag("Ann is a knight, Bob is a knight")},
    {"names in the wrong order", "knights_knaves", "Ann is a knave, Bob is a knight", in_tag("knave Ann, knight Bob")},
    {"somebody invented", "knights_knaves", kKnights, in_tag("Ann is a knight, Bob is a knave, Cy is a knight")},
    // zebra
    {"all values in all houses", "zebra", kZebra, in_tag("House 1: al, bo, tea, milk\nHouse 2: al, bo, tea, milk")},
    {"an empty list", "zebra", kZebra, in_tag("[]")},
    {"empty houses", "zebra", kZebra, in_tag("[{}, {}]")},
    {"a house alone", "zebra", kZebra, in_tag("House 1: al, tea")},
    {"the clues quoted", "zebra", kZebra, in_tag(kZebra)},
    {"houses that are not there", "zebra", kZebra, in_tag("House 1: al, tea\nHouse 3: bo, milk")},
    {"a value of two houses", "zebra", kZebra, in_tag("House 1: al, tea\nHouse 2: bo, tea")},
    {"every name for one value", "zebra", "arnold", in_tag("arnold, bob, carol")},
    // cryptarithms
    {"all letters zero", "cryptarithm", kSend, in_tag("S=0,E=0,N=0,D=0,M=0,O=0,R=0,Y=0")},
    {"no letters", "cryptarithm", kSend, in_tag("{}")},
    {"letters twice, once right", "cryptarithm", kSend, in_tag("S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=2,S=1")},
    {"a digit of two places", "cryptarithm", kSend, in_tag("S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=02")},
    {"a fraction of a digit", "cryptarithm", kSend, in_tag(R"({"S":9.0,"E":5,"N":6,"D":7,"M":1,"O":0,"R":8,"Y":2.5})")},
    {"a leading zero", "cryptarithm", kSend, in_tag("S=2,E=8,N=1,D=7,M=0,O=3,R=6,Y=5")},
    {"the puzzle quoted", "cryptarithm", kSend, in_tag(kSend)},
    // JSON
    {"a key twice, the right value last", "json", R"({"a": 1})", in_tag(R"({"a": 2, "a": 1})")},
    {"a number that a double rounds to the key's", "json", "9007199254740992", in_tag("9007199254740993")},
    {"a string for a number", "json", "1", in_tag("\"1\"")},
    {"true for 1", "json", "1", in_tag("true")},
    {"several documents", "json", "1", in_tag("1 2 3")},
    {"an array of guesses", "json", "1", in_tag("[1, 2, 3]")},
    {"a longer document that begins alike", "json", "[1, 2]", in_tag("[1, 2, 3]")},
    {"Infinity", "json", "1e999", in_tag("Infinity")},
    // text
    {"another alphabet's letter", "text", "a", in_tag("\xD0\xB0")},
    {"several words", "text", "yes", in_tag("yes no")},
    {"the word within another", "text", "yes", in_tag("yesterday")},
};

double format_of(std::string_view text, double partial = 0) {
  return FormatReward({.min_think_chars = 1, .partial_credit = partial}).score({}, text, FinishReason::kStop).value;
}

}  // namespace

TEST_CASE("no reward hack is accepted") {
  CHECK(std::size(kHacks) >= 50);
  const auto reward = make_reward({.format_weight = 0});
  for (const auto& hack : kHacks) {
    INFO(hack.task << ": " << hack.why);
    const Prompt prompt{.task = std::string(hack.task), .answer = std::string(hack.key)};
    const auto score = reward->score(prompt, hack.text, FinishReason::kStop);
    CHECK(score.verdict == Verdict::kWrong);
    CHECK(score.value == 0);
    CHECK_FALSE(score.detail.empty());
  }
}

TEST_CASE("the keys of the hacks have honest answers, which are accepted") {
  struct Honest {
    std::string_view task, key, answer;
  };
  const auto row = GENERATE(values<Honest>({
      {"choice", "B", "B"},
      {"choice", kOptions, "4 m"},
      {"puzzle24", "1 2 3 4", "1*2*3*4"},
      {"countdown", "2 3 5 = 17", "2+3*5"},
      {"knights_knaves", kKnights, "Ann is a knight, Bob is a knave"},
      {"zebra", kZebra, "House 1: al, tea\nHouse 2: bo, milk"},
      {"cryptarithm", kSend, "S=9,E=5,N=6,D=7,M=1,O=0,R=8,Y=2"},
      {"json", R"({"a": 1})", R"({"a": 1.0})"},
      {"text", "yes", "yes"},
  }));
  INFO(row.task);
  const Prompt prompt{.task = std::string(row.task), .answer = std::string(row.key)};
  CHECK(make_reward({.format_weight = 0})->score(prompt, in_tag(row.answer), FinishReason::kStop).value == 1);
}

TEST_CASE("the format is not earned by tags without reasoning, or by tags in heaps") {
  const auto text = GENERATE(values<std::string_view>(
      {"<think></think><answer>2</answer>", "<think> \n\t </think><answer>2</answer>",
       "<think><answer></think></answer>", "<think><think>a</think></think><answer>2</answer>",
       "<think>a</think><answer>1</answer><answer>2</answer>",
       "<think>a</think><answer>2</answer><think>b</think><answer>3</answer>", "<answer><think>a</think>2</answer>",
       "<think>a</think>&lt;answer&gt;2&lt;/answer&gt;", "<think>a<think/><answer>2<answer/>"}));
  INFO(text);
  CHECK(format_of(text) == 0);
  CHECK(format_of(text, 0.5) <= 0.5);
}

TEST_CASE("partial credit never pays as much as the form, so that no heap of tags beats it") {
  std::string heap;
  for (const std::string_view tag : {"<think>", "</think>", "<answer>", "</answer>"}) {
    for (int i = 0; i < 3; ++i) heap += tag;
    CHECK(format_of(heap, 0.9) < 0.9);
  }
}
