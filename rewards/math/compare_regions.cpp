// Answers that are sets of real numbers, however they are written: intervals, inequalities, unions.

#include <algorithm>
#include <utility>

#include "rewards/math/calculus.h"
#include "rewards/math/compare_state.h"

namespace r1::rewards::math {
namespace {

bool is_order(char sign) { return sign == '<' || sign == '>' || sign == 'l' || sign == 'g'; }

}  // namespace

// Written as a set of reals, not merely able to stand for one.
bool Comparer::has_set_form(NodeId id) const {
  const auto& node = ast_[id];
  switch (node.kind) {
    case NodeKind::kSetOperation:
      return true;
    case NodeKind::kSetName:
      return node.text == "R" || node.text == "empty";
    case NodeKind::kSetBuilder:
      return true;
    case NodeKind::kRelation: {
      if (node.text == "E")
        return ast_[node.children[1]].kind != NodeKind::kSetName || ast_[node.children[1]].text == "R";
      return node.text.find_first_not_of("<>lgn") == std::string::npos;
    }
    case NodeKind::kList:
      return std::all_of(node.children.begin(), node.children.end(), [&](NodeId c) { return has_set_form(c); });
    case NodeKind::kGroup: {
      const bool is_half_open = node.text == "[)" || node.text == "(]";
      const auto is_infinite = [&](NodeId c) {
        const auto& end = ast_[c];
        return (end.kind == NodeKind::kNamed && end.text == "oo") ||
               (end.kind == NodeKind::kNegate && ast_[end.children[0]].kind == NodeKind::kNamed &&
                ast_[end.children[0]].text == "oo");
      };
      return node.children.size() == 2 &&
             (is_half_open || is_infinite(node.children[0]) || is_infinite(node.children[1]));
    }
    default:
      return false;
  }
}

bool Comparer::is_region_like(NodeId id) const {
  const auto& node = ast_[id];
  return has_set_form(id) || node.kind == NodeKind::kSet ||
         (node.kind == NodeKind::kGroup && node.children.size() == 2 && node.text != "<>");
}

std::optional<Tri> Comparer::compare_regions(NodeId gold, NodeId answer) {
  if (!has_set_form(gold) && !has_set_form(answer)) return {};
  if (!is_region_like(gold) || !is_region_like(answer)) return {};
  return compare_as_regions(gold, answer);
}

// An equation in one variable beside its solutions: "x^2 = 4" and "x = \\pm 2".
std::optional<Tri> Comparer::compare_solutions(NodeId gold, NodeId answer) {
  const auto is_equation = [&](NodeId id) { return ast_[id].kind == NodeKind::kRelation && ast_[id].text == "="; };
  const auto are_solutions = [&](NodeId id) {
    const auto& node = ast_[id];
    if (node.kind == NodeKind::kList) return std::all_of(node.children.begin(), node.children.end(), is_equation);
    return is_equation(id) && contains_kind(ast_, id, NodeKind::kPlusMinus);
  };
  const bool is_one = is_equation(gold) && !is_definition(gold) && are_solutions(answer);
  const bool is_other = is_equation(answer) && !is_definition(answer) && are_solutions(gold);
  if ((!is_one && !is_other) || names_in(gold, answer).size() != 1) return {};
  return compare_as_regions(gold, answer);
}

std::optional<Tri> Comparer::compare_as_regions(NodeId gold, NodeId answer) {
  // The variable that conditions are about: the only one there is on each side.
  const auto names = [&](NodeId id) {
    auto list = names_in(id, id);
    return list;
  };
  const auto gold_names = names(gold), answer_names = names(answer);
  if (gold_names.size() > 1 || answer_names.size() > 1) return {};
  bool relies = false, is_nowhere_real = false, is_read = false;
  const auto result = run(
      {},
      [&](Lowering& lowering, Field& field) {
        const auto x = region_of(gold, lowering, field, gold_names.empty() ? "" : gold_names[0]);
        const auto y =
            x ? region_of(answer, lowering, field, answer_names.empty() ? "" : answer_names[0]) : std::nullopt;
        if (!x || !y) return Tri::kUnknown;
        is_read = true;
        return are_equal(field, *x, *y);
      },
      &relies, &is_nowhere_real);
  if (!is_read) return {};
  if (result == Tri::kNo) return no("other sets of numbers");
  // "x > 3" says it of x: an answer about another variable is another answer.
  const bool are_relations = ast_[gold].kind == NodeKind::kRelation && ast_[answer].kind == NodeKind::kRelation;
  if (result == Tri::kYes && are_relations && gold_names != answer_names) return no("another variable");
  return result;
}

// Whether a condition holds where those of the cases do not, but for `otherwise` among them.
Tri Comparer::is_rest_of(NodeId condition, const Node& cases, NodeId otherwise) {
  const auto names = names_in(condition, condition);
  if (names.size() != 1) return Tri::kUnknown;
  bool relies = false, is_nowhere_real = false;
  const auto decide = [&](Lowering& lowering, Field& field) {
    auto said = Region::empty();
    for (size_t i = 1; i < cases.children.size(); i += 2) {
      const auto other = cases.children[i];
      if (other == otherwise) continue;
      const auto region =
          names_in(other, other) == names ? region_of(other, lowering, field, names[0]) : std::optional<Region>();
      if (!region) return Tri::kUnknown;
      said = Region::unite(field, said, *region);
    }
    const auto here = region_of(condition, lowering, field, names[0]);
    return here ? are_equal(field, said.complement(), *here) : Tri::kUnknown;
  };
  return run({}, decide, &relies, &is_nowhere_real);
}

std::optional<Region> Comparer::region_of(NodeId id, Lowering& lowering, Field& field, const std::string& variable) {
  const auto& node = ast_[id];
  const auto end_of = [&](NodeId child, bool is_closed) -> std::optional<End> {
    const auto value = lowering.scalar(child);
    if (field.has_symbols(value)) return {};
    if (!field.has_atom_kind(value, AtomKind::kInfinity)) return End{.value = value, .is_closed = is_closed};
    if (value.above.terms().size() != 1 || value.above.leading().monomial.size() != 1)
      throw Undefined{"arithmetic with infinity"};
    return End{.infinity = value.above.leading().coefficient.sign()};
  };
  switch (node.kind) {
    case NodeKind::kGroup: {
      const auto low = end_of(node.children[0], node.text[0] == '['),
                 high = end_of(node.children[1], node.text[1] == ']');
      if (!low || !high) return {};
      return Region::interval(field, *low, *high);
    }
    case NodeKind::kSetName:
      if (node.text == "empty") return Region::empty();
      if (node.text == "R") return Region::everything();
      return {};
    case NodeKind::kSet: {
      Region region;
      for (const auto& item : items_of(id)) {
        if (!is_value(item.node)) return {};
        lowering.set_plus_minus(item.plus_minus == 0 ? 1 : item.plus_minus);
        const auto value = lowering.scalar(item.node);
        if (field.has_symbols(value) || field.has_atom_kind(value, AtomKind::kInfinity)) return {};
        region = Region::unite(field, region, Region::point(value));
      }
      return region;
    }
    case NodeKind::kSetOperation: {
      const auto a = region_of(node.children[0], lowering, field, variable);
      const auto b = a ? region_of(node.children[1], lowering, field, variable) : std::nullopt;
      if (!b) return {};
      if (node.text == "U") return Region::unite(field, *a, *b);
      return Region::intersect(field, *a, node.text == "I" ? *b : b->complement());
    }
    case NodeKind::kSetBuilder: {
      const auto& element = ast_[node.children[0]];
      if (element.kind == NodeKind::kRelation && element.text == "E")
        return region_of(node.children[1], lowering, field, variable);
      if (element.kind != NodeKind::kSymbol) return {};
      return region_of(node.children[1], lowering, field, variable);
    }
    case NodeKind::kList:
      return region_of_list(node, lowering, field, variable);
    case NodeKind::kRelation:
      return region_of_relation(node, lowering, field, variable);
    default:
      return {};
  }
}

// "and" intersects, "or" unites; a comma intersects unless nothing would be left.
std::optional<Region> Comparer::region_of_list(const Node& node, Lowering& lowering, Field& field,
                                               const std::string& variable) {
  std::vector<Region> parts;
  for (const auto child : node.children) {
    const auto part = region_of(child, lowering, field, variable);
    if (!part) return {};
    parts.push_back(*part);
  }
  Region united, common = Region::everything();
  for (const auto& part : parts) {
    united = Region::unite(field, united, part);
    common = Region::intersect(field, common, part);
  }
  if (node.text == "|") return united;
  if (node.text == "&") return common;
  return common.is_empty() ? united : common;
}

std::optional<Region> Comparer::region_of_relation(const Node& node, Lowering& lowering, Field& field,
                                                   const std::string& variable) {
  if (node.text == "E" && ast_[node.children[0]].kind == NodeKind::kSymbol) {
    return region_of(node.children[1], lowering, field, variable);
  }
  if (variable.empty()) return {};
  if (node.text == "=" && contains_kind(ast_, node.children[1], NodeKind::kPlusMinus)) {
    if (ast_[node.children[0]].kind != NodeKind::kSymbol) return {};
    Region points;
    for (const int sign : {1, -1}) {
      lowering.set_plus_minus(sign);
      const auto value = lowering.scalar(node.children[1]);
      if (field.has_symbols(value)) return {};
      points = Region::unite(field, points, Region::point(value));
    }
    return points;
  }
  Region result = Region::everything();
  for (size_t i = 0; i < node.text.size(); ++i) {
    const auto part = solve(lowering, field, node.children[i], node.text[i], node.children[i + 1], variable);
    if (!part) return {};
    result = Region::intersect(field, result, *part);
  }
  return result;
}

// |u| < c with u linear: -c < u < c, and so on.
std::optional<Region> Comparer::solve_bars(Lowering& lowering, Field& field, NodeId left, char sign, NodeId right,
                                           const std::string& variable) {
  const auto u = coefficients_of(field, lowering.scalar(ast_[left].children[0]).above, variable);
  const auto c = lowering.scalar(right);
  if (!u || u->size() != 2 || field.has_symbols(c)) return {};
  const auto order = sign_of(field, c);
  if (!order) return {};
  const bool is_inside = sign == '<' || sign == 'l';
  if (*order < 0) return is_inside ? Region::empty() : Region::everything();
  auto low = field.divide(field.subtract(field.negate(c), (*u)[0]), (*u)[1]);
  auto high = field.divide(field.subtract(c, (*u)[0]), (*u)[1]);
  if (sign_of(field, field.subtract(high, low)).value_or(0) < 0) std::swap(low, high);
  const bool has_ends = is_inside ? sign == 'l' : sign == '>';  // whether the ends belong to the inner interval
  if (sign == '=' || sign == 'n') {
    const auto points = Region::unite(field, Region::point(low), Region::point(high));
    return sign == '=' ? points : points.complement();
  }
  const auto inner =
      Region::interval(field, {.value = low, .is_closed = has_ends}, {.value = high, .is_closed = has_ends});
  return is_inside ? inner : inner.complement();
}

// Where left - right has the sign asked for: found between its zeros and poles.
std::optional<Region> Comparer::solve(Lowering& lowering, Field& field, NodeId left, char sign, NodeId right,
                                      const std::string& variable) {
  if (sign != '=' && sign != 'n' && !is_order(sign)) return {};
  const auto is_bars = [&](NodeId id) { return ast_[id].kind == NodeKind::kCall && ast_[id].text == "abs"; };
  if (is_bars(left) && !is_bars(right)) return solve_bars(lowering, field, left, sign, right, variable);
  if (is_bars(right) && !is_bars(left)) {
    constexpr std::string_view kFrom = "<>lg=n", kTo = "><gl=n";
    return solve_bars(lowering, field, right, kTo[kFrom.find(sign)], left, variable);
  }
  // "0 < f(x)": about f(x), whatever x is.
  const auto is_call = [&](NodeId id) { return ast_[id].kind == NodeKind::kCall && ast_[id].text.starts_with("f:"); };
  const auto side_of = [&](NodeId id) { return is_call(id) ? field.symbol(variable) : lowering.scalar(id); };
  const auto difference = field.subtract(side_of(left), side_of(right));
  if (field.relies_on_signs()) return {};
  const auto above = coefficients_of(field, difference.above, variable),
             below = coefficients_of(field, difference.below, variable);
  if (!above || !below || above->empty()) return {};
  const auto zeros = real_roots(field, *above), poles = real_roots(field, *below);
  if (!zeros || !poles) return {};
  Region region, poles_region;
  for (const auto& zero : *zeros) region = Region::unite(field, region, Region::point(zero));
  for (const auto& pole : *poles) poles_region = Region::unite(field, poles_region, Region::point(pole));
  const auto defined = poles_region.complement();
  if (sign == '=') return Region::intersect(field, region, defined);
  if (sign == 'n') return Region::intersect(field, region.complement(), defined);
  Region result = sign == 'l' || sign == 'g' ? region : Region::empty();
  const auto gaps = Region::unite(field, region, poles_region).complement();
  for (const auto& gap : gaps.intervals()) {
    const Frac one{Rational(1)};
    Frac inside;
    if (gap.low.infinity != 0 && gap.high.infinity != 0) {
      inside = one;
    } else if (gap.low.infinity != 0) {
      inside = field.subtract(gap.high.value, one);
    } else if (gap.high.infinity != 0) {
      inside = field.add(gap.low.value, one);
    } else {
      inside = field.divide(field.add(gap.low.value, gap.high.value), Frac(Rational(2)));
    }
    const auto found = sign_of(field, substitute(field, difference, variable, inside));
    if (!found) return {};
    if ((*found < 0) == (sign == '<' || sign == 'l')) {
      result = Region::unite(field, result, Region::interval(field, gap.low, gap.high));
    }
  }
  return Region::intersect(field, result, defined);
}

}  // namespace r1::rewards::math
