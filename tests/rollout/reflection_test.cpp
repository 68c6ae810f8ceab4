#include "rollout/reflection.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "rollout/reflection_turns.h"
#include "tests/support/catch.h"

using namespace r1::rollout;

namespace {

const ReflectionWords& words() {
  static const ReflectionWords instance;
  return instance;
}

// "wait@3 check@10" for the counted words of `text`.
std::string events_of(std::string_view text, const ReflectionWords& list = words()) {
  std::string result;
  for (const auto& event : list.find(text)) {
    const auto& word = list.words()[static_cast<size_t>(event.word)];
    if (word.list == WordList::kDrop) continue;
    if (!result.empty()) result += ' ';
    result += word.word + "@" + std::to_string(event.offset);
  }
  return result;
}

std::string turns_of(std::string_view text) {
  std::string result;
  for (const auto& turn : find_turns(text, words(), words().find(text))) {
    if (!result.empty()) result += ' ';
    result += turn.from.answer + ">" + turn.to.answer;
  }
  return result;
}

std::string candidates_of(std::string_view text) {
  std::string result;
  for (const auto& c : find_candidates(text))
    result += (result.empty() ? "" : " ") + c.answer + (c.is_explicit ? "!" : "");
  return result;
}

struct Row {
  std::string_view why, text, expected;
};

constexpr Row kWordRows[]{
    {"a plain word, with its offset", "hm, wait", "wait@4"},
    {"case does not matter", "Wait WAIT wAiT", "wait@0 wait@5 wait@10"},
    {"punctuation ends a word", "wait,wait.wait!(check)", "wait@0 wait@5 wait@10 check@16"},
    {"part of a longer word is not the word", "await waiter checked buttress error_code check2", ""},
    {"a hyphened compound is one word", "double-check", "double-check@0"},
    {"a dash between words is no compound", "so - wait - no", "wait@5"},
    {"two hyphens are a dash", "5--wait--no", "wait@3"},
    {"re-evaluate is Dr. GRPO's word, evaluate R1's", "re-evaluate, evaluate", "re-evaluate@0 evaluate@13"},
    {"a phrase and the word within it are both there", "check again", "check@0 check again@0"},
    {"a phrase over a line break and many blanks", "go over\n   the\tsteps", "go over the steps@0"},
    {"a phrase that breaks off", "go over the step", ""},
    {"an apostrophe ends a word", "that check's wrong", "check@5 wrong@13"},
    {"at both ends of the text", "but wait", "but@0 wait@4"},
    {"bytes beyond ASCII end a word", "\xE6\x88\x91wait\xEF\xBC\x8C", "wait@3"},
    {"a NUL byte ends a word", std::string_view("wait\0wait", 9), "wait@0 wait@5"},
    {"bytes that are not UTF-8", "\xFFwait\xFE\x80", "wait@1"},
    {"a tag ends a word", "<think>wait</think>", "wait@7"},
    {"a shared prefix does not hide the next word", "recheck reconsider rethink reexamine",
     "recheck@0 reconsider@8 rethink@19 reexamine@27"},
    {"an empty text", "", ""},
};

constexpr Row kCandidateRows[]{
    {"the result of a sum", "8*2=16", "16"},
    {"blanks around", "8 * 2 = 16 .", "16"},
    {"a sum that goes on states nothing", "x = 5 + 3", ""},
    {"nor one over another line of operators", "x = 5*y, z = 3 ^ 2", ""},
    {"a coefficient", "y = 2x", ""},
    {"a chain of equalities states each number", "2*8 = 16 = 4^2", "16"},
    {"a dash is no minus", "= 16 - no, that is wrong", "16"},
    {"a minus is", "= 16 - 3", ""},
    {"a negative number, a decimal, a fraction", "a=-3, b=2.5. c = 3/4", "-3 2.5 3/4"},
    {"thousands", "= 12,345 and = 1,2", "12345 1"},
    {"comparisons are no statements", "x == 5, y >= 6, z != 7", ""},
    {"a boxed answer", "so \\boxed{17}.", "17!"},
    {"braces inside", "\\boxed{\\frac{1}{2}}", "\\frac{1}{2}!"},
    {"a box that never closes", "\\boxed{17", ""},
    {"a named answer", "The answer is 17.", "17!"},
    {"other ways to name it", "Answer: 1/2\nthe answer should be -4, answer = 7", "1/2! -4! 7!"},
    {"bold", "**Answer:** no. The answer is **42**.", "42!"},
    {"a choice", "The answer is B.", "B!"},
    {"an article is no choice", "The answer is A number. The answer is a number", ""},
    {"prose about the answer", "the answer is wrong, my answer was not good", ""},
    {"a named box is one answer", "the answer is $\\boxed{17}$", "17!"},
    {"the answer tag", "<answer>(3*5)+2</answer>", "(3*5)+2!"},
    {"an equality inside an explicit answer is part of it", "\\boxed{x=5}", "x=5!"},
    {"cut off", "= ", ""},
};

constexpr Row kTurnRows[]{
    {"one attempt dropped for another", "3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 yes", "16>17"},
    {"two turns", "8*2=16 no wait 9*2=18 no wait 15+2=17", "16>18 18>17"},
    {"the same value again is no turn", "8*2=16 no wait 2*8=16", ""},
    {"no word between, no turn", "8*2=16, 15+2=17", ""},
    {"a word before the first answer", "wait 8*2=16, 15+2=17", ""},
    {"a word after the last answer", "8*2=16 no wait", ""},
    {"bare no, before a number", "8*2=16 no 15+2=17", "16>17"},
    {"bare no, before a word, is only prose", "a=16, there is no other way: b=17", ""},
    {"no, comma", "8*2=16. No, 15+2=17", "16>17"},
    {"checking does not drop", "5*4=20. Let me check: 20/4=5. Fine, the answer is 20.", ""},
    {"waiting in order to check does not drop either", "5*4=20. Wait, let me verify: 20/4=5. Yes.", ""},
    {"an explicit answer is not dropped for a sum", "The answer is 20. But wait, 20/4=5.", ""},
    {"explicit for explicit", "The answer is 20. Let me check. It fails. The answer is 18.", "20>18"},
    {"explicit, checked in sums, then kept", "The answer is 20. Wait, 20/4=5, so the answer is 20.", ""},
    {"boxed for boxed", "\\boxed{3} Hmm, I made a mistake. \\boxed{4}", "3>4"},
    {"equal numbers in other words", "The answer is 0.5. Wait. The answer is 1/2.", ""},
    {"the final answer is not part of the chain", "8*2=16 no wait</think><answer>17</answer>", ""},
    {"too big", "9*2=18 too big, 8*2=16", "18>16"},
    {"however is neutral: it drops no sum", "9*2=18; however 8*2=16", ""},
    {"that's wrong", "9*2=18. That's wrong. 8*2=16", "18>16"},
};

}  // namespace

TEST_CASE("ReflectionWords finds whole words and phrases, whatever their case") {
  const auto row = GENERATE(from_range(std::begin(kWordRows), std::end(kWordRows)));
  INFO(row.why);
  CHECK(events_of(row.text) == row.expected);
}

TEST_CASE("ReflectionWords holds both published lists in full") {
  const auto of_list = [](WordList list) {
    return std::count_if(words().words().begin(), words().words().end(), [&](const auto& w) { return w.list == list; });
  };
  CHECK(of_list(WordList::kR1) == 10);
  CHECK(of_list(WordList::kDrGrpo) == 15);
  for (const auto& word : words().words()) {
    INFO(word.word);
    const auto found = words().find("so " + word.word + " .");
    CHECK(std::any_of(found.begin(), found.end(), [&](const auto& e) {
      return e.offset == 3 && words().words()[static_cast<size_t>(e.word)].word == word.word;
    }));
  }
}

TEST_CASE("ReflectionWords takes further words") {
  const ReflectionWords extended({"Aha", "hold  on", "wait", "\xE7\xAD\x89\xE7\xAD\x89"});
  CHECK(events_of("aha! hold on, wait", extended) == "aha@0 hold on@5 wait@14");
  CHECK(events_of("\xE6\x88\x91\xE7\xAD\x89\xE7\xAD\x89\xE5\x90\xA7", extended) == "\xE7\xAD\x89\xE7\xAD\x89@3");
  CHECK(extended.words().size() == words().words().size() + 3);  // "wait" is there already
  CHECK_THROWS_AS(ReflectionWords({" "}), r1::Error);
  CHECK_THROWS_WITH(ReflectionWords({std::string(100, 'x')}), Catch::Contains("100 bytes; a word has 1 to 60"));
}

TEST_CASE("find_candidates reads the answers that a chain states") {
  const auto row = GENERATE(from_range(std::begin(kCandidateRows), std::end(kCandidateRows)));
  INFO(row.why);
  CHECK(candidates_of(row.text) == row.expected);
}

TEST_CASE("find_turns sees an answer dropped for another, and nothing else") {
  const auto row = GENERATE(from_range(std::begin(kTurnRows), std::end(kTurnRows)));
  INFO(row.why);
  CHECK(turns_of(row.text) == row.expected);
}

TEST_CASE("find_turns knows with a checker which turns go from wrong to right") {
  const std::string_view text = "3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 no wait 9*2=18";
  const auto turns = find_turns(text, words(), words().find(text), [](const Candidate& c) -> std::optional<bool> {
    if (c.answer == "18") return {};
    return c.statement == "15+2=17";
  });
  REQUIRE(turns.size() == 2);
  CHECK(turns[0].is_aha());
  CHECK(text.substr(turns[0].offset, 7) == "no wait");
  CHECK(turns[0].from.statement == "8*2=16");
  CHECK(text.substr(turns[0].to.offset, 7) == "15+2=17");
  CHECK(turns[1].from_right == true);
  CHECK_FALSE(turns[1].to_right.has_value());
  CHECK_FALSE(turns[1].is_aha());
}

TEST_CASE("is_right_by_key judges what the key can judge") {
  struct Key {
    std::string_view why, key, answer;
    std::optional<bool> expected;
  };
  const auto row = GENERATE(from_range(std::vector<Key>{
      {"a number", "17", "17.0", true},
      {"another number", "17", "16", false},
      {"a fraction", "1/2", "0.5", true},
      {"a Countdown target reached", "2 3 5 = 17", "17", true},
      {"and missed", "2 3 5 = 17 using + - * / neg", "2", false},
      {"an expression is not evaluated", "2 3 5 = 17", "(3*5)+2", {}},
      {"a choice", "B", "B", true},
      {"another choice", "B", "C", false},
      {"a number for a choice", "B", "2", {}},
      {"a key in words", "the blue whale", "17", {}},
      {"no key", "", "17", {}},
  }));
  INFO(row.why);
  Candidate candidate;
  candidate.answer = row.answer;
  CHECK((is_right_by_key(row.key, candidate) == row.expected));
}

TEST_CASE("is_same_answer compares numbers by value and the rest by letter") {
  CHECK(is_same_answer("0.5", "1/2"));
  CHECK(is_same_answer("17", "17.0"));
  CHECK(is_same_answer("B", "B"));
  CHECK_FALSE(is_same_answer("B", "b"));
  CHECK_FALSE(is_same_answer("1/0", "2/0"));
  CHECK_FALSE(is_same_answer("16", "17"));
  CHECK_FALSE(is_same_answer("", "0"));
}

TEST_CASE("reflection analysis takes time linear in the text, whatever the text") {
  const auto repeated = [](std::string_view piece, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += piece;
    return text;
  };
  const std::string_view pieces[] = {
      "\\boxed{", "=1", "answer is 1", "= 1,111", "wait ", "=", "((((((((=1 no wait ", "re-re-re-", "no\n\n\n", "$"};
  for (const auto piece : pieces) {
    INFO(piece);
    const auto seconds_of = [&](size_t bytes) {
      const auto text = repeated(piece, bytes);
      const auto began = std::chrono::steady_clock::now();
      find_turns(text, words(), words().find(text));
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    // Quadratic work on 2 MB would take minutes; the bound is loose, for machines that are slow and busy.
    CHECK(seconds_of(2'000'000) < 20);
  }
}
