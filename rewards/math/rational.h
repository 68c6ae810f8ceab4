#pragma once
// Exact rational numbers: two machine words while they fit, big integers above. Never more than kMaxBits bits: what
// would be larger throws Overrun.

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace r1::rewards::math {

using BigInt = boost::multiprecision::cpp_int;

class Rational {
 public:
  Rational(int64_t value = 0) : numerator_(value) {}  // NOLINT: integers are rationals
  Rational(int64_t numerator, int64_t denominator);   // denominator is not 0
  static Rational from_big(BigInt numerator, BigInt denominator);
  // Digits 0-9 only, then `places` of them after the point, then a power of ten.
  static Rational from_digits(std::string_view digits, int64_t places, int64_t exponent);

  bool is_zero() const { return !big_ && numerator_ == 0; }
  bool is_one() const { return !big_ && numerator_ == 1 && denominator_ == 1; }
  bool is_integer() const;
  int sign() const;
  // The value as a machine integer, if it is one of at most 62 bits.
  std::optional<int64_t> to_int64() const;
  BigInt numerator() const;
  BigInt denominator() const;
  bool is_small() const { return !big_; }
  int64_t small_numerator() const { return numerator_; }
  int64_t small_denominator() const { return denominator_; }
  int bits() const;  // of the longer of numerator and denominator
  BigInt floor() const;
  Rational abs() const { return sign() < 0 ? -*this : *this; }
  std::string to_string() const;

  Rational operator-() const;
  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend Rational operator/(const Rational& a, const Rational& b);  // throws Undefined for b = 0
  friend bool operator==(const Rational& a, const Rational& b);
  friend bool operator<(const Rational& a, const Rational& b);

 private:
  struct Big {
    BigInt numerator, denominator;
  };
  __extension__ typedef __int128 Wide;
  static Rational from_wide(Wide numerator, Wide denominator);

  int64_t numerator_ = 0;
  int64_t denominator_ = 1;         // above 0, in lowest terms
  std::shared_ptr<const Big> big_;  // set if it does not fit in 62 bits each
};

// Throws Overrun if the result has more than kMaxBits bits.
Rational power(const Rational& base, int64_t exponent);

}  // namespace r1::rewards::math
