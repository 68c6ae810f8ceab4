#include "rewards/math/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rewards/math/compare_state.h"
#include "rewards/math/text_answer.h"
#include "rewards/math/units.h"

namespace r1::rewards::math {

Tri Comparer::no(std::string why) {
  if (reason.empty()) reason = std::move(why);
  return Tri::kNo;
}

Tri Comparer::unknown(std::string why) {
  if (reason.empty()) reason = std::move(why);
  return Tri::kUnknown;
}

bool Comparer::is_name(NodeId id) const {
  const auto& node = ast_[id];
  if (node.kind == NodeKind::kSymbol) return true;
  if (node.kind == NodeKind::kCall) {
    if (node.text == "abs")
      return std::all_of(node.children.begin(), node.children.end(), [&](NodeId c) { return is_name(c); });
    return node.text.starts_with("f:");
  }
  // Letters side by side ("AB"), f(x), P(A), or a ratio or fraction of such: what one solves for.
  if (node.kind == NodeKind::kMultiply || node.kind == NodeKind::kRatio || node.kind == NodeKind::kDivide ||
      node.kind == NodeKind::kGroup) {
    const bool is_run = node.kind != NodeKind::kMultiply || node.is_bracketed || node.children.size() == 2;
    const bool are_names =
        std::all_of(node.children.begin(), node.children.end(), [&](NodeId c) { return is_name(c); });
    const bool is_capital_run =
        node.kind != NodeKind::kMultiply || std::all_of(node.children.begin(), node.children.end(), [&](NodeId c) {
          const auto& text = ast_[c].text;
          return !text.empty() && text[0] >= 'A' && text[0] <= 'Z';
        });
    return is_run && are_names && is_capital_run;
  }
  return node.kind == NodeKind::kText;
}

bool Comparer::is_definition(NodeId id) const {
  const auto& node = ast_[id];
  if (node.kind != NodeKind::kRelation) return false;
  if (node.text.find_first_not_of("=~") != std::string::npos) return false;
  return is_name(node.children[0]) && !is_name(node.children.back());
}

// The last part of "x = 5 + 6 = 11"; of "x = 1/3 \approx 0.33" the part that is exact.
NodeId Comparer::defined_value(NodeId id) const {
  const auto& node = ast_[id];
  const auto approximation = node.text.find('~');
  if (approximation != std::string::npos && approximation > 0) return node.children[approximation];
  return node.children.back();
}

bool Comparer::is_value(NodeId id) const {
  switch (ast_[id].kind) {
    case NodeKind::kList:
    case NodeKind::kSet:
    case NodeKind::kSetBuilder:
    case NodeKind::kSetName:
    case NodeKind::kSetOperation:
    case NodeKind::kRelation:
    case NodeKind::kText:
    case NodeKind::kCases:
    case NodeKind::kEllipsis:
      return false;
    case NodeKind::kGroup:
      return ast_[id].text == "<>";
    default:
      return true;
  }
}

Tri Comparer::compare(NodeId gold, NodeId answer) {
  if (++depth_ > 32) throw Overrun{"it is nested too deeply"};
  const auto result = compare_kinds(gold, answer);
  --depth_;
  return result;
}

Tri Comparer::compare_kinds(NodeId gold, NodeId answer) {
  budget_.charge(10);
  if (auto result = compare_texts(gold, answer)) return *result;
  if (auto result = compare_families(gold, answer)) return *result;
  if (auto result = compare_definitions(gold, answer)) return *result;
  if (auto result = compare_letter_unit(gold, answer)) return *result;
  if (auto result = compare_wrapped(gold, answer)) return *result;
  const auto has_kinds = [&](NodeKind one, NodeKind other) {
    return ast_[gold].kind == one && ast_[answer].kind == other;
  };
  if (has_kinds(NodeKind::kGroup, NodeKind::kMatrix) || has_kinds(NodeKind::kMatrix, NodeKind::kGroup)) {
    if (auto result = compare_collections(gold, answer)) return *result;
  }
  if (is_value(gold) && is_value(answer)) {
    const bool has_signs =
        contains_kind(ast_, gold, NodeKind::kPlusMinus) || contains_kind(ast_, answer, NodeKind::kPlusMinus);
    if (!has_signs) return compare_values({gold, 0}, {answer, 0});
    return compare_unordered(items_of(gold), items_of(answer));
  }
  if (auto result = compare_solutions(gold, answer)) return *result;
  if (auto result = compare_regions(gold, answer)) return *result;
  if (auto result = compare_collections(gold, answer)) return *result;
  if (ast_[gold].kind == NodeKind::kRelation && ast_[answer].kind == NodeKind::kRelation) {
    return compare_relations(gold, answer);
  }
  if (ast_[gold].kind == NodeKind::kCases && ast_[answer].kind == NodeKind::kCases) return compare_cases(gold, answer);
  if (ast_[gold].kind == NodeKind::kSetBuilder && ast_[answer].kind == NodeKind::kSetBuilder) {
    return compare_ordered(ast_[gold].children, ast_[answer].children);
  }
  return no("the answer is of another kind than the key");
}

std::optional<Tri> Comparer::compare_texts(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold], &a = ast_[answer];
  if (g.kind == NodeKind::kEllipsis || a.kind == NodeKind::kEllipsis) {
    return g.kind == a.kind ? Tri::kYes : no("something is left out");
  }
  if (g.kind != NodeKind::kText && a.kind != NodeKind::kText) return {};
  if (g.kind == NodeKind::kText && a.kind == NodeKind::kText) {
    return normalized_words(g.text) == normalized_words(a.text) ? Tri::kYes : no("the words differ");
  }
  return no("words on one side only");
}

// "x = 5" for "5" and the other way; "x = 5" and "y = 5" are different.
std::optional<Tri> Comparer::compare_definitions(NodeId gold, NodeId answer) {
  const bool has_gold_name = is_definition(gold), has_name = is_definition(answer);
  if (!has_gold_name && !has_name) return {};
  if (has_gold_name && has_name) {
    const auto &g = ast_[ast_[gold].children[0]], &a = ast_[ast_[answer].children[0]];
    const bool is_function = g.kind == NodeKind::kCall || a.kind == NodeKind::kCall;
    const bool are_symbols = g.kind == NodeKind::kSymbol && a.kind == NodeKind::kSymbol && g.text != a.text;
    if (are_symbols && !is_function) {
      return ast_[gold].text == "=" && ast_[answer].text == "=" ? compare_relations(gold, answer)
                                                                : no("another variable");
    }
    return compare(defined_value(gold), defined_value(answer));
  }
  const auto other = has_gold_name ? answer : gold;
  if (ast_[other].kind == NodeKind::kRelation) return {};
  return has_gold_name ? compare(defined_value(gold), answer) : compare(gold, defined_value(answer));
}

// Percent and units.
std::optional<Tri> Comparer::compare_wrapped(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold], &a = ast_[answer];
  const bool has_percent = g.kind == NodeKind::kPercent || a.kind == NodeKind::kPercent;
  if (has_percent && is_value(gold) && is_value(answer)) {
    const auto value = compare_values({gold, 0}, {answer, 0});
    if (value == Tri::kYes || (g.kind == NodeKind::kPercent && a.kind == NodeKind::kPercent)) return value;
    const auto inner_gold = g.kind == NodeKind::kPercent ? g.children[0] : gold;
    const auto inner = a.kind == NodeKind::kPercent ? a.children[0] : answer;
    if (compare(inner_gold, inner) == Tri::kYes) {
      reason.clear();
      return Tri::kYes;
    }
    return value;
  }
  const bool has_unit = g.kind == NodeKind::kQuantity || a.kind == NodeKind::kQuantity;
  if (has_unit && is_value(gold) && is_value(answer)) return compare_quantities(gold, answer);
  return {};
}

Tri Comparer::compare_quantities(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold], &a = ast_[answer];
  if (g.kind == NodeKind::kQuantity && a.kind == NodeKind::kQuantity) {
    const auto gold_unit = parse_unit(g.text), unit = parse_unit(a.text);
    if (g.text == "degree" && a.text == "degree") return compare(g.children[0], a.children[0]);
    if (!gold_unit || !unit || !gold_unit->is_known || !unit->is_known) {
      const auto numbers = compare(g.children[0], a.children[0]);
      const bool are_same =
          normalized_words(g.text) == normalized_words(a.text) || (gold_unit && unit && *gold_unit == *unit);
      if (numbers != Tri::kYes || are_same) return numbers;
      return unknown(fmt::format("'{}' may or may not be '{}'", a.text, g.text));
    }
    if (gold_unit->powers != unit->powers) return no("the units measure different things");
    if (gold_unit->factor == unit->factor) return compare(g.children[0], a.children[0]);
    return compare_values({gold, 0}, {answer, 0});
  }
  // One of them leaves its unit out.
  const auto& quantity = g.kind == NodeKind::kQuantity ? g : a;
  const auto other = g.kind == NodeKind::kQuantity ? answer : gold;
  const auto bare =
      g.kind == NodeKind::kQuantity ? compare(quantity.children[0], other) : compare(other, quantity.children[0]);
  const auto unit = parse_unit(quantity.text);
  const bool is_number = quantity.text == "degree" || (unit && unit->is_known && unit->powers.empty());
  if (bare == Tri::kYes || !is_number) return bare;
  const auto radians = compare_values({gold, 0}, {answer, 0});
  if (radians == Tri::kYes) reason.clear();
  return radians;
}

// "5 h" is read as a product with a variable; beside a quantity of hours, the letter is a unit.
std::optional<Tri> Comparer::compare_letter_unit(NodeId gold, NodeId answer) {
  const bool is_gold = ast_[gold].kind == NodeKind::kQuantity;
  if (is_gold == (ast_[answer].kind == NodeKind::kQuantity)) return {};
  const auto &quantity = ast_[is_gold ? gold : answer], &other = ast_[is_gold ? answer : gold];
  if (other.kind != NodeKind::kMultiply || other.children.size() != 2) return {};
  const auto &number = ast_[other.children[0]], &letter = ast_[other.children[1]];
  if (number.kind != NodeKind::kNumber || letter.kind != NodeKind::kSymbol) return {};
  const auto unit = parse_unit(quantity.text), letter_unit = parse_unit(letter.text);
  if (!unit || !letter_unit || !unit->is_known || !letter_unit->is_known || unit->powers != letter_unit->powers)
    return {};
  return over_signs(gold, answer, [&](Lowering& lowering, Field& field) {
    const auto left = field.multiply(lowering.scalar(quantity.children[0]), Frac(unit->factor));
    return are_equal(field, left, Frac(number.number * letter_unit->factor));
  });
}

Tri Comparer::compare_ratios(const Node& gold, const Node& answer) {
  if (gold.children.size() != answer.children.size()) return no("ratios of different lengths");
  Tri result = Tri::kYes;
  for (size_t i = 1; i < gold.children.size(); ++i) {
    const auto part = over_signs(gold.children[i], answer.children[i], [&](Lowering& lowering, Field& field) {
      const auto left = field.multiply(lowering.scalar(gold.children[0]), lowering.scalar(answer.children[i]));
      const auto right = field.multiply(lowering.scalar(gold.children[i]), lowering.scalar(answer.children[0]));
      return are_equal(field, left, right);
    });
    if (part == Tri::kNo) return no("the ratios differ");
    if (part == Tri::kUnknown) result = part;
  }
  return result;
}

// Of two cases, by the places of their conditions; "otherwise" is what the other conditions leave.
Tri Comparer::compare_conditions(NodeId gold, size_t gold_place, NodeId answer, size_t place) {
  const auto g = ast_[gold].children[gold_place], a = ast_[answer].children[place];
  const auto names_rest = [&](NodeId id) {
    const auto words = ast_[id].kind == NodeKind::kText ? normalized_words(ast_[id].text) : "";
    return words == "otherwise" || words == "else";
  };
  const bool is_gold_rest = names_rest(g), is_rest = names_rest(a);
  if (is_gold_rest && is_rest) return Tri::kYes;
  if (is_gold_rest) return is_rest_of(a, ast_[gold], g);
  if (is_rest) return is_rest_of(g, ast_[answer], a);
  return compare(g, a);
}

// The same values under the same conditions, in any order.
Tri Comparer::compare_cases(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold].children, &a = ast_[answer].children;
  if (g.size() != a.size()) return no("another number of cases");
  bool is_unknown = false;
  for (size_t i = 0; i < g.size(); i += 2) {
    Tri best = Tri::kNo;
    for (size_t j = 0; j < a.size() && best != Tri::kYes; j += 2) {
      const auto value = compare(g[i], a[j]);
      const auto condition = value == Tri::kNo ? Tri::kNo : compare_conditions(gold, i + 1, answer, j + 1);
      const auto both = condition == Tri::kNo                          ? Tri::kNo
                        : value == Tri::kYes && condition == Tri::kYes ? Tri::kYes
                                                                       : Tri::kUnknown;
      if (both != Tri::kNo) best = both;
    }
    if (best == Tri::kNo) return no("a case that the answer does not have");
    is_unknown = is_unknown || best == Tri::kUnknown;
  }
  if (is_unknown) return Tri::kUnknown;
  reason.clear();
  return Tri::kYes;
}

Comparison compare_answers(const Ast& ast, NodeId gold, NodeId answer, Budget& budget,
                           const std::optional<Rational>& tolerance) {
  Comparer comparer(ast, budget, tolerance);
  const auto equal = comparer.compare(gold, answer);
  if (equal == Tri::kYes) return {equal, ""};
  if (comparer.reason.empty()) {
    comparer.reason = equal == Tri::kNo ? "the values differ" : "neither equal nor different could be proved";
  }
  return {equal, comparer.reason, equal == Tri::kUnknown && comparer.has_no_value};
}

}  // namespace r1::rewards::math
