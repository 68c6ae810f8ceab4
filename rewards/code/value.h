#pragma once
// Plain data as tests write it (JSON) and as programs return it, with a strict comparison. Integers keep all their
// digits.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rewards::code {

struct Value {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kTuple, kSet, kDict, kBytes, kComplex };
  Kind kind = Kind::kNull;
  bool truth = false;        // kBool
  double number = 0;         // kFloat
  std::string text;          // kString: UTF-8; kInt: digits with a sign; kBytes: hexadecimal
  std::vector<Value> items;  // containers; kDict: key, value, key, value; kComplex: real, imaginary
};

enum class Syntax {
  kJson,    // RFC 8259, and no key twice in an object
  kResult,  // also (tuple,), <set>, {any: key}, b"hex", c(real,imaginary), nan, inf: what harnesses write
};

struct ParsedValue {
  std::optional<Value> value;
  std::string reason;  // why there is none
};

// The whole text as one value. Bounded: at most 256 levels and a million values.
ParsedValue parse_value(std::string_view text, Syntax syntax);

// {"$tuple": [...]}, {"$set": [...]}, {"$dict": [[key, value], ...]}, {"$bytes": "hex"}, {"$complex": [re, im]} and
// {"$float": "inf"} become what they name, at every level.
Value without_tags(Value value);

enum class Numbers {
  kByType,   // 2.0 is not 2, but 2 will do for 2.0: "return 0" is honest where 0.0 is expected
  kByValue,  // 2 equals 2.0
};

struct CompareOptions {
  Numbers numbers = Numbers::kByType;
  double tolerance = 1e-9;  // floats: absolute below 1 and relative above; 0 is exact
};

// Nothing if `got` is what is expected, else where they differ first and how. A list accepts a tuple of the same items
// (JSON has no tuples), and an object accepts keys that JSON would write the same ({1: 2} for {"1": 2}). NaN equals NaN
// only, and true is no 1.
std::optional<std::string> difference(const Value& expected, const Value& got, const CompareOptions& options);

// In the notation of Syntax::kResult; set and dict items in a canonical order.
std::string to_text(const Value& value);
// JSON, tags where it needs them; what without_tags() reads.
std::string to_json(const Value& value);

}  // namespace r1::rewards::code
