#pragma once
// Turns: the chain states one answer, then drops it for another. A turn from a wrong answer to a right one is what an
// "aha moment" has to be if it is to be worth anything. The rules are heuristics that prefer missing a turn to
// inventing one; docs/rollout_db.md lists them with examples.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rollout/reflection.h"

namespace r1::rollout {

// An answer that the chain states.
struct Candidate {
  size_t offset = 0;         // of `statement` in the text
  std::string answer;        // "17", "1/2", "B": blanks, "$" and thousands commas removed
  std::string statement;     // what states it: "15+2=17", "\boxed{17}"
  bool is_explicit = false;  // named an answer (\boxed{}, "the answer is", <answer>), not merely the result of a sum
};

// In order: `\boxed{X}`, `<answer>X`, "answer is X" (also "answer: X", "answer should be X"), where X begins like a
// number, an expression or a choice letter; and "= X" where X is a number that nothing continues ("=16", not "=2x" or
// "=5+3"). Linear in the text.
std::vector<Candidate> find_candidates(std::string_view text);

// True if the two say the same: equal text, or equal numbers ("0.5" and "1/2").
bool is_same_answer(std::string_view a, std::string_view b);

// Whether `candidate` is what an answer key says: for keys that are a number ("17", "1/2"), a choice letter ("B"), or a
// Countdown puzzle ("2 3 5 = 17": the candidate reaches the target; whether it was entitled to its numbers is for the
// reward to say). Nothing for other keys, and for candidates of another kind than the key.
std::optional<bool> is_right_by_key(std::string_view key, const Candidate& candidate);

struct Turn {
  size_t offset = 0;  // of the word that begins it
  int word = 0;       // its index in ReflectionWords::words()
  Candidate from, to;
  std::optional<bool> from_right, to_right;  // empty: nobody checked, or it cannot be told
  bool is_aha() const { return from_right == false && to_right == true; }
};

// Whether an answer is right, or nothing if that cannot be told. Must not throw.
using AnswerChecker = std::function<std::optional<bool>(const Candidate&)>;

// The turns of a chain of thought: of `text` up to its first "</think>", where it has one. `events` is what
// words.find() gave for the same text.
//
// Reflection words cut the chain into pieces. A piece concludes with its last explicit candidate, or else its last one;
// but what follows a verifying word ("let me check: 20/4=5") tests an answer, so it concludes only with an explicit
// one. Where the conclusion differs from the one before, that is a turn if a dropping word ("wait", "no", "wrong")
// stands between, or any reflection word if both are explicit. An explicit answer is not dropped for the result of a
// sum.
std::vector<Turn> find_turns(std::string_view text, const ReflectionWords& words, std::span<const WordEvent> events,
                             const AnswerChecker& checker = {});

}  // namespace r1::rollout
