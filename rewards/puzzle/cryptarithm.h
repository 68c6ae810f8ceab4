#pragma once
// Cryptarithms: SEND + MORE = MONEY, each letter a digit of its own.
//
// Keys: "SEND + MORE = MONEY", or {"words": ["SEND", "MORE"], "result": "MONEY", "allow_leading_zero": false}.
// Answers: "S=9, E=5, ...", with "=", ":" or "->" between letter and digit, and commas, semicolons or blanks between
// pairs, or a JSON object of the same. Every letter once, no others, all digits different, the sum exact. Any solution
// is right.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct CryptarithmKey {
  std::vector<std::string> words;  // of letters A-Z or a-z
  std::string result;
  bool allows_leading_zero = false;
};

// Nothing if `text` is no key: words of other signs, more than ten letters, more than 100 words or letters in a word.
std::optional<CryptarithmKey> parse_cryptarithm_key(std::string_view text);

Judgement check_cryptarithm(std::string_view answer, const CryptarithmKey& key);

}  // namespace r1::rewards
