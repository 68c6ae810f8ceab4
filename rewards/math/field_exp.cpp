// Exponentials, logarithms and what is made of them: trigonometric functions, absolute values, the gamma function.

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "rewards/math/field.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr int64_t kMaxFactorial = 2'000;
constexpr int64_t kMaxGammaShift = 24;

}  // namespace

// Multiples of 15 degrees by their cosines; others stay powers of -1.
Poly Field::root_of_unity(Exponent angle) {
  int64_t turns = floor_of(angle);
  auto left = angle + Exponent{static_cast<int32_t>(-turns), 1};
  const Rational sign = turns % 2 == 0 ? 1 : -1;
  if (left.numerator == 0) return Poly(sign);
  const auto i = atom_power(kMinusOneAtom, {1, 2}).above;
  if (left == Exponent{1, 2}) return math::multiply(i, sign, budget_);
  if (12 % left.denominator != 0) return math::multiply(atom_power(kMinusOneAtom, left).above, sign, budget_);
  const auto cosine_of = [&](int64_t step) {  // of step * 15 degrees, 0 <= step <= 6
    const auto root = [&](int n) { return positive_power(n, {1, 2}); };
    switch (step) {
      case 0:
        return Poly(Rational(1));
      case 1:
        return math::multiply(math::add(root(6), root(2), budget_), Rational(1, 4), budget_);
      case 2:
        return math::multiply(root(3), Rational(1, 2), budget_);
      case 3:
        return math::multiply(root(2), Rational(1, 2), budget_);
      case 4:
        return Poly(Rational(1, 2));
      case 5:
        return math::multiply(math::subtract(root(6), root(2), budget_), Rational(1, 4), budget_);
      default:
        return Poly();
    }
  };
  const int64_t step = int64_t{left.numerator} * (12 / left.denominator);
  const auto cosine = step <= 6 ? cosine_of(step) : math::multiply(cosine_of(12 - step), Rational(-1), budget_);
  const auto sine = cosine_of(std::abs(6 - step));
  return math::multiply(math::add(cosine, multiply(i, sine), budget_), sign, budget_);
}

Frac Field::exp_of_term(const Term& term) {
  const auto exponent = to_exponent(term.coefficient);
  const auto& m = term.monomial;
  if (!exponent) {
    const auto id = intern({.kind = AtomKind::kExp, .args = {Frac(Poly(term))}, .is_positive = is_real(m)});
    return atom_power(id, {1, 1});
  }
  if (m.is_one()) return atom_power(kEAtom, *exponent);
  const bool is_imaginary = m.begin()->atom == kMinusOneAtom && m.begin()->exponent == Exponent{1, 2};
  const bool has_pi = m.exponent_of(kPiAtom) == Exponent{1, 1};
  if (is_imaginary && has_pi && m.size() == 2) return Frac(root_of_unity(*exponent));
  if (m.size() == 1 && m.begin()->exponent == Exponent{1, 1} && atoms_[m.begin()->atom].kind == AtomKind::kLog) {
    return power(Frac(atoms_[m.begin()->atom].args[0]), term.coefficient);
  }
  bool is_whole = is_imaginary && has_pi;
  bool is_plain = true;  // see is_independent
  bool has_variable = false;
  for (const auto& [atom, power] : m) {
    const auto& a = atoms_[atom];
    has_variable = has_variable || a.kind == AtomKind::kSymbol;
    is_plain = is_plain && a.is_independent && (a.kind != AtomKind::kExpMonomial);
    if (atom == kMinusOneAtom || atom == kPiAtom) continue;
    is_whole = is_whole && a.kind == AtomKind::kSymbol && power.is_integer() && power.numerator > 0 &&
               is_whole_number_name(a.name);
  }
  const auto id = intern({.kind = AtomKind::kExpMonomial,
                          .monomial = m,
                          .is_positive = is_real(m),
                          .is_independent = is_plain && has_variable && !is_whole,
                          .has_period_two = is_whole});
  return Frac(reduce(atom_power(id, *exponent).above));
}

Frac Field::exp(const Frac& x) {
  if (x.above.is_zero()) return Rational(1);
  if (!x.below.is_one()) {
    Poly above = x.above;
    auto number = take_number(above);
    if (above.leading().coefficient.sign() < 0) {
      above = math::multiply(above, Rational(-1), budget_);
      number = -number;
    }
    const auto id = intern({.kind = AtomKind::kExp, .args = {Frac(above, x.below)}});
    if (const auto exponent = to_exponent(number)) return atom_power(id, *exponent);
    return atom_power(intern({.kind = AtomKind::kExp, .args = {x}}), {1, 1});
  }
  Frac product{Rational(1)};
  for (const auto& term : x.above.terms()) product = multiply(product, exp_of_term(term));
  return product;
}

Frac Field::log_of_number(const Rational& value) {
  std::vector<Term> sum;
  for (const auto& [prime, multiplicity] : prime_powers(value)) {
    const auto base = Rational::from_big(atoms_[prime].base, 1);
    const auto id = intern({.kind = AtomKind::kLog, .args = {Frac(base)}, .is_positive = true});
    sum.push_back({to_rational(multiplicity), atom_power(id, {1, 1}).above.leading().monomial});
  }
  return Frac(Poly::from_terms(std::move(sum), budget_));
}

Frac Field::log_of_factor(const Factor& factor) {
  const Frac exponent{to_rational(factor.exponent)};
  const Atom atom = atoms_[factor.atom];
  if (atom.kind == AtomKind::kE) return exponent;
  if (atom.kind == AtomKind::kExpMonomial) return multiply(exponent, Frac(Poly(Term{1, atom.monomial})));
  if (atom.kind == AtomKind::kExp) return multiply(exponent, atom.args[0]);
  if (atom.kind == AtomKind::kInteger) return multiply(exponent, log_of_number(Rational::from_big(atom.base, 1)));
  if (atom.kind == AtomKind::kRoot || atom.kind == AtomKind::kSum) return multiply(exponent, log(atom.args[0].above));
  const auto id = intern({.kind = AtomKind::kLog,
                          .args = {atom_power(factor.atom, {1, 1})},
                          .is_independent = atom.kind == AtomKind::kSymbol});
  return multiply(exponent, atom_power(id, {1, 1}));
}

Frac Field::log(const Poly& p) {
  note_signs(p);
  Poly rest = p;
  const auto number = take_number(rest);
  const auto content = take_content(rest);
  Frac sum = log_of_number(number);
  for (const auto& factor : content) sum = add(sum, log_of_factor(factor));
  if (rest.is_one()) return sum;
  if (rest.terms().size() == 1) {
    Exponent angle{rest.leading().coefficient.sign() < 0 ? 1 : 0, 1};
    Monomial others;
    for (const auto& factor : rest.leading().monomial) {
      if (factor.atom == kMinusOneAtom) {
        angle = angle + factor.exponent;
      } else if (atoms_[factor.atom].kind == AtomKind::kInteger) {
        sum = add(sum, log_of_factor(factor));
      } else {
        others.append(factor);
      }
    }
    if (Exponent{1, 1} < angle) angle = angle + Exponent{-2, 1};
    const bool is_one_root = others.size() == 1 && atoms_[others.begin()->atom].kind == AtomKind::kRoot;
    if (others.is_one() || (is_one_root && angle.numerator == 0)) {
      if (is_one_root) sum = add(sum, log_of_factor(*others.begin()));
      return add(sum, multiply(multiply(i(), pi()), Frac(to_rational(angle))));
    }
  } else if (!has_symbols(rest)) {
    const auto sign = sign_of(*this, rest);
    if (sign == 0) throw Undefined{"a logarithm of zero"};
    if (sign == -1) {
      return add(add(sum, multiply(i(), pi())), log(math::multiply(rest, Rational(-1), budget_)));
    }
  }
  const auto id = intern({.kind = AtomKind::kLog, .args = {Frac(rest)}});
  return add(sum, atom_power(id, {1, 1}));
}

Frac Field::log(const Frac& x) {
  if (x.above.is_zero()) throw Undefined{"a logarithm of zero"};
  if (x.below.is_one()) return log(x.above);
  Frac value = x;
  if (!has_symbols(value.below) && sign_of(*this, value.below) == -1) {
    value.above = math::multiply(value.above, Rational(-1), budget_);
    value.below = math::multiply(value.below, Rational(-1), budget_);
  }
  return subtract(log(value.above), log(value.below));
}

Frac Field::cosine(const Frac& x) {
  const auto turned = multiply(i(), x);
  return multiply(Frac(Rational(1, 2)), add(exp(turned), exp(negate(turned))));
}

Frac Field::sine(const Frac& x) {
  const auto turned = multiply(i(), x);
  return divide(subtract(exp(turned), exp(negate(turned))), multiply(Frac(Rational(2)), i()));
}

Frac Field::arc(std::string_view name, const Frac& x) {
  if (x.above.is_zero()) return name == "acos" ? multiply(pi(), Frac(Rational(1, 2))) : Frac(Rational(0));
  if (name == "acos") return subtract(multiply(pi(), Frac(Rational(1, 2))), arc("asin", x));
  if (!has_symbols(x)) {
    for (int64_t step = -6; step <= 6; ++step) {
      const auto angle = multiply(pi(), Frac(Rational(step, 12)));
      if (name == "atan" && std::abs(step) == 6) continue;
      const auto value = name == "atan" ? divide(sine(angle), cosine(angle)) : sine(angle);
      if (difference(value, x).is_zero()) return angle;
    }
  }
  if (x.above.leading().coefficient.sign() < 0) return negate(arc(name, negate(x)));
  return function(name, {x});
}

Frac Field::conjugate(const Frac& x) {
  const auto mirrored = [&](const Poly& p) {
    Poly sum;
    for (const auto& term : p.terms()) {
      Term t{term.coefficient, {}};
      for (const auto& factor : term.monomial) {
        const auto& atom = atoms_[factor.atom];
        if (atom.kind == AtomKind::kMinusOne) {
          t.monomial.append({factor.atom, -factor.exponent});
        } else if (atom.is_positive || atom.has_period_two) {
          t.monomial.append(factor);
        } else {
          const bool is_turn = atom.kind == AtomKind::kExpMonomial && atom.monomial.begin()->atom == kMinusOneAtom &&
                               atom.monomial.begin()->exponent == Exponent{1, 2} &&
                               is_real(atom.monomial.without(kMinusOneAtom));
          if (!is_turn) throw Overrun{"a complex conjugate that is not known"};
          t.monomial.append({factor.atom, -factor.exponent});
        }
      }
      sum = math::add(sum, reduce(Poly(std::move(t))), budget_);
    }
    return sum;
  };
  return make(mirrored(x.above), mirrored(x.below));
}

Frac Field::abs(const Poly& p) {
  if (p.is_zero()) return Rational(0);
  note_signs(p);
  Poly rest = p;
  const auto number = take_number(rest);
  const auto content = take_content(rest);
  const Frac outside{multiply(Poly(number), Poly(Term{1, content}))};
  if (rest.is_one()) return outside;
  const auto& terms = rest.terms();
  const bool is_complex = has_atom_kind(Frac(rest), AtomKind::kMinusOne);
  if (!is_complex) {
    const auto sign = has_symbols(rest) ? std::nullopt : sign_of(*this, rest);
    if (sign) return multiply(outside, Frac(math::multiply(rest, Rational(*sign), budget_)));
    const int first = terms[0].coefficient.sign();
    const bool is_definite = std::all_of(terms.begin(), terms.end(), [&](const Term& t) {
      return t.coefficient.sign() == first && is_positive(t.monomial);
    });
    if (is_definite) return multiply(outside, Frac(math::multiply(rest, Rational(first), budget_)));
    return multiply(outside, root_atom(multiply(rest, rest), {1, 2}));
  }
  const auto square = multiply(Frac(rest), conjugate(Frac(rest)));
  return multiply(outside, square_root(square));
}

Frac Field::abs(const Frac& x) { return x.below.is_one() ? abs(x.above) : divide(abs(x.above), abs(x.below)); }

Frac Field::gamma(const Frac& x) {
  if (x.is_rational()) {
    const auto value = x.rational();
    if (value.is_integer() && value.sign() <= 0) throw Undefined{"the gamma function at a pole"};
    const auto whole = value.to_int64();
    if (whole && *whole <= kMaxFactorial) {
      Rational product = 1;
      for (int64_t k = 2; k < *whole; ++k) {
        budget_.charge(1 + k / 64);
        product = product * Rational(k);
      }
      return product;
    }
    if (value == Rational(1, 2)) return square_root(pi());
  }
  Rational constant = 0;
  if (x.below.is_one() && !x.above.is_zero() && x.above.terms().back().monomial.is_one()) {
    constant = x.above.terms().back().coefficient;
  }
  const auto shift = Rational::from_big(constant.floor(), 1).to_int64();
  if (!shift || *shift == 0 || std::abs(*shift) > kMaxGammaShift) return function("gamma", {x});
  const auto base = subtract(x, Frac(Rational(*shift)));
  if (base.above.is_zero()) return function("gamma", {x});
  Frac product{Rational(1)};
  for (int64_t k = 0; k < std::abs(*shift); ++k) {
    const auto step = *shift > 0 ? add(base, Frac(Rational(k))) : subtract(base, Frac(Rational(k + 1)));
    product = multiply(product, step);
  }
  const auto rest = gamma(base);
  return *shift > 0 ? multiply(rest, product) : divide(rest, product);
}

Frac Field::function(std::string_view name, std::vector<Frac> args) {
  return atom_power(intern({.kind = AtomKind::kFunction, .name = std::string(name), .args = std::move(args)}), {1, 1});
}

}  // namespace r1::rewards::math
