#include "rewards/math/region.h"

#include <algorithm>
#include <utility>

#include "rewards/math/calculus.h"

namespace r1::rewards::math {
namespace {

// Where an end lies in order: below its value, at it, or above it.
enum class Side { kBefore = -1, kAt = 0, kAfter = 1 };

int compare_values(Field& field, const End& a, const End& b) {
  if (a.infinity != 0 || b.infinity != 0) return a.infinity == b.infinity ? 0 : a.infinity < b.infinity ? -1 : 1;
  const auto sign = sign_of(field, field.subtract(a.value, b.value));
  if (!sign) throw Overrun{"the order of two interval ends is not known"};
  return *sign;
}

// A low end that is closed starts before what an open one does; a high end that is closed stops after.
int compare_lows(Field& field, const End& a, const End& b) {
  const int order = compare_values(field, a, b);
  if (order != 0 || a.is_closed == b.is_closed) return order;
  return a.is_closed ? -1 : 1;
}
int compare_highs(Field& field, const End& a, const End& b) {
  const int order = compare_values(field, a, b);
  if (order != 0 || a.is_closed == b.is_closed) return order;
  return a.is_closed ? 1 : -1;
}

// Whether an interval that ends at `high` and one that starts at `low` leave nothing between them.
bool touch(Field& field, const End& high, const End& low) {
  const int order = compare_values(field, high, low);
  return order > 0 || (order == 0 && (high.is_closed || low.is_closed));
}

}  // namespace

Region Region::everything() {
  Region region;
  region.intervals_.push_back({{.infinity = -1}, {.infinity = 1}});
  return region;
}

Region Region::point(Frac value) {
  Region region;
  region.intervals_.push_back({{.value = value, .is_closed = true}, {.value = value, .is_closed = true}});
  return region;
}

Region Region::interval(Field& field, End low, End high) {
  const int order = compare_values(field, low, high);
  Region region;
  if (order > 0 || (order == 0 && !(low.is_closed && high.is_closed))) return region;
  region.intervals_.push_back({std::move(low), std::move(high)});
  return region;
}

Region Region::unite(Field& field, const Region& a, const Region& b) {
  std::vector<Interval> all = a.intervals_;
  all.insert(all.end(), b.intervals_.begin(), b.intervals_.end());
  std::stable_sort(all.begin(), all.end(),
                   [&](const Interval& i, const Interval& j) { return compare_lows(field, i.low, j.low) < 0; });
  Region result;
  for (auto& next : all) {
    if (!result.intervals_.empty() && touch(field, result.intervals_.back().high, next.low)) {
      auto& high = result.intervals_.back().high;
      if (compare_highs(field, high, next.high) < 0) high = next.high;
    } else {
      result.intervals_.push_back(std::move(next));
    }
  }
  return result;
}

Region Region::intersect(Field& field, const Region& a, const Region& b) {
  Region result;
  for (const auto& i : a.intervals_) {
    for (const auto& j : b.intervals_) {
      field.budget().charge(4);
      const auto& low = compare_lows(field, i.low, j.low) < 0 ? j.low : i.low;
      const auto& high = compare_highs(field, i.high, j.high) < 0 ? i.high : j.high;
      const auto both = interval(field, low, high);
      result.intervals_.insert(result.intervals_.end(), both.intervals_.begin(), both.intervals_.end());
    }
  }
  return result;
}

Region Region::complement() const {
  Region result;
  End low{.infinity = -1};
  for (const auto& taken : intervals_) {
    if (taken.low.infinity == 0) {
      auto high = taken.low;
      high.is_closed = !high.is_closed;
      result.intervals_.push_back({low, high});
    }
    if (taken.high.infinity != 0) return result;
    low = taken.high;
    low.is_closed = !low.is_closed;
  }
  result.intervals_.push_back({low, {.infinity = 1}});
  return result;
}

Tri are_equal(Field& field, const Region& a, const Region& b) {
  if (a.intervals().size() != b.intervals().size()) return Tri::kNo;
  Tri result = Tri::kYes;
  for (size_t i = 0; i < a.intervals().size(); ++i) {
    const auto &p = a.intervals()[i], &q = b.intervals()[i];
    for (const auto& [x, y] : {std::pair(&p.low, &q.low), std::pair(&p.high, &q.high)}) {
      if (x->infinity != y->infinity || (x->infinity == 0 && x->is_closed != y->is_closed)) return Tri::kNo;
      if (x->infinity != 0) continue;
      const auto same = are_equal(field, x->value, y->value);
      if (same == Tri::kNo) return Tri::kNo;
      if (same == Tri::kUnknown) result = Tri::kUnknown;
    }
  }
  return result;
}

std::optional<std::vector<Frac>> coefficients_of(Field& field, const Poly& p, std::string_view variable) {
  std::vector<std::vector<Term>> powers;
  for (const auto& term : p.terms()) {
    Term rest{term.coefficient, {}};
    int32_t power = 0;
    for (const auto& factor : term.monomial) {
      const auto& atom = field.atom(factor.atom);
      if (atom.kind == AtomKind::kSymbol && atom.name == variable) {
        if (!factor.exponent.is_integer() || factor.exponent.numerator < 0 || factor.exponent.numerator > 12) return {};
        power = factor.exponent.numerator;
        continue;
      }
      Monomial own;
      own.append(factor);
      if (atom.has_symbol && field.mentions(Frac(Poly(Term{1, own})), variable)) return {};
      rest.monomial.append(factor);
    }
    if (powers.size() <= static_cast<size_t>(power)) powers.resize(static_cast<size_t>(power) + 1);
    powers[static_cast<size_t>(power)].push_back(rest);
  }
  std::vector<Frac> coefficients;
  for (auto& terms : powers) coefficients.emplace_back(Poly::from_terms(std::move(terms), field.budget()));
  return coefficients;
}

namespace {

// A rational zero of a polynomial with rational coefficients, by trying quotients of small divisors.
std::optional<Rational> rational_root(Field& field, const std::vector<Frac>& coefficients) {
  BigInt scale = 1;
  for (const auto& c : coefficients) {
    if (!c.is_rational()) return {};
    scale = lcm(scale, c.rational().denominator());
  }
  const auto first = (coefficients.front().rational() * Rational::from_big(scale, 1)).abs().to_int64();
  const auto last = (coefficients.back().rational() * Rational::from_big(scale, 1)).abs().to_int64();
  if (!first || !last) return {};
  const auto value_at = [&](const Rational& x) {
    Rational sum = 0;
    for (size_t i = coefficients.size(); i-- > 0;) sum = sum * x + coefficients[i].rational();
    return sum;
  };
  for (int64_t q = 1; q <= std::min<int64_t>(*last, 100); ++q) {
    if (*last % q != 0) continue;
    for (int64_t p = 1; p <= std::min<int64_t>(*first, 1000); ++p) {
      if (*first % p != 0) continue;
      field.budget().charge(4);
      for (const int64_t sign : {1, -1}) {
        if (value_at({sign * p, q}).is_zero()) return Rational(sign * p, q);
      }
    }
  }
  return {};
}

std::vector<Frac> divided_by_root(Field& field, const std::vector<Frac>& coefficients, const Frac& root) {
  std::vector<Frac> quotient(coefficients.size() - 1);
  Frac carry;
  for (size_t i = coefficients.size() - 1; i > 0; --i) {
    carry = field.add(coefficients[i], field.multiply(carry, root));
    quotient[i - 1] = carry;
  }
  return quotient;
}

}  // namespace

std::optional<std::vector<Frac>> real_roots(Field& field, std::vector<Frac> c) {
  std::vector<Frac> roots;
  const auto take_off_zeros = [&] {
    while (!c.empty() && c.back().above.is_zero()) c.pop_back();
  };
  take_off_zeros();
  if (c.empty()) return {};
  if (c.size() > 1 && c[0].above.is_zero()) roots.emplace_back(Rational(0));
  while (c.size() > 1 && c[0].above.is_zero()) c.erase(c.begin());
  while (c.size() > 3) {
    const auto root = rational_root(field, c);
    if (!root) return {};
    roots.emplace_back(*root);
    while (c.size() > 1) {
      const auto quotient = divided_by_root(field, c, Frac(*root));
      Frac rest = c[0];
      rest = field.add(rest, field.multiply(Frac(*root), quotient[0]));
      if (!rest.above.is_zero()) break;
      c = quotient;
    }
  }
  if (c.size() == 2) {
    if (sign_of(field, c[1]).value_or(0) == 0) return {};
    roots.push_back(field.negate(field.divide(c[0], c[1])));
  } else if (c.size() == 3) {
    const auto four = Frac(Rational(4)), two = Frac(Rational(2));
    const auto discriminant =
        field.subtract(field.multiply(c[1], c[1]), field.multiply(four, field.multiply(c[0], c[2])));
    const auto sign = sign_of(field, discriminant);
    if (!sign || sign_of(field, c[2]).value_or(0) == 0) return {};
    const auto middle = field.negate(c[1]), below = field.multiply(two, c[2]);
    if (*sign == 0) roots.push_back(field.divide(middle, below));
    if (*sign > 0) {
      const auto spread = field.square_root(discriminant);
      roots.push_back(field.divide(field.subtract(middle, spread), below));
      roots.push_back(field.divide(field.add(middle, spread), below));
    }
  }
  std::vector<Frac> sorted;
  for (auto& root : roots) {
    size_t place = 0;
    bool is_known = false;
    for (; place < sorted.size(); ++place) {
      const auto order = sign_of(field, field.subtract(root, sorted[place]));
      if (!order) return {};
      is_known = *order == 0;
      if (*order <= 0) break;
    }
    if (!is_known) sorted.insert(sorted.begin() + static_cast<std::ptrdiff_t>(place), std::move(root));
  }
  return sorted;
}

}  // namespace r1::rewards::math
