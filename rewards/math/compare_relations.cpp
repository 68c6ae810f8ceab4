// Equations and inequalities as the sets of their solutions.

#include <algorithm>
#include <utility>

#include "rewards/math/calculus.h"
#include "rewards/math/compare_state.h"

namespace r1::rewards::math {
namespace {

char flipped(char sign) {
  switch (sign) {
    case '<':
      return '>';
    case '>':
      return '<';
    case 'l':
      return 'g';
    case 'g':
      return 'l';
    default:
      return sign;
  }
}

bool is_order(char sign) { return sign == '<' || sign == '>' || sign == 'l' || sign == 'g'; }

// The part of a term that variables make, and the rest.
std::pair<Monomial, Term> split(const Field& field, const Term& term) {
  Monomial variables;
  Term rest{term.coefficient, {}};
  for (const auto& factor : term.monomial) {
    (field.atom(factor.atom).has_symbol ? variables : rest.monomial).append(factor);
  }
  return {variables, rest};
}

Poly coefficient_of(Field& field, const Poly& p, const Monomial& variables) {
  std::vector<Term> terms;
  for (const auto& term : p.terms()) {
    auto [own, rest] = split(field, term);
    if (own == variables) terms.push_back(std::move(rest));
  }
  return Poly::from_terms(std::move(terms), field.budget());
}

std::vector<std::string> names_of(const Field& field, const Poly& p) {
  std::vector<std::string> names;
  for (const auto& name : field.symbol_names()) {
    if (field.mentions(Frac(p), name)) names.push_back(name);
  }
  return names;
}

}  // namespace

// Whether gold * answer_factor = answer * gold_factor for constants that are not 0.
Tri Comparer::same_up_to_factor(Field& field, const Poly& gold, const Poly& answer, Poly* gold_factor,
                                Poly* answer_factor) {
  if (gold.is_zero() || answer.is_zero()) return gold.is_zero() && answer.is_zero() ? Tri::kYes : Tri::kNo;
  for (const auto& term : gold.terms()) {
    const auto variables = split(field, term).first;
    *gold_factor = coefficient_of(field, gold, variables);
    *answer_factor = coefficient_of(field, answer, variables);
    const auto is_gold_zero = is_zero(field, *gold_factor), is_answer_zero = is_zero(field, *answer_factor);
    if (is_gold_zero == Tri::kUnknown || is_answer_zero == Tri::kUnknown) return Tri::kUnknown;
    if (is_gold_zero != is_answer_zero) return Tri::kNo;
    if (is_gold_zero == Tri::kYes) continue;
    const auto left = field.multiply(gold, *answer_factor), right = field.multiply(answer, *gold_factor);
    return is_zero(field, subtract(left, right, field.budget()));
  }
  return Tri::kUnknown;
}

// kNo if a real zero of the one polynomial is found that is none of the other.
Tri Comparer::differ_at_a_point(Field& field, const Poly& zero_of, const Poly& other) {
  const auto names = names_of(field, zero_of);
  for (const auto& variable : names) {
    for (int sample = 0; sample < 4; ++sample) {
      Frac value(zero_of), rest(other);
      int64_t step = 0;
      for (const auto& name : field.symbol_names()) {
        if (name == variable || name.starts_with('#')) continue;
        const Frac number{Rational(sample * 3 + 2 * step - 1, sample + 1)};
        ++step;
        value = substitute(field, value, name, number);
        rest = substitute(field, rest, name, number);
      }
      const auto coefficients = coefficients_of(field, value.above, variable);
      const auto roots = coefficients ? real_roots(field, *coefficients) : std::nullopt;
      if (!roots) continue;
      for (const auto& root : *roots) {
        const auto at_root = substitute(field, rest, variable, root);
        if (is_zero(field, at_root.above) == Tri::kNo) return Tri::kNo;
      }
    }
  }
  return Tri::kUnknown;
}

Tri Comparer::compare_zero_sets(Lowering&, Field& field, const Poly& gold, const Poly& answer) {
  Poly gold_factor, answer_factor;
  if (same_up_to_factor(field, gold, answer, &gold_factor, &answer_factor) == Tri::kYes) return Tri::kYes;
  if (field.relies_on_signs()) return Tri::kUnknown;
  const auto names = names_of(field, gold);
  if (names.size() == 1 && names == names_of(field, answer)) {
    const auto p = coefficients_of(field, gold, names[0]), q = coefficients_of(field, answer, names[0]);
    const auto x = p ? real_roots(field, *p) : std::nullopt, y = q ? real_roots(field, *q) : std::nullopt;
    if (x && y) {
      if (x->size() != y->size()) return no("other solutions");
      Tri result = Tri::kYes;
      for (size_t i = 0; i < x->size(); ++i) {
        const auto same = are_equal(field, (*x)[i], (*y)[i]);
        if (same == Tri::kNo) return no("other solutions");
        if (same == Tri::kUnknown) result = same;
      }
      return result;
    }
  }
  if (differ_at_a_point(field, gold, answer) == Tri::kNo || differ_at_a_point(field, answer, gold) == Tri::kNo) {
    return no("a solution of one is none of the other");
  }
  return unknown("the solutions of two equations could not be compared");
}

Tri Comparer::compare_single_relations(NodeId gl, char gs, NodeId gr, NodeId al, char as, NodeId ar) {
  const bool is_gold_order = is_order(gs);
  if (is_gold_order != is_order(as) || (!is_gold_order && gs != as)) return no("another kind of relation");
  if (gs == 'E' || gs == 'X') return compare_ordered({gl, gr}, {al, ar});
  return over_signs(gl, al, [&](Lowering& lowering, Field& field) {
    const auto gold = field.subtract(lowering.scalar(gl), lowering.scalar(gr));
    const auto answer = field.subtract(lowering.scalar(al), lowering.scalar(ar));
    if (!is_gold_order) return compare_zero_sets(lowering, field, gold.above, answer.above);
    if (!gold.below.is_one() || !answer.below.is_one()) {  // signs of denominators count
      return are_equal(field, gold, answer) == Tri::kYes && gs == as ? Tri::kYes : Tri::kUnknown;
    }
    Poly gold_factor, answer_factor;
    const auto same = same_up_to_factor(field, gold.above, answer.above, &gold_factor, &answer_factor);
    if (same != Tri::kYes) return same == Tri::kNo && !field.relies_on_signs() ? no("other bounds") : Tri::kUnknown;
    const auto sign = sign_of(field, field.multiply(gold_factor, answer_factor));
    if (!sign || *sign == 0) return Tri::kUnknown;
    return gs == (*sign > 0 ? as : flipped(as)) ? Tri::kYes : no("the relation points the other way");
  });
}

Tri Comparer::compare_relations(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold], &a = ast_[answer];
  if (g.text.size() == 1 && a.text.size() == 1) {
    return compare_single_relations(g.children[0], g.text[0], g.children[1], a.children[0], a.text[0], a.children[1]);
  }
  if (g.text.size() != a.text.size()) return no("another number of relations");
  // Chains: forwards, and if that fails backwards.
  for (const bool is_reversed : {false, true}) {
    Tri result = Tri::kYes;
    const size_t n = a.children.size();
    for (size_t i = 0; i + 1 < n && result != Tri::kNo; ++i) {
      const auto left = is_reversed ? a.children[n - 1 - i] : a.children[i];
      const auto right = is_reversed ? a.children[n - 2 - i] : a.children[i + 1];
      const char sign = is_reversed ? flipped(a.text[n - 2 - i]) : a.text[i];
      const auto part = compare_single_relations(g.children[i], g.text[i], g.children[i + 1], left, sign, right);
      if (part != Tri::kYes) result = result == Tri::kNo ? result : part;
    }
    if (result == Tri::kYes) {
      reason.clear();
      return result;
    }
    if (result == Tri::kUnknown) return result;
  }
  return no("the chains differ");
}

}  // namespace r1::rewards::math
