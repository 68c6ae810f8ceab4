#include "rewards/math/rational.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "rewards/math/budget.h"

namespace r1::rewards::math {
namespace {

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;
constexpr Wide kSmallLimit = Wide{1} << 62;

Wide greatest_common_divisor(Wide a, Wide b) {
  if (a < 0) a = -a;
  if (b < 0) b = -b;
  while (b != 0) {
    if (a < kSmallLimit && b < kSmallLimit) return std::gcd(static_cast<int64_t>(a), static_cast<int64_t>(b));
    a = std::exchange(b, a % b);
  }
  return a;
}

int bits_of(const BigInt& value) {
  const auto size = value.backend().size();
  return static_cast<int>(size * sizeof(boost::multiprecision::limb_type) * 8);  // rounded up to whole limbs
}

BigInt to_big(Wide value) {
  const bool is_negative = value < 0;
  const auto magnitude = is_negative ? -static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value);
  BigInt big = static_cast<uint64_t>(magnitude >> 64);
  big <<= 64;
  big += static_cast<uint64_t>(magnitude);
  return is_negative ? BigInt(-big) : big;
}

bool is_small_value(const BigInt& value) {
  return bits_of(value) <= 64 && value < (BigInt(1) << 62) && value > -(BigInt(1) << 62);
}

}  // namespace

Rational Rational::from_wide(Wide numerator, Wide denominator) {
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  if (denominator != 1) {
    const Wide divisor = greatest_common_divisor(numerator, denominator);
    numerator /= divisor;
    denominator /= divisor;
  }
  if (numerator < kSmallLimit && numerator > -kSmallLimit && denominator < kSmallLimit) {
    Rational result;
    result.numerator_ = static_cast<int64_t>(numerator);
    result.denominator_ = static_cast<int64_t>(denominator);
    return result;
  }
  Rational result;
  result.big_ = std::make_shared<Big>(Big{to_big(numerator), to_big(denominator)});
  return result;
}

Rational::Rational(int64_t numerator, int64_t denominator) { *this = from_wide(numerator, denominator); }

Rational Rational::from_big(BigInt numerator, BigInt denominator) {
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  if (bits_of(numerator) > 2 * kMaxBits || bits_of(denominator) > 2 * kMaxBits) throw Overrun{"a number is too large"};
  if (denominator != 1) {
    const BigInt divisor = gcd(numerator, denominator);
    if (divisor != 1) {
      numerator /= divisor;
      denominator /= divisor;
    }
  }
  if (bits_of(numerator) > kMaxBits || bits_of(denominator) > kMaxBits) throw Overrun{"a number is too large"};
  Rational result;
  if (is_small_value(numerator) && is_small_value(denominator)) {
    result.numerator_ = static_cast<int64_t>(numerator);
    result.denominator_ = static_cast<int64_t>(denominator);
  } else {
    result.big_ = std::make_shared<Big>(Big{std::move(numerator), std::move(denominator)});
  }
  return result;
}

Rational Rational::from_digits(std::string_view digits, int64_t places, int64_t exponent) {
  const auto first = std::min(digits.find_first_not_of('0'), digits.size());
  digits.remove_prefix(first);
  const int64_t scale = exponent - places;
  if (digits.empty()) return 0;
  if (digits.size() > kMaxBits * 3 / 10 || std::abs(scale) > kMaxBits * 3 / 10) throw Overrun{"a number is too large"};
  if (digits.size() <= 18 && scale <= 0 && scale >= -18) {
    int64_t value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    int64_t below = 1;
    for (int64_t i = 0; i > scale; --i) below *= 10;
    return {value, below};
  }
  const BigInt ten_power = boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(std::abs(scale)));
  const BigInt value{std::string(digits)};
  return scale >= 0 ? from_big(value * ten_power, 1) : from_big(value, ten_power);
}

bool Rational::is_integer() const { return big_ ? big_->denominator == 1 : denominator_ == 1; }

int Rational::sign() const {
  if (big_) return big_->numerator.sign();
  return numerator_ > 0 ? 1 : numerator_ < 0 ? -1 : 0;
}

std::optional<int64_t> Rational::to_int64() const {
  if (big_ || denominator_ != 1) return {};
  return numerator_;
}

BigInt Rational::numerator() const { return big_ ? big_->numerator : BigInt(numerator_); }
BigInt Rational::denominator() const { return big_ ? big_->denominator : BigInt(denominator_); }

int Rational::bits() const { return big_ ? std::max(bits_of(big_->numerator), bits_of(big_->denominator)) : 62; }

BigInt Rational::floor() const {
  const BigInt above = numerator(), below = denominator();
  BigInt quotient = above / below;
  if (above < 0 && quotient * below != above) quotient -= 1;
  return quotient;
}

std::string Rational::to_string() const {
  const auto above = numerator().str();
  return is_integer() ? above : above + "/" + denominator().str();
}

Rational Rational::operator-() const {
  if (big_) return from_big(-big_->numerator, big_->denominator);
  Rational result;
  result.numerator_ = -numerator_;
  result.denominator_ = denominator_;
  return result;
}

Rational operator+(const Rational& a, const Rational& b) {
  if (a.big_ || b.big_) {
    return Rational::from_big(a.numerator() * b.denominator() + b.numerator() * a.denominator(),
                              a.denominator() * b.denominator());
  }
  return Rational::from_wide(Wide{a.numerator_} * b.denominator_ + Wide{b.numerator_} * a.denominator_,
                             Wide{a.denominator_} * b.denominator_);
}

Rational operator-(const Rational& a, const Rational& b) { return a + -b; }

Rational operator*(const Rational& a, const Rational& b) {
  if (a.big_ || b.big_) return Rational::from_big(a.numerator() * b.numerator(), a.denominator() * b.denominator());
  return Rational::from_wide(Wide{a.numerator_} * b.numerator_, Wide{a.denominator_} * b.denominator_);
}

Rational operator/(const Rational& a, const Rational& b) {
  if (b.is_zero()) throw Undefined{"a division by zero"};
  if (a.big_ || b.big_) return Rational::from_big(a.numerator() * b.denominator(), a.denominator() * b.numerator());
  return Rational::from_wide(Wide{a.numerator_} * b.denominator_, Wide{a.denominator_} * b.numerator_);
}

bool operator==(const Rational& a, const Rational& b) {
  if (a.big_ || b.big_) {
    return a.big_ && b.big_ && a.big_->numerator == b.big_->numerator && a.big_->denominator == b.big_->denominator;
  }
  return a.numerator_ == b.numerator_ && a.denominator_ == b.denominator_;
}

bool operator<(const Rational& a, const Rational& b) {
  if (a.big_ || b.big_) return a.numerator() * b.denominator() < b.numerator() * a.denominator();
  return Wide{a.numerator_} * b.denominator_ < Wide{b.numerator_} * a.denominator_;
}

Rational power(const Rational& base, int64_t exponent) {
  if (exponent == 0) return 1;
  if (base.is_zero() && exponent < 0) throw Undefined{"a division by zero"};
  if (base.is_zero() || base.is_one()) return base;
  const auto magnitude = static_cast<uint64_t>(std::abs(exponent));
  if (magnitude > 2 * kMaxBits) {
    if (base == Rational(-1)) return magnitude % 2 == 0 ? 1 : -1;
    throw Overrun{"a power is too large"};
  }
  Rational result = 1, square = base;
  for (uint64_t left = magnitude; left != 0; left >>= 1) {
    if (left & 1) result = result * square;
    if (left > 1) square = square * square;
  }
  return exponent < 0 ? Rational(1) / result : result;
}

}  // namespace r1::rewards::math
