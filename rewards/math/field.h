#pragma once
// Values of expressions as fractions of polynomials in atoms. Atoms are variables, pi, e, roots, exponentials,
// logarithms and unknown functions; the relations between them (2^(1/2) squared is 2, exp(x)^2 is exp(2x)) are built
// into how they are multiplied, so that most equal expressions get the same fraction up to cross-multiplication.
//
// Conventions. Variables stand for positive real numbers; field.set_negative() makes one stand for minus a positive
// number, which is how identities are proved for all reals (zero.h). Sine and its kin are sums of exponentials of
// imaginary arguments. A root of -1 of odd order is -1, as schools have it; other powers of negative numbers are the
// principal ones.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/poly.h"

namespace r1::rewards::math {

struct Frac {
  Poly above;
  Poly below = Poly(Rational(1));

  Frac() = default;
  Frac(Rational value) : above(std::move(value)) {}  // NOLINT: rationals are fractions
  explicit Frac(Poly p) : above(std::move(p)) {}
  Frac(Poly a, Poly b) : above(std::move(a)), below(std::move(b)) {}
  bool is_rational() const { return above.is_constant() && below.is_one(); }
  Rational rational() const { return above.constant(); }
};

enum class AtomKind : uint8_t {
  kMinusOne,  // -1 to a power in [0, 1): 1/2 is i
  kPi,
  kE,
  kInfinity,
  kSymbol,       // name
  kInteger,      // base: a prime or a number without small factors, to a power in [0, 1)
  kRoot,         // args[0], a polynomial, to a power in [0, 1)
  kSum,          // args[0], a polynomial, to a whole power that is not multiplied out
  kLog,          // of args[0]
  kExpMonomial,  // exp of a product of atoms, to any rational power
  kExp,          // exp of args[0]
  kFunction,     // name(args)
};

struct Atom {
  AtomKind kind;
  std::string name;
  std::vector<Frac> args;
  Monomial monomial;
  BigInt base;
  bool is_positive = false;     // a positive real number wherever variables are
  bool has_symbol = false;      // depends on a variable
  bool is_independent = false;  // algebraically independent of the other independent ones, within their powers' ranges
  bool has_period_two = false;  // its square is 1: exp(i pi n) for whole n
};

constexpr AtomId kMinusOneAtom = 0, kPiAtom = 1, kEAtom = 2, kInfinityAtom = 3;

class Field {
 public:
  explicit Field(Budget& budget);

  Budget& budget() { return budget_; }
  const Atom& atom(AtomId id) const { return atoms_[id]; }
  size_t num_atoms() const { return atoms_.size(); }

  // Variables.
  Frac symbol(std::string_view name);
  void set_negative(std::vector<std::string> names) { negative_ = std::move(names); }
  std::vector<std::string> symbol_names() const;
  static bool is_whole_number_name(std::string_view name);  // n, k, m, ...: what stands for integers by custom

  Frac pi() { return atom_power(kPiAtom, {1, 1}); }
  Frac e() { return atom_power(kEAtom, {1, 1}); }
  Frac i() { return atom_power(kMinusOneAtom, {1, 2}); }
  Frac infinity() { return atom_power(kInfinityAtom, {1, 1}); }
  bool has_atom_kind(const Frac& x, AtomKind kind) const;
  bool has_symbols(const Frac& x) const;
  bool has_symbols(const Poly& x) const;
  bool mentions(const Frac& x, std::string_view symbol_name) const;  // also within functions

  Frac add(const Frac& a, const Frac& b);
  Frac subtract(const Frac& a, const Frac& b) { return add(a, negate(b)); }
  Frac multiply(const Frac& a, const Frac& b);
  Frac divide(const Frac& a, const Frac& b);
  Frac negate(const Frac& a);
  Frac power(const Frac& base, const Frac& exponent);
  Frac power(const Frac& base, const Rational& exponent);
  Frac square_root(const Frac& a) { return power(a, Rational(1, 2)); }
  Frac exp(const Frac& x);
  Frac log(const Frac& x);
  Frac sine(const Frac& x);
  Frac cosine(const Frac& x);
  Frac arc(std::string_view name, const Frac& x);  // "atan", "asin", "acos"
  Frac abs(const Frac& x);
  Frac conjugate(const Frac& x);
  Frac gamma(const Frac& x);
  Frac function(std::string_view name, std::vector<Frac> args);

  // Whether a value so far was simplified as it may be only where variables are positive.
  bool relies_on_signs() const { return relies_on_signs_; }
  // Whether the last is_zero() that could not tell found no sample point at which all roots and logarithms are real.
  bool is_nowhere_real = false;

  // Numerator of a - b over a common denominator: 0 if a and b have been found the same.
  Poly difference(const Frac& a, const Frac& b);
  Poly multiply(const Poly& a, const Poly& b);
  Frac make(Poly above, Poly below);  // in the form that the rest of this class expects

 private:
  AtomId intern(Atom atom);
  AtomId intern_integer(const BigInt& base, bool is_prime);
  Frac atom_power(AtomId id, Exponent exponent);
  bool needs_reduction(const Factor& factor) const;
  Poly reduce(Poly p);
  Poly reduce_term(const Term& term);
  Poly power(const Poly& base, uint64_t exponent);
  Frac invert(const Poly& p);
  Frac root(const Poly& p, Exponent exponent);
  Frac root_of_sum(const Poly& sum, Exponent exponent);
  std::optional<Frac> root_of_product(const Term& term, Exponent exponent);
  Frac root_atom(const Poly& radicand, Exponent exponent);
  Frac whole_power(const Frac& base, int64_t exponent);
  std::vector<Factor> prime_powers(const Rational& value);  // of a positive number; large factors count as primes
  Poly positive_power(const Rational& base, Exponent exponent);
  Poly root_of_unity(Exponent angle);  // exp(i pi angle)
  std::optional<Poly> exact_root(const Poly& p, int32_t order);
  Frac exp_of_term(const Term& term);
  Frac log_of_number(const Rational& value);
  Frac log_of_factor(const Factor& factor);
  Frac log(const Poly& p);
  Frac abs(const Poly& p);
  Monomial take_content(Poly& p);  // the common factor of positive atoms, divided out
  Rational take_number(Poly& p);   // the common positive rational factor, divided out
  bool is_positive(const Monomial& m) const;
  bool is_real(const Monomial& m) const;

  void note_signs(const Poly& p) { relies_on_signs_ = relies_on_signs_ || has_symbols(p); }

  Budget& budget_;
  bool relies_on_signs_ = false;
  std::vector<Atom> atoms_;
  std::vector<std::string> negative_;
};

}  // namespace r1::rewards::math
