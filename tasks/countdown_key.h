#pragma once
// The answer key of a countdown question: "2 3 5 = 17", or "2 3 5 = 17 using + - * / neg" where other than + - * is
// allowed. Numbers in ascending order, so the key is the same however the question orders them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::tasks {

inline constexpr std::string_view kDefaultOperations = "+-*";

struct CountdownKey {
  std::vector<int64_t> numbers;                // ascending, each at least 0
  int64_t target = 0;                          // at least 0
  std::string operations{kDefaultOperations};  // of + - * /, each once, in this order
  bool allows_negation = false;                // a minus sign may stand before a number or a parenthesis
};

// Sorts the numbers.
std::string format_key(CountdownKey key);

// Nothing if `text` is no key, or if its numbers are so large or so many that exact 128-bit arithmetic (rational.h)
// might overflow on some answer.
std::optional<CountdownKey> parse_key(std::string_view text);

}  // namespace r1::tasks
