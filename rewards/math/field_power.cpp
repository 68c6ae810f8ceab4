// Powers and roots of Field.

#include <algorithm>
#include <array>
#include <utility>

#include "rewards/math/field.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr double kMaxExpandedTerms = 600;
constexpr uint64_t kMaxExpandedPower = 400;

constexpr std::array<int, 46> kSmallPrimes{
    2,  3,  5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,  73,  79,  83,
    89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199};
constexpr int kProvedPrimeLimit = 200 * 200;  // a number below it without small prime factors is prime

struct IntegerFactor {
  BigInt base;
  int32_t exponent;
  bool is_prime;
};

BigInt whole_root(const BigInt& value, unsigned order) {
  BigInt guess = BigInt(1) << (msb(value) / order + 1);
  while (true) {
    const BigInt next = ((order - 1) * guess + value / boost::multiprecision::pow(guess, order - 1)) / order;
    if (next >= guess) return guess;
    guess = next;
  }
}

std::vector<IntegerFactor> factors_of(BigInt value, Budget& budget) {
  std::vector<IntegerFactor> factors;
  const bool is_large = msb(value) > 61;
  for (const int prime : kSmallPrimes) {
    if (value == 1) break;
    int32_t exponent = 0;
    while (value % prime == 0) {
      value /= prime;
      ++exponent;
      budget.charge(is_large ? 1 + static_cast<int64_t>(msb(value)) / 64 : 0);
    }
    if (exponent > 0) factors.push_back({prime, exponent, true});
  }
  if (value == 1) return factors;
  int32_t exponent = 1;
  for (const unsigned order : {2U, 3U, 5U, 7U}) {
    budget.charge(20 + static_cast<int64_t>(msb(value)) / 16);
    const BigInt root = whole_root(value, order);
    if (boost::multiprecision::pow(root, order) != value) continue;
    value = root;
    exponent *= static_cast<int32_t>(order);
    break;
  }
  const bool is_prime = value < kProvedPrimeLimit;
  factors.push_back({std::move(value), exponent, is_prime});
  return factors;
}

// Number of terms of a power of a sum, at most: binomial(terms + exponent - 1, exponent).
double expanded_terms(size_t terms, uint64_t exponent) {
  double count = 1;
  for (size_t i = 1; i < terms && count < 1e9; ++i) {
    count *= static_cast<double>(exponent + i) / static_cast<double>(i);
  }
  return count;
}

double bits_of(const Rational& value) {
  const auto length = [](BigInt n) { return n.is_zero() ? 0.0 : static_cast<double>(msb(n < 0 ? BigInt(-n) : n)) + 1; };
  if (value.is_one() || value == Rational(-1)) return 0;
  return std::max(length(value.numerator()), length(value.denominator()));
}

}  // namespace

std::vector<Factor> Field::prime_powers(const Rational& value) {
  std::vector<Factor> powers;
  const auto take = [&](const BigInt& n, int32_t sign) {
    if (n == 1) return;
    for (const auto& [factor, multiplicity, is_prime] : factors_of(n, budget_)) {
      powers.push_back({intern_integer(factor, is_prime), {sign * multiplicity, 1}});
    }
  };
  take(value.numerator(), 1);
  take(value.denominator(), -1);
  return powers;
}

Poly Field::positive_power(const Rational& base, Exponent exponent) {
  if (base.is_one()) return Poly(Rational(1));
  Term term{1, {}};
  for (const auto& [atom, multiplicity] : prime_powers(base)) {
    Monomial one;
    one.append({atom, multiplicity * exponent});
    term.monomial = term.monomial * one;
  }
  return reduce(Poly(std::move(term)));
}

Poly Field::power(const Poly& base, uint64_t exponent) {
  if (exponent == 0) return Poly(Rational(1));
  if (exponent == 1 || base.is_one() || base.is_zero()) return base;
  if (base.terms().size() == 1) {
    const auto& [coefficient, monomial] = base.terms()[0];
    if (exponent > (1U << 30)) throw Overrun{"an exponent is too large"};
    const Exponent e{static_cast<int32_t>(exponent), 1};
    const auto whole = reduce(Poly(Term{1, scaled(monomial, e)}));
    if (bits_of(coefficient) * static_cast<double>(exponent) < 12'000) {
      return math::multiply(whole, math::power(coefficient, static_cast<int64_t>(exponent)), budget_);
    }
    const auto size = multiply(whole, positive_power(coefficient.abs(), e));
    return coefficient.sign() < 0 && exponent % 2 == 1 ? math::multiply(size, Rational(-1), budget_) : size;
  }
  const bool is_constant = !has_symbols(base);
  if (exponent > kMaxExpandedPower ||
      (!is_constant && expanded_terms(base.terms().size(), exponent) > kMaxExpandedTerms)) {
    if (exponent > (1U << 30)) throw Overrun{"an exponent is too large"};
    Poly sum = base;
    const auto number = take_number(sum);
    const auto content = take_content(sum);
    const auto atom = intern({.kind = AtomKind::kSum, .args = {Frac(sum)}});
    const Exponent e{static_cast<int32_t>(exponent), 1};
    auto result = multiply(power(Poly(number), exponent), Poly(Term{1, scaled(content, e)}));
    return multiply(result, atom_power(atom, e).above);
  }
  Poly result{Rational(1)}, square = base;
  for (uint64_t left = exponent; left != 0; left >>= 1) {
    if (left & 1) result = multiply(result, square);
    if (left > 1) square = multiply(square, square);
  }
  return result;
}

Frac Field::whole_power(const Frac& base, int64_t exponent) {
  const auto size = static_cast<uint64_t>(std::abs(exponent));
  if (exponent >= 0) {
    return base.below.is_one() ? Frac(power(base.above, size)) : make(power(base.above, size), power(base.below, size));
  }
  return make(power(base.below, size), power(base.above, size));
}

std::optional<Poly> Field::exact_root(const Poly& p, int32_t order) {
  if (order > 3 || p.terms().size() > 40) return {};
  for (const auto& term : p.terms()) {
    for (const auto& factor : term.monomial) {
      const auto kind = atoms_[factor.atom].kind;
      if (kind != AtomKind::kSymbol && kind != AtomKind::kPi && kind != AtomKind::kE) return {};
      if (!factor.exponent.is_integer()) return {};
    }
  }
  const auto lead = positive_power(p.leading().coefficient.abs(), {1, order});
  if (!lead.is_constant() || (p.leading().coefficient.sign() < 0 && order == 2)) return {};
  Term first{p.leading().coefficient.sign() < 0 ? -lead.constant() : lead.constant(),
             scaled(p.leading().monomial, {1, order})};
  const auto slope = math::multiply(power(Poly(first), static_cast<uint64_t>(order - 1)), Rational(order), budget_);
  const auto inverse = scaled(slope.leading().monomial, {-1, 1});
  Poly root{first};
  for (int step = 0; step < 12; ++step) {
    const auto rest = math::subtract(p, power(root, static_cast<uint64_t>(order)), budget_);
    if (rest.is_zero()) return root;
    const Term next{rest.leading().coefficient / slope.leading().coefficient, rest.leading().monomial * inverse};
    if (compare(root.terms().back().monomial, next.monomial) <= 0) return {};
    root = math::add(root, Poly(next), budget_);
  }
  return {};
}

// The power of an atom for a radicand that is not simplified further; the whole part of the exponent multiplied out.
Frac Field::root_atom(const Poly& radicand, Exponent exponent) {
  const auto atom = intern({.kind = AtomKind::kRoot, .args = {Frac(radicand)}});
  const int64_t whole = floor_of(exponent);
  const auto left = atom_power(atom, exponent + Exponent{static_cast<int32_t>(-whole), 1});
  if (whole == 0) return left;
  const auto outside = power(radicand, static_cast<uint64_t>(std::abs(whole)));
  return whole > 0 ? Frac(multiply(left.above, outside)) : make(left.above, outside);
}

Frac Field::root_of_sum(const Poly& sum, Exponent exponent) {
  const bool is_constant = !has_symbols(sum);
  const auto sign = is_constant ? sign_of(*this, sum) : std::nullopt;
  if (sign == 0) {
    if (exponent.numerator < 0) throw Undefined{"a division by zero"};
    return Rational(0);
  }
  if (sign == -1) {
    const auto size = root_of_sum(math::multiply(sum, Rational(-1), budget_), exponent);
    if (exponent.denominator % 2 == 1) return exponent.numerator % 2 != 0 ? negate(size) : size;
    return multiply(Frac(root_of_unity(exponent)), size);
  }
  const auto root = exact_root(sum, exponent.denominator);
  if (!root) return root_atom(sum, exponent);
  const auto& terms = root->terms();
  const auto all_have_sign = [&](int wanted) {
    return std::all_of(terms.begin(), terms.end(), [&](const Term& t) { return t.coefficient.sign() == wanted; });
  };
  int root_sign = is_constant ? sign_of(*this, *root).value_or(0) : 0;
  if (exponent.denominator % 2 == 1 || all_have_sign(1)) root_sign = 1;
  if (root_sign == 0 && all_have_sign(-1)) root_sign = -1;
  if (root_sign == 0) return root_atom(sum, exponent);
  const Frac positive{math::multiply(*root, Rational(root_sign), budget_)};
  return whole_power(positive, exponent.numerator);
}

// Of a product with a coefficient of 1 or -1 and no factor that take_content() takes. Nothing if the parts do not come
// apart: (ab)^r is a^r b^r only if at most one of them is not positive.
std::optional<Frac> Field::root_of_product(const Term& term, Exponent exponent) {
  Exponent angle{term.coefficient.sign() < 0 ? 1 : 0, 1};
  Term rest{1, {}};
  int num_others = 0;
  for (const auto& factor : term.monomial) {
    const auto& atom = atoms_[factor.atom];
    if (atom.kind == AtomKind::kMinusOne) {
      angle = angle + factor.exponent;
    } else {
      if (!atom.is_positive) ++num_others;
      if (!atom.is_positive && atom.kind != AtomKind::kRoot) return {};
      rest.monomial.append({factor.atom, factor.exponent * exponent});
    }
  }
  if (num_others > 1 || (num_others == 1 && angle.numerator != 0)) return {};
  if (Exponent{1, 1} < angle) angle = angle + Exponent{-2, 1};
  auto sign = Poly(Rational(1));
  if (angle == Exponent{1, 1} && exponent.denominator % 2 == 1) {
    if (exponent.numerator % 2 != 0) sign = Poly(Rational(-1));
  } else if (angle.numerator != 0) {
    sign = root_of_unity(angle * exponent);
  }
  if (exponent.numerator < 0) return divide(Frac(sign), Frac(Poly(Term{1, scaled(rest.monomial, {-1, 1})})));
  return Frac(multiply(sign, reduce(Poly(std::move(rest)))));
}

Frac Field::root(const Poly& p, Exponent exponent) {
  if (p.is_zero()) {
    if (exponent.numerator < 0) throw Undefined{"a division by zero"};
    return Rational(0);
  }
  note_signs(p);
  Poly rest = p;
  const auto number = take_number(rest);
  const auto content = take_content(rest);
  const Frac outside{multiply(positive_power(number, exponent), Poly(Term{1, scaled(content, exponent)}))};
  if (rest.is_one()) return outside;
  if (rest.terms().size() == 1) {
    if (auto root = root_of_product(rest.leading(), exponent)) return multiply(outside, *root);
    return multiply(outside, root_atom(rest, exponent));
  }
  return multiply(outside, root_of_sum(rest, exponent));
}

Frac Field::power(const Frac& base, const Rational& exponent) {
  if (const auto whole = exponent.to_int64()) {
    if (*whole > (1 << 30) || *whole < -(1 << 30)) {
      if (base.is_rational() && base.rational().is_one()) return base;
      return exp(multiply(Frac(exponent), log(base)));
    }
    return whole_power(base, *whole);
  }
  const auto small = to_exponent(exponent);
  if (!small) return exp(multiply(Frac(exponent), log(base)));
  if (base.below.is_one()) return root(base.above, *small);
  Frac value = base;
  if (!has_symbols(value.below)) {
    if (sign_of(*this, value.below) == -1) {
      value.above = math::multiply(value.above, Rational(-1), budget_);
      value.below = math::multiply(value.below, Rational(-1), budget_);
    }
  } else if (small->denominator == 2) {
    return multiply(root(multiply(value.above, value.below), *small),
                    power(abs(value.below), -Rational(2) * to_rational(*small)));
  }
  return divide(root(value.above, *small), root(value.below, *small));
}

Frac Field::power(const Frac& base, const Frac& exponent) {
  if (exponent.is_rational()) return power(base, exponent.rational());
  if (base.above.is_zero()) throw Undefined{"a power of zero"};
  return exp(multiply(exponent, log(base)));
}

}  // namespace r1::rewards::math
