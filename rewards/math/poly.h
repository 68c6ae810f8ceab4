#pragma once
// Sums of terms c * a1^e1 * a2^e2 * ... with rational coefficients c, atoms a (numbers into a table that field.h keeps)
// and rational exponents e. Sorted by an order that multiplication respects, without zero terms, so two polynomials in
// independent atoms are equal exactly if their terms are.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "rewards/math/budget.h"
#include "rewards/math/rational.h"

namespace r1::rewards::math {

using AtomId = uint16_t;

// A small rational exponent in lowest terms. Above +-2^30 or with a denominator above 2^15 it throws Overrun.
struct Exponent {
  int32_t numerator = 1;
  int32_t denominator = 1;

  bool is_integer() const { return denominator == 1; }
  bool operator==(const Exponent&) const = default;
};
Exponent make_exponent(int64_t numerator, int64_t denominator);
std::optional<Exponent> to_exponent(const Rational& value);  // nothing if it is out of range
Exponent operator+(Exponent a, Exponent b);
Exponent operator*(Exponent a, Exponent b);
inline Exponent operator-(Exponent a) { return {-a.numerator, a.denominator}; }
inline bool operator<(Exponent a, Exponent b) {
  return int64_t{a.numerator} * b.denominator < int64_t{b.numerator} * a.denominator;
}
inline Rational to_rational(Exponent e) { return {e.numerator, e.denominator}; }
inline int64_t floor_of(Exponent e) {
  const int64_t quotient = e.numerator / e.denominator;
  return e.numerator % e.denominator < 0 ? quotient - 1 : quotient;
}

struct Factor {
  AtomId atom = 0;
  Exponent exponent;
  bool operator==(const Factor&) const = default;
};

// A product of atoms, sorted by atom, without exponents of 0.
class Monomial {
 public:
  static constexpr size_t kMaxFactors = 10;

  const Factor* begin() const { return factors_.data(); }
  const Factor* end() const { return factors_.data() + size_; }
  bool is_one() const { return size_ == 0; }
  size_t size() const { return size_; }
  Exponent exponent_of(AtomId atom) const;  // 0 if it is not there
  void append(Factor factor);               // factor.atom is above those that are there
  // Without one atom.
  Monomial without(AtomId atom) const;

  bool operator==(const Monomial& other) const;

 private:
  std::array<Factor, kMaxFactors> factors_{};
  uint32_t size_ = 0;
};
Monomial operator*(const Monomial& a, const Monomial& b);
Monomial scaled(const Monomial& m, Exponent by);  // every exponent times `by`
// Above 0 if a comes before b: the higher exponent of the first atom in which they differ leads.
int compare(const Monomial& a, const Monomial& b);

struct Term {
  Rational coefficient;
  Monomial monomial;
  bool operator==(const Term&) const = default;
};

class Poly {
 public:
  Poly() = default;
  Poly(Rational constant);  // NOLINT: constants are polynomials
  explicit Poly(Term term);
  // Sorts, adds up equal monomials, drops zeros.
  static Poly from_terms(std::vector<Term> terms, Budget& budget);

  const std::vector<Term>& terms() const { return terms_; }
  bool is_zero() const { return terms_.empty(); }
  bool is_one() const { return is_constant() && !is_zero() && terms_[0].coefficient.is_one(); }
  bool is_constant() const { return terms_.empty() || (terms_.size() == 1 && terms_[0].monomial.is_one()); }
  Rational constant() const { return terms_.empty() ? Rational(0) : terms_[0].coefficient; }  // of an is_constant() one
  const Term& leading() const { return terms_.front(); }
  bool operator==(const Poly&) const = default;

 private:
  std::vector<Term> terms_;
};

Poly add(const Poly& a, const Poly& b, Budget& budget);
Poly subtract(const Poly& a, const Poly& b, Budget& budget);
// Plain product: relations between atoms are Field's business.
Poly multiply(const Poly& a, const Poly& b, Budget& budget);
Poly multiply(const Poly& a, const Rational& b, Budget& budget);
Poly multiply(const Poly& a, const Term& b, Budget& budget);
// q with q * b = a, if the division of leading terms ends.
std::optional<Poly> divide_exactly(const Poly& a, const Poly& b, Budget& budget);

}  // namespace r1::rewards::math
