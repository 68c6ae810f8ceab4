// Closed forms of sums and integrals, term by term.

#include <utility>

#include "rewards/math/budget.h"
#include "rewards/math/calculus.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr int64_t kMaxTermsOfSum = 1'000;
constexpr int64_t kMaxPower = 12;

}  // namespace

// coefficient * x^power * exp(rate x) of a term, or nothing.
std::optional<Calculus::Summand> Calculus::summand_of(const Term& term, std::string_view counter) {
  Summand result{.coefficient = Frac(term.coefficient)};
  Frac rate;
  for (const auto& factor : term.monomial) {
    const Atom atom = field_.atom(factor.atom);
    Monomial own;
    own.append(factor);
    const Frac self(Poly(Term{1, own}));
    if (!field_.mentions(self, counter)) {
      result.coefficient = field_.multiply(result.coefficient, self);
    } else if (atom.kind == AtomKind::kSymbol) {
      if (!factor.exponent.is_integer()) return {};
      result.power = factor.exponent.numerator;
    } else if (atom.kind == AtomKind::kExpMonomial) {
      const Frac slope =
          field_.divide(Frac(Poly(Term{to_rational(factor.exponent), atom.monomial})), field_.symbol(counter));
      if (field_.mentions(slope, counter)) return {};
      rate = field_.add(rate, slope);
    } else {
      return {};
    }
  }
  if (!rate.above.is_zero()) result.ratio = field_.exp(rate);
  return result;
}

// Sum of binomials: k^p summed by differences, sum_{k=1}^n k^p = sum_j S(p, j) j! binom(n + 1, j + 1).
Frac Calculus::power_sum(int64_t power, const Frac& last) {
  if (power == 0) return last;
  std::vector<std::vector<int64_t>> stirling(static_cast<size_t>(power) + 1,
                                             std::vector<int64_t>(static_cast<size_t>(power) + 1));
  stirling[0][0] = 1;
  for (size_t n = 1; n < stirling.size(); ++n) {
    for (size_t k = 1; k <= n; ++k)
      stirling[n][k] = static_cast<int64_t>(k) * stirling[n - 1][k] + stirling[n - 1][k - 1];
  }
  Frac sum;
  Frac falling = field_.add(last, Frac(Rational(1)));  // (n+1) n (n-1) ...
  for (size_t j = 1; j < stirling.size(); ++j) {
    falling = field_.multiply(falling, field_.subtract(last, Frac(Rational(static_cast<int64_t>(j) - 1))));
    const Rational weight(stirling.back()[j], static_cast<int64_t>(j) + 1);
    sum = field_.add(sum, field_.multiply(Frac(weight), falling));
  }
  return sum;
}

std::optional<Frac> Calculus::finite_sum(const Summand& s, const Frac& first, const Frac& last) {
  const Frac one{Rational(1)};
  if (s.power < 0 || s.power > kMaxPower) return {};
  if (!s.ratio) {
    return field_.multiply(s.coefficient,
                           field_.subtract(power_sum(s.power, last), power_sum(s.power, field_.subtract(first, one))));
  }
  const auto& r = *s.ratio;
  const auto step = field_.subtract(r, one);
  if (is_zero(field_, step) != Tri::kNo) return {};
  const auto up_to = [&](const Frac& n) -> Frac {  // sum from 0
    const auto next = field_.power(r, field_.add(n, one));
    if (s.power == 0) return field_.divide(field_.subtract(next, one), step);
    // sum k r^k = (n r^(n+1) (r - 1) - r^(n+1) + r) / (r - 1)^2
    const auto above = field_.add(field_.subtract(field_.multiply(field_.multiply(n, next), step), next), r);
    return field_.divide(above, field_.multiply(step, step));
  };
  if (s.power > 1) return {};
  return field_.multiply(s.coefficient, field_.subtract(up_to(last), up_to(field_.subtract(first, one))));
}

std::optional<Frac> Calculus::infinite_sum(const Summand& s, const Frac& first) {
  const Frac one{Rational(1)};
  if (s.ratio) {
    if (s.power < 0 || s.power > 1) return {};
    const auto& r = *s.ratio;
    if (!field_.has_symbols(r)) {  // of variables we take that it converges
      const auto sign = sign_of(field_, field_.subtract(one, field_.abs(r)));
      if (sign != 1) return {};
    }
    const auto step = field_.subtract(one, r);
    const auto before = field_.subtract(first, one);
    const auto missing = finite_sum({one, s.power, s.ratio}, Frac(Rational(0)), before);
    if (!missing) return {};
    const auto whole = s.power == 0 ? field_.divide(one, step) : field_.divide(r, field_.multiply(step, step));
    return field_.multiply(s.coefficient, field_.subtract(whole, *missing));
  }
  constexpr std::pair<int64_t, int64_t> kZeta[]{{-2, 6}, {-4, 90}, {-6, 945}, {-8, 9450}};
  const int64_t start = first.is_rational() ? first.rational().to_int64().value_or(0) : 0;
  for (const auto& [exponent, divisor] : kZeta) {
    if (s.power != exponent || start < 1 || start > 100) continue;
    auto sum = field_.divide(field_.power(field_.pi(), Rational(-exponent)), Frac(Rational(divisor)));
    for (int64_t k = 1; k < start; ++k) sum = field_.subtract(sum, Frac(power(Rational(k), exponent)));
    return field_.multiply(s.coefficient, sum);
  }
  return {};
}

Frac Calculus::sum(const Node& node) {
  const auto first = lowering_.scalar(node.children[2]), last = lowering_.scalar(node.children[3]);
  const bool is_infinite = field_.has_atom_kind(last, AtomKind::kInfinity);
  if (first.is_rational() && last.is_rational()) {
    const auto a = first.rational().to_int64(), b = last.rational().to_int64();
    if (a && b && *b - *a < kMaxTermsOfSum) return by_terms(node, *a, *b);
  }
  const std::string counter = "#sum";
  const auto body = body_at(node, field_.symbol(counter));
  if (field_.mentions(Frac(body.below), counter)) return opaque(node, "sum");
  Frac total;
  for (const auto& term : body.above.terms()) {
    const auto summand = summand_of(term, counter);
    const auto part = !summand      ? std::nullopt
                      : is_infinite ? infinite_sum(*summand, first)
                                    : finite_sum(*summand, first, last);
    if (!part) return opaque(node, "sum");
    total = field_.add(total, *part);
  }
  return body.below.is_one() ? total : field_.divide(total, Frac(body.below));
}

std::optional<Frac> Calculus::antiderivative_of_term(const Term& term, std::string_view variable) {
  const auto x = field_.symbol(variable);
  Rational power = 0;
  Frac coefficient{term.coefficient}, rate;
  bool has_log = false;
  for (const auto& factor : term.monomial) {
    const Atom atom = field_.atom(factor.atom);
    Monomial own;
    own.append(factor);
    const Frac self(Poly(Term{1, own}));
    if (!field_.mentions(self, variable)) {
      coefficient = field_.multiply(coefficient, self);
    } else if (atom.kind == AtomKind::kSymbol) {
      power = to_rational(factor.exponent);
    } else if (atom.kind == AtomKind::kExpMonomial) {
      const auto slope = field_.divide(Frac(Poly(Term{to_rational(factor.exponent), atom.monomial})), x);
      if (field_.mentions(slope, variable)) return {};
      rate = field_.add(rate, slope);
    } else if (atom.kind == AtomKind::kLog && factor.exponent == Exponent{1, 1} &&
               field_.difference(self, field_.log(x)).is_zero()) {
      has_log = true;
    } else {
      return {};
    }
  }
  const Frac next{power + 1};
  if (rate.above.is_zero()) {
    if (next.rational().is_zero()) {
      if (has_log)
        return field_.multiply(coefficient, field_.divide(field_.power(field_.log(x), Rational(2)), Frac(Rational(2))));
      return field_.multiply(coefficient, field_.log(x));
    }
    auto part = field_.divide(field_.power(x, next.rational()), next);
    if (has_log) part = field_.multiply(part, field_.subtract(field_.log(x), field_.divide(Frac(Rational(1)), next)));
    return field_.multiply(coefficient, part);
  }
  const auto degree = power.to_int64();
  if (has_log || !degree || *degree < 0 || *degree > kMaxPower) return {};
  // By parts: x^p e^(rx) / r - p / r * integral of x^(p-1) e^(rx).
  const auto growth = field_.exp(field_.multiply(rate, x));
  Frac sum, weight = field_.divide(Frac(Rational(1)), rate);
  for (int64_t p = *degree; p >= 0; --p) {
    sum = field_.add(sum, field_.multiply(weight, field_.power(x, Rational(p))));
    weight = field_.negate(field_.divide(field_.multiply(weight, Frac(Rational(p))), rate));
  }
  return field_.multiply(coefficient, field_.multiply(sum, growth));
}

std::optional<Frac> Calculus::antiderivative(const Frac& f, std::string_view variable) {
  const auto x = field_.symbol(variable);
  if (field_.mentions(Frac(f.below), variable)) {
    // 1 / (x^2 + c), c > 0
    const auto rest = field_.subtract(Frac(f.below), field_.multiply(x, x));
    if (field_.mentions(Frac(f.above), variable) || field_.mentions(rest, variable)) return {};
    if (sign_of(field_, rest) != 1) return {};
    const auto root = field_.square_root(rest);
    const auto angle = field_.function("atan", {field_.divide(x, root)});
    return field_.multiply(Frac(f.above), field_.divide(angle, root));
  }
  Frac sum;
  for (const auto& term : f.above.terms()) {
    const auto part = antiderivative_of_term(term, variable);
    if (!part) return {};
    sum = field_.add(sum, *part);
  }
  return f.below.is_one() ? sum : field_.divide(sum, Frac(f.below));
}

// Where all terms that mention the variable go to 0.
std::optional<Frac> Calculus::at_infinity(const Frac& f, std::string_view variable) {
  if (!f.below.is_one()) return {};
  Frac sum;
  for (const auto& term : f.above.terms()) {
    const Frac self{Poly(term)};
    if (!field_.mentions(self, variable)) {
      sum = field_.add(sum, self);
      continue;
    }
    const auto summand = summand_of(term, variable);
    if (!summand) return {};
    const Frac one{Rational(1)};
    const bool decays = summand->ratio && sign_of(field_, field_.subtract(one, field_.abs(*summand->ratio))) == 1;
    if (!decays && (summand->ratio || summand->power >= 0)) return {};
  }
  return sum;
}

}  // namespace r1::rewards::math
