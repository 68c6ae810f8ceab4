#pragma once
// Exact fractions over 128-bit integers, for numbers whose size is bounded beforehand.
//
// The height of p/q is |p| + |q|. Every operation below yields a height of at most the product of its operands'
// heights, reduced or not, and passes through no larger integer. So an expression over fractions whose heights multiply
// to at most kMaxHeight never overflows: callers check that product once, and the arithmetic needs no checks of its
// own.

#include <optional>
#include <string>

namespace r1::tasks {

__extension__ typedef __int128 Int128;

inline constexpr Int128 kMaxHeight = Int128{1} << 126;

struct Rational {
  Int128 numerator = 0;
  Int128 denominator = 1;  // above 0
};

Rational operator+(const Rational& a, const Rational& b);
Rational operator-(const Rational& a, const Rational& b);
Rational operator*(const Rational& a, const Rational& b);
// Nothing if b is 0.
std::optional<Rational> divide(const Rational& a, const Rational& b);
bool operator==(const Rational& a, const Rational& b);

// Lowest terms.
Rational reduced(const Rational& r);
// "7", "-7/3"; in lowest terms.
std::string to_string(const Rational& r);
// With exactly `places` digits after the point, "-0.50"; the value must be a whole number of those units.
std::string to_decimal(const Rational& r, int places);

}  // namespace r1::tasks
