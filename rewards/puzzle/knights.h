#pragma once
// Knights and Knaves: who always tells the truth, and who always lies?
//
// Keys: "Zoey is a knight, and Oliver is a knave.", or what the people said, so that every assignment that fits is
// right:
//   {"names": ["Zoey", "Oliver"], "roles": ["knight", "knave"],
//    "statements": [["and", ["telling-truth", 0], ["lying", 1]], ["not", ["<=>", ...]]]}
// with one statement of each person in order, made of telling-truth, lying, not, and, or, ->, <=>.
//
// Answers: each person once with a role, "Zoey is a knight", "Zoey: knight" or "(1) Zoey is a knight", in any order,
// with commas, full stops, line ends or "and" between. No other word may stand there: "Zoey is not a knight" is no
// answer.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct KnightsKey {
  std::vector<std::string> names;  // lower case, one word each
  std::vector<bool> is_knight;     // of each; empty if statements are to be checked
  std::string knight = "knight", knave = "knave";
  struct Statement {
    enum class Kind { kTruth, kLie, kNot, kAnd, kOr, kImplies, kIff } kind;
    size_t person = 0;                // of kTruth and kLie
    std::vector<Statement> operands;  // of the others
  };
  std::vector<Statement> statements;  // of each person
};

// Nothing if `text` is no key.
std::optional<KnightsKey> parse_knights_key(std::string_view text);

Judgement check_knights(std::string_view answer, const KnightsKey& key);

}  // namespace r1::rewards
