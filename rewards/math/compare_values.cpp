// Numbers, expressions and matrices.

#include <algorithm>
#include <set>
#include <utility>

#include "rewards/math/compare_state.h"

namespace r1::rewards::math {
namespace {

// Whether a value is proved not to be real, or at least not proved real: it has powers of -1 that do not cancel.
bool may_be_complex(Field& field, const Frac& value) {
  if (!field.has_atom_kind(value, AtomKind::kMinusOne)) return false;
  try {
    return !field.difference(field.conjugate(value), value).is_zero();
  } catch (const Overrun&) {
    return true;
  }
}

void collect_names(const Ast& ast, NodeId id, std::set<std::string>& names) {
  const auto& node = ast[id];
  if (node.kind == NodeKind::kSymbol) names.insert(node.text);
  for (const auto child : node.children) collect_names(ast, child, names);
}

}  // namespace

std::vector<std::string> Comparer::names_in(NodeId a, NodeId b) const {
  std::set<std::string> names;
  collect_names(ast_, a, names);
  collect_names(ast_, b, names);
  return {names.begin(), names.end()};
}

bool Comparer::mentions_imaginary_unit(NodeId id) const {
  const auto& node = ast_[id];
  if (node.kind == NodeKind::kNamed && node.text == "i") return true;
  return std::any_of(node.children.begin(), node.children.end(), [&](NodeId c) { return mentions_imaginary_unit(c); });
}

Tri Comparer::run(const std::vector<std::string>& negative, const std::function<Tri(Lowering&, Field&)>& decide,
                  bool* relies, bool* is_nowhere_real) {
  Field field(budget_);
  field.set_negative(negative);
  Lowering lowering(ast_, field);
  try {
    const auto result = decide(lowering, field);
    *relies = field.relies_on_signs();
    *is_nowhere_real = field.is_nowhere_real;
    return result;
  } catch (const Undefined& undefined) {
    has_no_value = true;
    return unknown(undefined.why);
  }
}

// Decides for positive variables, and where that made use of their signs for all other signs too.
Tri Comparer::over_signs(NodeId gold, NodeId answer, const std::function<Tri(Lowering&, Field&)>& decide) {
  bool relies = false, is_nowhere_real = false;
  const auto first = run({}, decide, &relies, &is_nowhere_real);
  if (first == Tri::kNo || !relies || (first == Tri::kUnknown && !is_nowhere_real)) return first;
  const auto names = names_in(gold, answer);
  std::vector<std::vector<std::string>> choices;
  if (names.size() <= 3) {
    for (size_t mask = 1; mask < (size_t{1} << names.size()); ++mask) {
      auto& choice = choices.emplace_back();
      for (size_t i = 0; i < names.size(); ++i) {
        if (mask >> i & 1) choice.push_back(names[i]);
      }
    }
  } else {
    for (const auto& name : names) choices.push_back({name});
    choices.push_back(names);
  }
  bool is_anywhere_equal = first == Tri::kYes;
  for (const auto& negative : choices) {
    is_nowhere_real = false;
    const auto next = run(negative, decide, &relies, &is_nowhere_real);
    if (next == Tri::kNo) return no("they differ where a variable is negative");
    if (next == Tri::kUnknown && !is_nowhere_real) return Tri::kUnknown;
    is_anywhere_equal = is_anywhere_equal || next == Tri::kYes;
  }
  if (is_anywhere_equal) {
    reason.clear();
    return Tri::kYes;
  }
  return Tri::kUnknown;
}

Tri Comparer::within_tolerance(Field& field, const Frac& a, const Frac& b) {
  const auto distance = field.abs(field.subtract(a, b));
  const auto sign = sign_of(field, field.subtract(distance, Frac(*tolerance_)));
  if (!sign) return Tri::kUnknown;
  return *sign <= 0 ? Tri::kYes : Tri::kNo;
}

Tri Comparer::compare_values(Item gold, Item answer) {
  const bool is_complex = mentions_imaginary_unit(gold.node) || mentions_imaginary_unit(answer.node);
  const auto &g = ast_[gold.node], &a = ast_[answer.node];
  if (g.kind == NodeKind::kNumber && a.kind == NodeKind::kNumber && !tolerance_) {
    return g.number == a.number ? Tri::kYes : no("the values differ");
  }
  if (g.kind == NodeKind::kRatio && a.kind == NodeKind::kRatio) return compare_ratios(g, a);
  return over_signs(gold.node, answer.node, [&](Lowering& lowering, Field& field) {
    lowering.set_plus_minus(gold.plus_minus == 0 ? 1 : gold.plus_minus);
    const auto x = lowering.value(gold.node);
    lowering.set_plus_minus(answer.plus_minus == 0 ? 1 : answer.plus_minus);
    const auto y = lowering.value(answer.node);
    if (x.rows != y.rows || x.columns != y.columns) return no("matrices of different shapes");
    Tri result = Tri::kYes;
    for (size_t i = 0; i < x.cells.size(); ++i) {
      if (tolerance_ && x.cells.size() == 1) return within_tolerance(field, x.cells[i], y.cells[i]);
      const auto same = are_equal(field, x.cells[i], y.cells[i]);
      if (same != Tri::kYes && field.relies_on_signs() && !is_complex) {
        // At these signs one of them is not a real number: nothing to compare.
        if (may_be_complex(field, x.cells[i]) || may_be_complex(field, y.cells[i])) {
          field.is_nowhere_real = field.has_symbols(x.cells[i]) || field.has_symbols(y.cells[i]);
          if (field.is_nowhere_real) return Tri::kUnknown;
        }
      }
      if (same == Tri::kNo) return no("the values differ");
      if (same == Tri::kUnknown) result = Tri::kUnknown;
    }
    return result;
  });
}

}  // namespace r1::rewards::math
