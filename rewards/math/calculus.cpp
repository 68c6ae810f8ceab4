#include "rewards/math/calculus.h"

#include <utility>

#include "rewards/math/budget.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr int64_t kMaxTermsOfSum = 1'000;

}  // namespace

Frac substitute(Field& field, const Frac& f, std::string_view variable, const Frac& by) {
  const auto of_factor = [&](const Factor& factor) -> Frac {
    const Atom atom = field.atom(factor.atom);
    const auto exponent = to_rational(factor.exponent);
    if (atom.kind == AtomKind::kSymbol && atom.name == variable) return field.power(by, exponent);
    Frac self(Poly(Term{1, [&] {
                          Monomial m;
                          m.append(factor);
                          return m;
                        }()}));
    if (!field.mentions(self, variable)) return self;
    if (atom.kind == AtomKind::kExpMonomial) {
      const auto inner = substitute(field, Frac(Poly(Term{1, atom.monomial})), variable, by);
      return field.exp(field.multiply(Frac(exponent), inner));
    }
    std::vector<Frac> args;
    for (const auto& arg : atom.args) args.push_back(substitute(field, arg, variable, by));
    if (atom.kind == AtomKind::kExp) return field.exp(field.multiply(Frac(exponent), args[0]));
    if (atom.kind == AtomKind::kLog) return field.power(field.log(args[0]), exponent);
    if (atom.kind == AtomKind::kRoot || atom.kind == AtomKind::kSum) return field.power(args[0], exponent);
    if (atom.name == "gamma") return field.power(field.gamma(args[0]), exponent);
    if (atom.name == "atan" || atom.name == "asin") return field.power(field.arc(atom.name, args[0]), exponent);
    return field.power(field.function(atom.name, std::move(args)), exponent);
  };
  const auto of_poly = [&](const Poly& p) {
    Frac sum;
    for (const auto& term : p.terms()) {
      Frac product{term.coefficient};
      for (const auto& factor : term.monomial) product = field.multiply(product, of_factor(factor));
      sum = field.add(sum, product);
    }
    return sum;
  };
  if (f.below.is_one()) return of_poly(f.above);
  return field.divide(of_poly(f.above), of_poly(f.below));
}

std::optional<Frac> derivative(Field& field, const Frac& f, std::string_view variable) {
  if (!f.below.is_one()) {
    const Frac above(f.above), below(f.below);
    const auto da = derivative(field, above, variable), db = derivative(field, below, variable);
    if (!da || !db) return {};
    const auto cross = field.subtract(field.multiply(*da, below), field.multiply(above, *db));
    return field.divide(cross, field.multiply(below, below));
  }
  Frac sum;
  for (const auto& term : f.above.terms()) {
    for (const auto& factor : term.monomial) {
      const Atom atom = field.atom(factor.atom);
      const Frac whole(Poly(Term{term.coefficient * to_rational(factor.exponent), term.monomial}));
      Frac rate;  // of log(atom)
      if (atom.kind == AtomKind::kSymbol) {
        if (atom.name != variable) continue;
        rate = field.divide(Frac(Rational(1)), field.symbol(variable));
      } else if (!atom.has_symbol) {
        continue;
      } else if (atom.kind == AtomKind::kExpMonomial || atom.kind == AtomKind::kExp) {
        const auto inner = atom.kind == AtomKind::kExp ? atom.args[0] : Frac(Poly(Term{1, atom.monomial}));
        const auto slope = derivative(field, inner, variable);
        if (!slope) return {};
        rate = *slope;
      } else if (atom.kind == AtomKind::kRoot || atom.kind == AtomKind::kSum || atom.kind == AtomKind::kLog) {
        const auto slope = derivative(field, atom.args[0], variable);
        if (!slope) return {};
        rate = field.divide(*slope, atom.args[0]);
        if (atom.kind == AtomKind::kLog) rate = field.divide(rate, field.log(atom.args[0]));
      } else {
        return {};
      }
      sum = field.add(sum, field.multiply(whole, rate));
    }
  }
  return sum;
}

Frac Calculus::value(const Node& node) {
  if (node.kind == NodeKind::kIntegral) return integral(node);
  if (node.kind == NodeKind::kLimit) return limit(node);
  return node.text == "sum" ? sum(node) : product(node);
}

Frac Calculus::body_at(const Node& node, const Frac& counter) {
  const auto& name = lowering_.ast_[node.children[1]].text;
  auto& bound = lowering_.bound_;
  const auto old = bound.find(name);
  const auto outer = old == bound.end() ? std::nullopt : std::optional<Frac>(old->second);
  bound.insert_or_assign(name, counter);
  auto result = lowering_.scalar(node.children[0]);
  if (outer) {
    bound.insert_or_assign(name, *outer);
  } else {
    bound.erase(name);
  }
  return result;
}

Frac Calculus::by_terms(const Node& node, int64_t first, int64_t last) {
  const bool is_sum = node.text == "sum";
  Frac result{Rational(is_sum ? 0 : 1)};
  for (int64_t k = first; k <= last; ++k) {
    field_.budget().charge(4);
    const auto term = body_at(node, Frac(Rational(k)));
    result = is_sum ? field_.add(result, term) : field_.multiply(result, term);
  }
  return result;
}

// A name for itself: equal to what is written alike but for the counter's name.
Frac Calculus::opaque(const Node& node, std::string_view name) {
  const auto counter = field_.symbol("#" + std::to_string(lowering_.bound_.size()));
  std::vector<Frac> args{body_at(node, counter)};
  for (size_t i = 2; i < node.children.size(); ++i) args.push_back(lowering_.scalar(node.children[i]));
  return field_.function("opaque:" + std::string(name), std::move(args));
}

Frac Calculus::product(const Node& node) {
  const auto first = lowering_.scalar(node.children[2]), last = lowering_.scalar(node.children[3]);
  if (first.is_rational() && last.is_rational()) {
    const auto a = first.rational().to_int64(), b = last.rational().to_int64();
    if (a && b && *b - *a < kMaxTermsOfSum) return by_terms(node, *a, *b);
  }
  const auto counter = field_.symbol("#product");
  const auto body = body_at(node, counter);
  const Frac one{Rational(1)};
  if (!field_.mentions(body, "#product") && !field_.has_atom_kind(last, AtomKind::kInfinity)) {
    return field_.power(body, field_.add(field_.subtract(last, first), one));
  }
  const bool is_counter = field_.difference(body, counter).is_zero();
  if (is_counter && !field_.has_atom_kind(last, AtomKind::kInfinity)) {
    return field_.divide(field_.gamma(field_.add(last, one)), field_.gamma(first));
  }
  return opaque(node, "prod");
}

Frac Calculus::integral(const Node& node) {
  const std::string variable = "#integral";
  const auto body = body_at(node, field_.symbol(variable));
  const auto whole = antiderivative(body, variable);
  if (!whole) return opaque(node, "int");
  if (node.children.size() == 2) {
    return substitute(field_, *whole, variable, field_.symbol(lowering_.ast_[node.children[1]].text));
  }
  const auto end_value = [&](NodeId id) -> std::optional<Frac> {
    const auto end = lowering_.scalar(id);
    if (!field_.has_atom_kind(end, AtomKind::kInfinity)) {
      const auto sign = sign_of(field_, end);
      const bool is_smooth =
          !field_.has_atom_kind(*whole, AtomKind::kLog) && !field_.has_atom_kind(*whole, AtomKind::kRoot);
      if (!is_smooth && !(sign && *sign > 0)) return {};
      return substitute(field_, *whole, variable, end);
    }
    if (end.above.leading().coefficient.sign() < 0) return {};
    return at_infinity(*whole, variable);
  };
  // Between its ends the integrand has no pole that would make the difference of ends meaningless only if it has no
  // negative powers; with them both ends must lie on the same side of 0.
  const auto from = end_value(node.children[2]), to = end_value(node.children[3]);
  if (!from || !to) return opaque(node, "int");
  bool has_pole = !body.below.is_one();
  for (const auto& term : body.above.terms()) {
    for (const auto& factor : term.monomial) {
      const auto& atom = field_.atom(factor.atom);
      has_pole = has_pole || (atom.kind == AtomKind::kSymbol && atom.name == variable && factor.exponent.numerator < 0);
    }
  }
  if (has_pole && body.below.is_one()) {
    const auto sign = sign_of(field_, lowering_.scalar(node.children[2]));
    if (!sign || *sign <= 0) return opaque(node, "int");
  }
  return field_.subtract(*to, *from);
}

Frac Calculus::limit(const Node& node) {
  const std::string variable = "#limit";
  const auto target = lowering_.scalar(node.children[2]);
  const auto body = body_at(node, field_.symbol(variable));
  if (const auto result = limit_of(body, variable, target)) return *result;
  // A power whose base goes to 1 goes to exp(lim exponent * (base - 1)).
  const Node& inner = lowering_.ast_[node.children[0]];
  if (inner.kind == NodeKind::kPower) {
    auto part = node;
    part.children[0] = inner.children[0];
    const auto base = body_at(part, field_.symbol(variable));
    part.children[0] = inner.children[1];
    const auto exponent = body_at(part, field_.symbol(variable));
    const Frac one{Rational(1)};
    const auto base_limit = limit_of(base, variable, target);
    if (base_limit && field_.difference(*base_limit, one).is_zero()) {
      const auto rate = limit_of(field_.multiply(exponent, field_.subtract(base, one)), variable, target);
      if (rate) return field_.exp(*rate);
    }
  }
  return opaque(node, "lim" + node.text);
}

std::optional<Frac> Calculus::limit_of(const Frac& f, std::string_view variable, const Frac& target) {
  if (!field_.mentions(f, variable)) return f;
  if (field_.has_atom_kind(target, AtomKind::kInfinity)) {
    auto inverse = field_.divide(Frac(Rational(1)), field_.symbol("#inverse"));
    if (target.above.leading().coefficient.sign() < 0) inverse = field_.negate(inverse);
    if (field_.has_atom_kind(f, AtomKind::kExpMonomial) || field_.has_atom_kind(f, AtomKind::kLog)) return {};
    return limit_of(substitute(field_, f, variable, inverse), "#inverse", Frac(Rational(0)));
  }
  Frac above(f.above), below(f.below);
  // Negative powers of the variable belong below.
  const auto x = field_.symbol(variable);
  int32_t lowest = 0;
  for (const auto& term : f.above.terms()) {
    for (const auto& factor : term.monomial) {
      const auto& atom = field_.atom(factor.atom);
      if (atom.kind == AtomKind::kSymbol && atom.name == variable) lowest = std::min(lowest, factor.exponent.numerator);
    }
  }
  if (lowest < 0) {
    if (lowest < -8) return {};
    const auto shift = field_.power(x, Rational(-lowest));
    above = Frac(field_.multiply(above.above, shift.above));
    below = Frac(field_.multiply(below.above, shift.above));
  }
  for (int round = 0; round < 8; ++round) {
    const auto at_above = substitute(field_, above, variable, target);
    const auto at_below = substitute(field_, below, variable, target);
    const auto is_below_zero = is_zero(field_, at_below);
    if (is_below_zero == Tri::kNo) return field_.divide(at_above, at_below);
    if (is_below_zero != Tri::kYes || is_zero(field_, at_above) != Tri::kYes) return {};
    const auto da = derivative(field_, above, variable), db = derivative(field_, below, variable);
    if (!da || !db) return {};
    above = *da;
    below = *db;
  }
  return {};
}

}  // namespace r1::rewards::math
