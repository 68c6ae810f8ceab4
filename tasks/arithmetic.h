#pragma once
// Sums, products and mixed expressions over whole numbers, decimals or fractions, with exact answers. Everything here
// is a pure function of (options, seed, index).

#include <cstdint>
#include <string>

#include "tasks/question.h"

namespace r1::tasks {

enum class NumberKind { kInteger, kDecimal, kFraction };
enum class Wording {
  kPlain,    // "12 + 7 ="
  kNatural,  // "What is 12 + 7?" and other forms of it
};
enum class AnswerSign { kAny, kNonNegative };

struct ArithmeticOptions {
  int min_terms = 2;
  int max_terms = 3;              // at most 8
  int min_digits = 1;             // of a number before the point, or of a fraction's parts
  int max_digits = 2;             // at most 6
  std::string operations = "+-";  // of + - * /; division only over integers and fractions
  double group_share = 0;         // chance that a parenthesis opens where two or more terms are left
  NumberKind numbers = NumberKind::kInteger;
  int decimal_places = 2;  // 1 to 6, of decimals
  AnswerSign answers = AnswerSign::kAny;
  Wording wording = Wording::kNatural;
  int held_out_modulus = 10;  // one expression in so many is held out; 0 holds none out
};

// Throws Error naming the first option that cannot work.
void validate(const ArithmeticOptions& options);

struct ArithmeticInstance {
  std::string expression;  // "12 + 3 * (4 - 1)": usual precedence
  std::string answer;      // "21", "-0.5", "7/3": in lowest terms, decimals without closing zeros
};

// Instance number `index` of the endless sequence that `seed` names, of this split only.
ArithmeticInstance make_arithmetic(const ArithmeticOptions& options, Split split, uint64_t seed, uint64_t index);

// The questions as a set of `size` (or kEndless), of task "arithmetic".
QuestionSet arithmetic_set(const ArithmeticOptions& options, Split split, uint64_t seed, uint64_t size);

}  // namespace r1::tasks
