#include "rewards/math/poly.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace r1::rewards::math {
namespace {

constexpr int64_t kMaxExponent = int64_t{1} << 30;
constexpr int64_t kMaxExponentDenominator = 1 << 15;
constexpr size_t kMaxTerms = 4'000;

int64_t cost_of(const Rational& c) { return c.is_small() ? 1 : 2 + c.bits() / 256; }

bool comes_before(const Term& a, const Term& b) { return compare(a.monomial, b.monomial) > 0; }

}  // namespace

Exponent make_exponent(int64_t numerator, int64_t denominator) {
  const auto divisor = std::gcd(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  if (numerator > kMaxExponent || numerator < -kMaxExponent || denominator > kMaxExponentDenominator) {
    throw Overrun{"an exponent is too large"};
  }
  return {static_cast<int32_t>(numerator), static_cast<int32_t>(denominator)};
}

std::optional<Exponent> to_exponent(const Rational& value) {
  if (!value.is_small()) return {};
  const auto numerator = value.small_numerator(), denominator = value.small_denominator();
  if (numerator > kMaxExponent || numerator < -kMaxExponent || denominator > kMaxExponentDenominator) return {};
  return Exponent{static_cast<int32_t>(numerator), static_cast<int32_t>(denominator)};
}

Exponent operator+(Exponent a, Exponent b) {
  return make_exponent(int64_t{a.numerator} * b.denominator + int64_t{b.numerator} * a.denominator,
                       int64_t{a.denominator} * b.denominator);
}

Exponent operator*(Exponent a, Exponent b) {
  return make_exponent(int64_t{a.numerator} * b.numerator, int64_t{a.denominator} * b.denominator);
}

Exponent Monomial::exponent_of(AtomId atom) const {
  for (const auto& factor : *this) {
    if (factor.atom == atom) return factor.exponent;
  }
  return {0, 1};
}

void Monomial::append(Factor factor) {
  if (factor.exponent.numerator == 0) return;
  if (size_ == kMaxFactors) throw Overrun{"a product has too many different factors"};
  factors_[size_++] = factor;
}

Monomial Monomial::without(AtomId atom) const {
  Monomial rest;
  for (const auto& factor : *this) {
    if (factor.atom != atom) rest.append(factor);
  }
  return rest;
}

bool Monomial::operator==(const Monomial& other) const {
  return size_ == other.size_ && std::equal(begin(), end(), other.begin());
}

Monomial operator*(const Monomial& a, const Monomial& b) {
  if (a.is_one()) return b;
  if (b.is_one()) return a;
  Monomial product;
  const Factor *i = a.begin(), *j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->atom < j->atom)) {
      product.append(*i++);
    } else if (i == a.end() || j->atom < i->atom) {
      product.append(*j++);
    } else {
      product.append({i->atom, i->exponent + j->exponent});
      ++i, ++j;
    }
  }
  return product;
}

Monomial scaled(const Monomial& m, Exponent by) {
  Monomial result;
  for (const auto& [atom, exponent] : m) result.append({atom, exponent * by});
  return result;
}

int compare(const Monomial& a, const Monomial& b) {
  const Factor *i = a.begin(), *j = b.begin();
  for (; i != a.end() && j != b.end(); ++i, ++j) {
    if (i->atom < j->atom) return i->exponent.numerator > 0 ? 1 : -1;
    if (j->atom < i->atom) return j->exponent.numerator > 0 ? -1 : 1;
    if (i->exponent != j->exponent) return j->exponent < i->exponent ? 1 : -1;
  }
  if (i != a.end()) return i->exponent.numerator > 0 ? 1 : -1;
  if (j != b.end()) return j->exponent.numerator > 0 ? -1 : 1;
  return 0;
}

Poly::Poly(Rational constant) {
  if (!constant.is_zero()) terms_.push_back({std::move(constant), {}});
}

Poly::Poly(Term term) {
  if (!term.coefficient.is_zero()) terms_.push_back(std::move(term));
}

Poly Poly::from_terms(std::vector<Term> terms, Budget& budget) {
  budget.charge(static_cast<int64_t>(terms.size()));
  std::sort(terms.begin(), terms.end(), comes_before);
  Poly result;
  for (auto& term : terms) {
    if (!result.terms_.empty() && result.terms_.back().monomial == term.monomial) {
      auto& sum = result.terms_.back().coefficient;
      sum = sum + term.coefficient;
    } else {
      if (!result.terms_.empty() && result.terms_.back().coefficient.is_zero()) result.terms_.pop_back();
      result.terms_.push_back(std::move(term));
    }
  }
  if (!result.terms_.empty() && result.terms_.back().coefficient.is_zero()) result.terms_.pop_back();
  if (result.terms_.size() > kMaxTerms) throw Overrun{"an expression has too many terms"};
  return result;
}

Poly add(const Poly& a, const Poly& b, Budget& budget) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  std::vector<Term> terms = a.terms();
  terms.insert(terms.end(), b.terms().begin(), b.terms().end());
  return Poly::from_terms(std::move(terms), budget);
}

Poly subtract(const Poly& a, const Poly& b, Budget& budget) {
  return add(a, multiply(b, Rational(-1), budget), budget);
}

Poly multiply(const Poly& a, const Poly& b, Budget& budget) {
  if (a.terms().size() == 1) return multiply(b, a.terms()[0], budget);
  if (b.terms().size() == 1) return multiply(a, b.terms()[0], budget);
  std::vector<Term> terms;
  budget.charge(static_cast<int64_t>(a.terms().size() * b.terms().size()));
  terms.reserve(a.terms().size() * b.terms().size());
  for (const auto& i : a.terms()) {
    for (const auto& j : b.terms()) {
      budget.charge(cost_of(i.coefficient) + cost_of(j.coefficient));
      terms.push_back({i.coefficient * j.coefficient, i.monomial * j.monomial});
    }
  }
  return Poly::from_terms(std::move(terms), budget);
}

Poly multiply(const Poly& a, const Rational& b, Budget& budget) { return multiply(a, Term{b, {}}, budget); }

Poly multiply(const Poly& a, const Term& b, Budget& budget) {
  if (b.coefficient.is_one() && b.monomial.is_one()) return a;
  std::vector<Term> terms;
  terms.reserve(a.terms().size());
  for (const auto& term : a.terms()) {
    budget.charge(cost_of(term.coefficient) + cost_of(b.coefficient));
    terms.push_back({term.coefficient * b.coefficient, term.monomial * b.monomial});
  }
  return Poly::from_terms(std::move(terms), budget);
}

std::optional<Poly> divide_exactly(const Poly& a, const Poly& b, Budget& budget) {
  if (b.is_zero()) return {};
  const auto inverse = scaled(b.leading().monomial, {-1, 1});
  std::vector<Term> quotient;
  Poly rest = a;
  const size_t max_steps = 8 + 4 * (a.terms().size() + b.terms().size());
  if (max_steps * b.terms().size() > kMaxTerms) return {};  // costs more than a shorter fraction saves
  while (!rest.is_zero()) {
    if (quotient.size() == max_steps) return {};
    const Term step{rest.leading().coefficient / b.leading().coefficient, rest.leading().monomial * inverse};
    rest = subtract(rest, multiply(b, step, budget), budget);
    quotient.push_back(step);
  }
  return Poly::from_terms(std::move(quotient), budget);
}

}  // namespace r1::rewards::math
