#include "tasks/rational.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace r1::tasks {
namespace {

Int128 magnitude(Int128 value) { return value < 0 ? -value : value; }

Int128 greatest_common_divisor(Int128 a, Int128 b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

std::string digits(Int128 value) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace

Rational operator+(const Rational& a, const Rational& b) {
  return {a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator};
}

Rational operator-(const Rational& a, const Rational& b) {
  return {a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator};
}

Rational operator*(const Rational& a, const Rational& b) {
  return {a.numerator * b.numerator, a.denominator * b.denominator};
}

std::optional<Rational> divide(const Rational& a, const Rational& b) {
  if (b.numerator == 0) return {};
  const Int128 sign = b.numerator < 0 ? -1 : 1;
  return Rational{sign * a.numerator * b.denominator, sign * b.numerator * a.denominator};
}

bool operator==(const Rational& a, const Rational& b) {
  return a.numerator * b.denominator == b.numerator * a.denominator;
}

Rational reduced(const Rational& r) {
  const Int128 divisor = greatest_common_divisor(magnitude(r.numerator), r.denominator);
  return {r.numerator / divisor, r.denominator / divisor};
}

std::string to_string(const Rational& r) {
  const auto lowest = reduced(r);
  std::string text = lowest.numerator < 0 ? "-" : "";
  text += digits(magnitude(lowest.numerator));
  if (lowest.denominator != 1) text += "/" + digits(lowest.denominator);
  return text;
}

std::string to_decimal(const Rational& r, int places) {
  const auto lowest = reduced(r);
  Int128 unit = 1;
  for (int i = 0; i < places; ++i) unit *= 10;
  auto text = digits(magnitude(lowest.numerator) * (unit / lowest.denominator));
  const auto point = static_cast<size_t>(places);
  if (text.size() <= point) text.insert(0, point + 1 - text.size(), '0');
  if (places > 0) text.insert(text.size() - point, ".");
  return (lowest.numerator < 0 ? "-" : "") + text;
}

}  // namespace r1::tasks
