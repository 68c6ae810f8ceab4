#include "rewards/math/field.h"

#include <algorithm>
#include <utility>

namespace r1::rewards::math {
namespace {

constexpr size_t kMaxAtoms = 400;
constexpr int kFoldBits = 16'384;  // whole powers of integers up to this size go into coefficients

bool is_free(AtomKind kind) {
  return kind == AtomKind::kPi || kind == AtomKind::kE || kind == AtomKind::kSymbol || kind == AtomKind::kExpMonomial ||
         kind == AtomKind::kExp;
}

}  // namespace

Field::Field(Budget& budget) : budget_(budget) {
  atoms_.push_back({.kind = AtomKind::kMinusOne, .is_independent = true});
  atoms_.push_back({.kind = AtomKind::kPi, .is_positive = true, .is_independent = true});
  atoms_.push_back({.kind = AtomKind::kE, .is_positive = true});
  atoms_.push_back({.kind = AtomKind::kInfinity, .is_positive = true});
}

AtomId Field::intern(Atom atom) {
  for (size_t i = kInfinityAtom + 1; i < atoms_.size(); ++i) {
    const auto& known = atoms_[i];
    if (known.kind != atom.kind || known.name != atom.name || known.args.size() != atom.args.size()) continue;
    if (!(known.monomial == atom.monomial) || known.base != atom.base) continue;
    budget_.charge(1);
    bool is_same = true;
    for (size_t k = 0; k < atom.args.size() && is_same; ++k)
      is_same = difference(known.args[k], atom.args[k]).is_zero();
    if (is_same) return static_cast<AtomId>(i);
  }
  if (atoms_.size() == kMaxAtoms) throw Overrun{"an expression has too many parts"};
  for (const auto& arg : atom.args) atom.has_symbol = atom.has_symbol || has_symbols(arg);
  for (const auto& factor : atom.monomial) atom.has_symbol = atom.has_symbol || atoms_[factor.atom].has_symbol;
  atoms_.push_back(std::move(atom));
  return static_cast<AtomId>(atoms_.size() - 1);
}

bool Field::is_whole_number_name(std::string_view name) {
  return name == "n" || name == "k" || name == "m" || name == "j" || name == "l";
}

Frac Field::symbol(std::string_view name) {
  const auto id = intern({.kind = AtomKind::kSymbol,
                          .name = std::string(name),
                          .is_positive = true,
                          .has_symbol = true,
                          .is_independent = true});
  const auto value = atom_power(id, {1, 1});
  return std::find(negative_.begin(), negative_.end(), name) == negative_.end() ? value : negate(value);
}

std::vector<std::string> Field::symbol_names() const {
  std::vector<std::string> names;
  for (const auto& atom : atoms_) {
    if (atom.kind == AtomKind::kSymbol) names.push_back(atom.name);
  }
  return names;
}

AtomId Field::intern_integer(const BigInt& base, bool is_prime) {
  return intern({.kind = AtomKind::kInteger, .base = base, .is_positive = true, .is_independent = is_prime});
}

Frac Field::atom_power(AtomId id, Exponent exponent) {
  Monomial m;
  m.append({id, exponent});
  return Frac(Poly(Term{1, m}));
}

bool Field::has_symbols(const Poly& x) const {
  for (const auto& term : x.terms()) {
    for (const auto& factor : term.monomial) {
      if (atoms_[factor.atom].has_symbol) return true;
    }
  }
  return false;
}

bool Field::has_symbols(const Frac& x) const { return has_symbols(x.above) || has_symbols(x.below); }

bool Field::has_atom_kind(const Frac& x, AtomKind kind) const {
  for (const auto* p : {&x.above, &x.below}) {
    for (const auto& term : p->terms()) {
      for (const auto& factor : term.monomial) {
        const auto& atom = atoms_[factor.atom];
        if (atom.kind == kind) return true;
        for (const auto& arg : atom.args) {
          if (has_atom_kind(arg, kind)) return true;
        }
        if (!atom.monomial.is_one() && has_atom_kind(Frac(Poly(Term{1, atom.monomial})), kind)) return true;
      }
    }
  }
  return false;
}

bool Field::mentions(const Frac& x, std::string_view symbol_name) const {
  for (const auto* p : {&x.above, &x.below}) {
    for (const auto& term : p->terms()) {
      for (const auto& factor : term.monomial) {
        const auto& atom = atoms_[factor.atom];
        if (atom.kind == AtomKind::kSymbol && atom.name == symbol_name) return true;
        for (const auto& arg : atom.args) {
          if (mentions(arg, symbol_name)) return true;
        }
        if (!atom.monomial.is_one() && mentions(Frac(Poly(Term{1, atom.monomial})), symbol_name)) return true;
      }
    }
  }
  return false;
}

bool Field::is_positive(const Monomial& m) const {
  return std::all_of(m.begin(), m.end(), [&](const Factor& f) { return atoms_[f.atom].is_positive; });
}

bool Field::is_real(const Monomial& m) const {
  return std::all_of(m.begin(), m.end(), [&](const Factor& f) {
    const auto& atom = atoms_[f.atom];
    return atom.is_positive || (atom.kind == AtomKind::kLog && f.exponent.is_integer());
  });
}

bool Field::needs_reduction(const Factor& factor) const {
  const auto& atom = atoms_[factor.atom];
  const auto [numerator, denominator] = factor.exponent;
  switch (atom.kind) {
    case AtomKind::kMinusOne:
    case AtomKind::kRoot:
    case AtomKind::kInteger:
      return numerator < 0 || numerator >= denominator;
    case AtomKind::kExpMonomial:
      return atom.has_period_two && denominator == 1 && numerator != 1;
    default:
      return false;
  }
}

Poly Field::reduce_term(const Term& term) {
  Term rest{term.coefficient, {}};
  Poly expanded{Rational(1)};
  for (const auto& factor : term.monomial) {
    if (!needs_reduction(factor)) {
      rest.monomial.append(factor);
      continue;
    }
    const auto& atom = atoms_[factor.atom];
    const int64_t whole = floor_of(factor.exponent);
    const auto left = factor.exponent + Exponent{static_cast<int32_t>(-whole), 1};
    if (atom.kind == AtomKind::kMinusOne) {
      if (whole % 2 != 0) rest.coefficient = -rest.coefficient;
      rest.monomial.append({factor.atom, left});
    } else if (atom.kind == AtomKind::kExpMonomial) {
      if (whole % 2 != 0) rest.monomial.append({factor.atom, {1, 1}});
    } else if (atom.kind == AtomKind::kInteger) {
      if (std::abs(whole) * static_cast<int64_t>(msb(atom.base) + 1) > kFoldBits) {
        rest.monomial.append(factor);
        continue;
      }
      const auto folded = math::power(Rational::from_big(atom.base, 1), whole);
      rest.coefficient = rest.coefficient * folded;
      rest.monomial.append({factor.atom, left});
    } else {
      if (whole < 0) throw Overrun{"a root in a denominator"};  // make() leaves none
      const Poly radicand = atom.args[0].above;
      rest.monomial.append({factor.atom, left});
      expanded = multiply(expanded, power(radicand, static_cast<uint64_t>(whole)));
    }
  }
  return expanded.is_one() ? Poly(std::move(rest)) : multiply(expanded, Poly(std::move(rest)));
}

Poly Field::reduce(Poly p) {
  const auto is_due = [&](const Term& term) {
    return std::any_of(term.monomial.begin(), term.monomial.end(), [&](const Factor& f) { return needs_reduction(f); });
  };
  if (std::none_of(p.terms().begin(), p.terms().end(), is_due)) return p;
  std::vector<Term> terms;
  for (const auto& term : p.terms()) {
    if (is_due(term)) {
      const auto reduced = reduce_term(term);
      terms.insert(terms.end(), reduced.terms().begin(), reduced.terms().end());
    } else {
      terms.push_back(term);
    }
  }
  return Poly::from_terms(std::move(terms), budget_);
}

Poly Field::multiply(const Poly& a, const Poly& b) { return reduce(math::multiply(a, b, budget_)); }

Monomial Field::take_content(Poly& p) {
  Monomial content;
  for (const auto& factor : p.leading().monomial) {
    const auto& atom = atoms_[factor.atom];
    if (!is_free(atom.kind) || !atom.is_positive) continue;
    auto least = factor.exponent;
    for (const auto& term : p.terms()) {
      const auto exponent = term.monomial.exponent_of(factor.atom);
      least = exponent < least ? exponent : least;
      if (exponent.numerator == 0) least = {0, 1};
      if (least.numerator == 0) break;
    }
    content.append({factor.atom, least});
  }
  if (!content.is_one()) p = math::multiply(p, Term{1, scaled(content, {-1, 1})}, budget_);
  return content;
}

Rational Field::take_number(Poly& p) {
  BigInt above = 0, below = 1;
  for (const auto& term : p.terms()) {
    above = gcd(above, term.coefficient.numerator());
    below = lcm(below, term.coefficient.denominator());
  }
  const auto content = Rational::from_big(above, below).abs();
  if (!content.is_one()) p = math::multiply(p, Rational(1) / content, budget_);
  return content;
}

Frac Field::make(Poly above, Poly below) {
  if (below.is_zero()) throw Undefined{"a division by zero"};
  for (int round = 0; round < 8 && below.terms().size() == 1 && !below.is_constant(); ++round) {
    const Term& term = below.leading();
    Poly missing{Rational(1)};  // what makes the roots in `below` whole
    for (const auto& [atom, exponent] : term.monomial) {
      if (atoms_[atom].kind != AtomKind::kRoot) continue;
      missing = math::multiply(missing, atom_power(atom, Exponent{1, 1} + -exponent).above, budget_);
    }
    if (missing.is_one()) {
      above =
          reduce(math::multiply(above, Term{Rational(1) / term.coefficient, scaled(term.monomial, {-1, 1})}, budget_));
      below = Poly(Rational(1));
    } else {
      above = multiply(above, missing);
      below = multiply(below, missing);
    }
  }
  if (below.is_constant()) {
    if (below.is_one()) return Frac(std::move(above));
    return Frac(math::multiply(above, Rational(1) / below.constant(), budget_));
  }
  if (above.is_zero()) return Frac(Rational(0));
  const auto content = take_content(below);
  if (!content.is_one()) above = reduce(math::multiply(above, Term{1, scaled(content, {-1, 1})}, budget_));
  if (auto quotient = divide_exactly(above, below, budget_)) return Frac(reduce(*std::move(quotient)));
  const auto scale = Rational(1) / below.leading().coefficient;
  return {math::multiply(above, scale, budget_), math::multiply(below, scale, budget_)};
}

Frac Field::negate(const Frac& a) { return {math::multiply(a.above, Rational(-1), budget_), a.below}; }

Frac Field::add(const Frac& a, const Frac& b) {
  if (a.is_rational() && b.is_rational()) return Frac(a.rational() + b.rational());
  if (a.below == b.below) {
    auto sum = math::add(a.above, b.above, budget_);
    return a.below.is_one() ? Frac(std::move(sum)) : make(std::move(sum), a.below);
  }
  return make(math::add(multiply(a.above, b.below), multiply(b.above, a.below), budget_), multiply(a.below, b.below));
}

Frac Field::multiply(const Frac& a, const Frac& b) {
  if (a.is_rational() && b.is_rational()) return Frac(a.rational() * b.rational());
  if (a.below.is_one() && b.below.is_one()) return Frac(multiply(a.above, b.above));
  return make(multiply(a.above, b.above), multiply(a.below, b.below));
}

Frac Field::invert(const Poly& p) { return make(Poly(Rational(1)), p); }

Frac Field::divide(const Frac& a, const Frac& b) {
  if (a.is_rational() && b.is_rational()) return Frac(a.rational() / b.rational());
  return make(multiply(a.above, b.below), multiply(a.below, b.above));
}

Poly Field::difference(const Frac& a, const Frac& b) {
  if (a.below == b.below) return math::subtract(a.above, b.above, budget_);
  return math::subtract(multiply(a.above, b.below), multiply(b.above, a.below), budget_);
}

}  // namespace r1::rewards::math
