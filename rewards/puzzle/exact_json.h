#pragma once
// JSON of hostile origin, read and compared exactly: RFC 8259 to the letter, numbers as decimals of any length instead
// of floating point, so that 9007199254740993 is not 9007199254740992 while 1.0, 1 and 10e-1 are one number.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r1::rewards {

struct ExactJson {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;  // of a string: its characters; of a number: its normal form; of a bool: "true" or "false"
  std::vector<ExactJson> items;                            // of an array
  std::vector<std::pair<std::string, ExactJson>> members;  // of an object, sorted by key

  // The member of that key; nullptr if there is none.
  const ExactJson* find(std::string_view key) const;
  bool operator==(const ExactJson&) const = default;
};

struct ParsedJson {
  std::optional<ExactJson> value;
  std::string problem;  // why there is none, with the byte where
};

// One document of at most 4 MiB, nested at most 100 deep; blanks may stand around it. Comments, trailing commas, NaN, a
// key that stands twice, control characters, lone surrogates and invalid UTF-8 are problems.
ParsedJson parse_exact_json(std::string_view text);

// Where two documents differ first, as "$.a[3]"; empty if they are equal. Members may come in any order.
std::string first_difference(const ExactJson& a, const ExactJson& b);

}  // namespace r1::rewards
