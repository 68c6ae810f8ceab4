#include "rewards/math/zero.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "rewards/math/balls.h"

namespace r1::rewards::math {
namespace {

constexpr int kNumSamples = 4;
constexpr double kMaxProofBits = 12'000;
constexpr double kMaxDegree = 256;

double log2_of(const BigInt& value) { return static_cast<double>(msb(value)) + 1; }

bool is_algebraic(const Field& field, const Poly& p);

// A number made of rationals by + - * / and roots.
bool is_algebraic(const Field& field, const Factor& factor) {
  const auto& atom = field.atom(factor.atom);
  switch (atom.kind) {
    case AtomKind::kMinusOne:
    case AtomKind::kInteger:
      return true;
    case AtomKind::kRoot:
      return is_algebraic(field, atom.args[0].above);
    default:
      return false;
  }
}

bool is_algebraic(const Field& field, const Poly& p) {
  for (const auto& term : p.terms()) {
    for (const auto& factor : term.monomial) {
      if (!is_algebraic(field, factor)) return false;
    }
  }
  return true;
}

// Degrees of the atoms of an algebraic number: each atom with the least common denominator of its exponents.
void collect_degrees(const Field& field, const Poly& p, std::map<AtomId, int64_t>& degrees) {
  for (const auto& term : p.terms()) {
    for (const auto& [id, exponent] : term.monomial) {
      auto& degree = degrees[id];
      degree = degree == 0 ? exponent.denominator : std::lcm(degree, int64_t{exponent.denominator});
      if (field.atom(id).kind == AtomKind::kRoot) collect_degrees(field, field.atom(id).args[0].above, degrees);
    }
  }
}

// value = (algebraic integer, all conjugates below 2^above) / (integer below 2^below)
struct Height {
  double above = 0;
  double below = 0;
};

Height height_of(const Field& field, const Poly& p);

Height height_of(const Field& field, const Factor& factor) {
  const auto& atom = field.atom(factor.atom);
  const double e = static_cast<double>(factor.exponent.numerator) / factor.exponent.denominator;
  switch (atom.kind) {
    case AtomKind::kMinusOne:
      return {};
    case AtomKind::kInteger: {
      const double size = std::abs(e) * log2_of(atom.base);
      return e >= 0 ? Height{size, 0} : Height{0, size + log2_of(atom.base)};  // p^-f = p^(1-f) / p at worst
    }
    default: {
      // (S / l)^(1/q) = (S l^(q-1))^(1/q) / l, to the p-th power
      const auto inner = height_of(field, atom.args[0].above);
      const double p = std::abs(factor.exponent.numerator), q = factor.exponent.denominator;
      return {p * (inner.above + (q - 1) * inner.below) / q, p * inner.below};
    }
  }
}

Height height_of(const Field& field, const Poly& p) {
  std::vector<Height> heights;
  Height sum;
  for (const auto& term : p.terms()) {
    Height h{log2_of(term.coefficient.abs().numerator()), log2_of(term.coefficient.denominator())};
    for (const auto& factor : term.monomial) {
      const auto f = height_of(field, factor);
      h.above += f.above;
      h.below += f.below;
    }
    sum.below += h.below;
    heights.push_back(h);
  }
  for (const auto& h : heights) sum.above = std::max(sum.above, h.above + sum.below - h.below);
  sum.above += std::log2(static_cast<double>(heights.size())) + 1;
  return sum;
}

// b such that the algebraic number is 0 if it is below 2^-b.
std::optional<int> separation_bits(const Field& field, const Poly& p) {
  std::map<AtomId, int64_t> degrees;
  collect_degrees(field, p, degrees);
  double degree = 1;
  for (const auto& [id, d] : degrees) {
    degree *= static_cast<double>(field.atom(id).kind == AtomKind::kMinusOne ? 2 * d : d);
  }
  if (degree > kMaxDegree) return {};
  const auto height = height_of(field, p);
  const double bits = (degree - 1) * (height.above + 1) + height.below + 8;
  if (bits > kMaxProofBits) return {};
  return static_cast<int>(std::ceil(bits));
}

// What is left in normal form is not zero because its atoms are algebraically independent: variables, logarithms and
// exponentials of them, pi (or e instead), over the field of i and roots of primes, whose normal powers are linearly
// independent over the rationals (Besicovitch 1940).
bool has_only_independent_atoms(const Field& field, const Poly& p) {
  bool has_e = false, has_pi = false;
  for (const auto& term : p.terms()) {
    for (const auto& [id, exponent] : term.monomial) {
      const auto& atom = field.atom(id);
      has_e = has_e || id == kEAtom;
      has_pi = has_pi || id == kPiAtom;
      if (atom.kind == AtomKind::kMinusOne && exponent != Exponent{1, 2}) return false;
      if (atom.kind == AtomKind::kInteger && (exponent.numerator < 0 || exponent.numerator >= exponent.denominator)) {
        return false;
      }
      if (!atom.is_independent && id != kEAtom) return false;
    }
  }
  return !(has_e && has_pi);
}

// Takes powers of integers too large to write out off all terms, as far as they are common.
Poly without_common_powers(Field& field, const Poly& p) {
  Monomial shift;
  for (const auto& [id, exponent] : p.leading().monomial) {
    if (field.atom(id).kind != AtomKind::kInteger && field.atom(id).kind != AtomKind::kSum) continue;
    auto least = exponent;
    for (const auto& term : p.terms()) least = std::min(least, term.monomial.exponent_of(id));
    shift.append({id, {static_cast<int32_t>(-floor_of(least)), 1}});
  }
  return shift.is_one() ? p : field.multiply(p, Poly(Term{1, shift}));
}

// Each coefficient of the products of non-algebraic atoms proved zero.
Tri is_zero_by_coefficients(Field& field, const Poly& p) {
  std::vector<std::pair<Monomial, std::vector<Term>>> groups;
  for (const auto& term : p.terms()) {
    Monomial outer;
    Term inner{term.coefficient, {}};
    for (const auto& factor : term.monomial) {
      (is_algebraic(field, factor) ? inner.monomial : outer).append(factor);
    }
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == outer; });
    (found == groups.end() ? groups.emplace_back(outer, std::vector<Term>{}) : *found).second.push_back(inner);
  }
  if (groups.size() == 1 && groups[0].first.is_one()) return Tri::kUnknown;
  for (auto& [outer, terms] : groups) {
    if (is_zero(field, Poly::from_terms(std::move(terms), field.budget())) != Tri::kYes) return Tri::kUnknown;
  }
  return Tri::kYes;
}

Tri is_constant_zero(Field& field, const Poly& p) {
  const auto first = evaluate(field, p, 128, 0);
  if (first.is_known && first.excludes_zero) return Tri::kNo;
  if (!has_balls()) return Tri::kUnknown;
  if (is_algebraic(field, p)) {
    const auto bits = separation_bits(field, p);
    if (!bits) return Tri::kUnknown;
    for (int precision = 256;; precision *= 4) {
      const bool is_last = precision > *bits + 64;
      const auto facts = evaluate(field, p, is_last ? *bits + 128 : precision, 0);
      if (facts.is_known && facts.excludes_zero) return Tri::kNo;
      if (is_last) return facts.is_known && facts.log2_size < -*bits ? Tri::kYes : Tri::kUnknown;
    }
  }
  const auto by_coefficients = is_zero_by_coefficients(field, p);
  if (by_coefficients != Tri::kUnknown) return by_coefficients;
  for (const int precision : {512, 2048}) {
    const auto facts = evaluate(field, p, precision, 0);
    if (facts.is_known && facts.excludes_zero) return Tri::kNo;
  }
  return Tri::kUnknown;
}

}  // namespace

Tri is_zero(Field& field, const Poly& value) {
  if (value.is_zero()) return Tri::kYes;
  if (value.is_constant()) return Tri::kNo;
  const auto p = without_common_powers(field, value);
  if (p.is_zero()) return Tri::kYes;
  const bool is_infinite = field.has_atom_kind(Frac(p), AtomKind::kInfinity);
  if (p.terms().size() == 1 && (field.has_symbols(p) || is_infinite)) return Tri::kNo;
  if (has_only_independent_atoms(field, p)) return Tri::kNo;
  if (!field.has_symbols(p)) return is_constant_zero(field, p);
  bool is_somewhere_real = false;
  for (int sample = 0; sample < kNumSamples; ++sample) {
    const auto facts = evaluate(field, p, 96, sample);
    if (facts.is_known && facts.excludes_zero && !facts.left_real) return Tri::kNo;
    is_somewhere_real = is_somewhere_real || !facts.left_real;
  }
  field.is_nowhere_real = !is_somewhere_real;
  return is_zero_by_coefficients(field, p);
}

Tri is_zero(Field& field, const Frac& value) {
  const auto above = is_zero(field, value.above);
  if (value.below.is_one()) return above;
  // A denominator that is 0 without showing it would make any fraction equal any other.
  return is_zero(field, value.below) == Tri::kNo ? above : Tri::kUnknown;
}

Tri are_equal(Field& field, const Frac& a, const Frac& b) {
  for (const auto* x : {&a, &b}) {
    if (!x->below.is_one() && is_zero(field, x->below) != Tri::kNo) return Tri::kUnknown;
  }
  return is_zero(field, field.difference(a, b));
}

std::optional<int> sign_of(Field& field, const Poly& value) {
  if (value.is_constant()) return value.constant().sign();
  if (field.has_symbols(value)) return {};
  for (const int precision : {128, 1024}) {
    const auto facts = evaluate(field, value, precision, 0);
    if (!facts.is_known) continue;
    if (facts.real_sign != 0 && facts.is_real_part_only) {
      const bool is_real = !field.has_atom_kind(Frac(value), AtomKind::kMinusOne);
      if (is_real || is_zero(field, field.difference(field.conjugate(Frac(value)), Frac(value))) == Tri::kYes) {
        return facts.real_sign;
      }
      return {};
    }
    if (facts.excludes_zero && !facts.is_real_part_only) return {};
  }
  if (is_zero(field, value) == Tri::kYes) return 0;
  return {};
}

std::optional<int> sign_of(Field& field, const Frac& value) {
  const auto above = sign_of(field, value.above);
  if (value.below.is_one()) return above;
  const auto below = sign_of(field, value.below);
  if (!above || !below || *below == 0) return {};
  return *above * *below;
}

std::optional<Rational> floor_of(Field& field, const Frac& value) {
  if (value.is_rational()) return Rational::from_big(value.rational().floor(), 1);
  if (field.has_symbols(value)) return {};
  return floor_by_ball(field, value);
}

}  // namespace r1::rewards::math
