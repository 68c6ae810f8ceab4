#pragma once
// Zebra puzzles: who lives in which house, with which attributes?
//
// Keys: one value, "arnold", where the question asks for one; or the houses, and what must hold of them:
//   {"attributes": {"name": ["alice", "bob"], "drink": ["tea", "milk"]},
//    "clues": [["at", "alice", 1], ["next_to", "bob", "tea"]]}       any assignment that fits every clue is right
//    or "solution": {"alice": 1, "bob": 2, "tea": 1, "milk": 2}      this one is
// Houses count from 1, left to right; each attribute has one value a house, and no value stands twice. Clues: at,
// not_at (a value, a house), same, not_same, next_to, left_of (right beside it), before (anywhere left of it), apart
// (two values and the number of houses between them).
//
// Answers to keys of houses: JSON, an array of a house each or {"House 1": ...}, of values in arrays or objects; or a
// line a house, "House 1: alice, tea" or "1. name: alice; drink: tea" or the row of a Markdown table. Every value once,
// no other; letters' case does not matter.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct ZebraKey {
  std::string value;  // of a question for one value, lower case; the rest is then empty
  size_t num_houses = 0;
  std::map<std::string, size_t> attribute_of;  // each value, lower case -> number of its attribute
  std::vector<std::string> attribute_names;    // lower case
  std::map<std::string, size_t> solution;      // value -> house, from 0; may be empty
  struct Clue {
    enum class Kind { kAt, kNotAt, kSame, kNotSame, kNextTo, kLeftOf, kBefore, kApart } kind;
    std::string a, b;
    size_t number = 0;  // house, from 0, or houses between
  };
  std::vector<Clue> clues;
};

// Nothing if `text` is no key: a JSON object with too few or equal values, clues of other values, neither clues nor a
// solution.
std::optional<ZebraKey> parse_zebra_key(std::string_view text);

Judgement check_zebra(std::string_view answer, const ZebraKey& key);

}  // namespace r1::rewards
