#pragma once
// Ball arithmetic: a value together with a bound of its error, so that "does not contain zero" is a proof. balls.cpp
// does it with Arb; balls_none.cpp stands in for builds without it and knows nothing.

#include "rewards/math/field.h"

namespace r1::rewards::math {

struct BallFacts {
  bool is_known = false;           // finite
  bool excludes_zero = false;      // proved
  bool left_real = false;          // somewhere a root or a logarithm of what is not proved positive was taken
  bool is_real_part_only = false;  // the ball of the imaginary part contains 0
  int real_sign = 0;               // of the real part; 0 if its ball contains 0
  double log2_size = 0;            // |value| < 2^log2_size
};

// Of a value whose variables are given the numbers of one sample point (0, 1, 2, ...): positive fractions, and whole
// numbers for n, k, m and the like. Functions without a meaning are given one, the same in every call.
BallFacts evaluate(Field& field, const Poly& value, int precision_bits, int sample);

// Ends of an interval around a real constant, so narrow that both have the same floor; nothing otherwise.
std::optional<Rational> floor_by_ball(Field& field, const Frac& value);

}  // namespace r1::rewards::math
