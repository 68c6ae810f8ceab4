// Lists, tuples and sets, and families such as pi/4 + k pi.

#include <algorithm>
#include <utility>

#include "rewards/math/calculus.h"
#include "rewards/math/compare_state.h"

namespace r1::rewards::math {
namespace {

constexpr size_t kMaxPairs = 2'500;

}  // namespace

// Its members, "+-" written out.
std::vector<Item> Comparer::items_of(NodeId id) const {
  const auto& node = ast_[id];
  std::vector<Item> items;
  const auto add = [&](NodeId child) {
    if (contains_kind(ast_, child, NodeKind::kPlusMinus) && ast_[child].kind != NodeKind::kGroup) {
      items.push_back({child, 1});
      items.push_back({child, -1});
    } else {
      items.push_back({child, 0});
    }
  };
  if (node.kind == NodeKind::kList || node.kind == NodeKind::kSet) {
    for (const auto child : node.children) add(child);
  } else {
    add(id);
  }
  return items;
}

Tri Comparer::compare_items(const Item& gold, const Item& answer) {
  if (gold.plus_minus == 0 && answer.plus_minus == 0) return compare(gold.node, answer.node);
  auto g = gold, a = answer;
  if (is_definition(g.node)) g.node = defined_value(g.node);
  if (is_definition(a.node)) a.node = defined_value(a.node);
  if (!is_value(g.node) || !is_value(a.node)) return no("the members differ");
  return compare_values(g, a);
}

// As sets: each member has an equal one on the other side.
Tri Comparer::compare_unordered(const std::vector<Item>& gold, const std::vector<Item>& answer) {
  if (gold.size() * answer.size() > kMaxPairs) throw Overrun{"two lists are too long to compare"};
  std::vector<Tri> table;
  const bool is_long = gold.size() * answer.size() > 1;
  for (const auto& g : gold) {
    bool is_found = false;
    for (const auto& a : answer) {
      table.push_back(compare_items(g, a));
      is_found = is_found || table.back() != Tri::kNo;
      if (is_long) reason.clear();
    }
    if (!is_found) return no("a member of the key is missing");
  }
  const auto best = [&](size_t begin, size_t step, size_t count) {
    Tri result = Tri::kNo;
    for (size_t i = 0; i < count; ++i) {
      const auto entry = table[begin + i * step];
      if (entry == Tri::kYes) return Tri::kYes;
      if (entry == Tri::kUnknown) result = Tri::kUnknown;
    }
    return result;
  };
  Tri result = Tri::kYes;
  for (size_t i = 0; i < gold.size(); ++i) {
    if (best(i * answer.size(), 1, answer.size()) == Tri::kUnknown) result = Tri::kUnknown;
  }
  for (size_t j = 0; j < answer.size(); ++j) {
    const auto entry = best(j, answer.size(), gold.size());
    if (entry == Tri::kNo) return no("a member that the key does not have");
    if (entry == Tri::kUnknown) result = Tri::kUnknown;
  }
  if (result == Tri::kYes) reason.clear();
  return result;
}

Tri Comparer::compare_ordered(const std::vector<NodeId>& gold, const std::vector<NodeId>& answer) {
  if (gold.size() != answer.size()) return no("another number of parts");
  Tri result = Tri::kYes;
  for (size_t i = 0; i < gold.size(); ++i) {
    const auto part = compare(gold[i], answer[i]);
    if (part == Tri::kNo) return part;
    if (part == Tri::kUnknown) result = part;
  }
  return result;
}

std::optional<Tri> Comparer::compare_collections(NodeId gold, NodeId answer) {
  const auto &g = ast_[gold], &a = ast_[answer];
  const auto is_loose = [](const Node& n) { return n.kind == NodeKind::kList || n.kind == NodeKind::kSet; };
  if (g.kind == NodeKind::kGroup && a.kind == NodeKind::kGroup) {
    const bool may_be_intervals = g.children.size() == 2 && g.text != "<>" && a.text != "<>";
    if (may_be_intervals && g.text != a.text) return no("other ends belong to the interval");
    return compare_ordered(g.children, a.children);
  }
  if (g.kind == NodeKind::kGroup && a.kind == NodeKind::kMatrix) {
    if (a.rows != 1 && static_cast<size_t>(a.rows) != a.children.size()) return no("a matrix is no tuple");
    return compare_ordered(g.children, a.children);
  }
  if (g.kind == NodeKind::kMatrix && a.kind == NodeKind::kGroup) {
    if (g.rows != 1 && static_cast<size_t>(g.rows) != g.children.size()) return no("a tuple is no matrix");
    return compare_ordered(g.children, a.children);
  }
  const auto is_named_apart = [&](const Node& n) {  // "x = 1, y = 2"
    std::vector<std::string> names;
    for (const auto child : n.children) {
      if (!is_definition(child)) return false;
      const auto& name = ast_[ast_[child].children[0]];
      names.push_back(name.kind == NodeKind::kSymbol ? name.text : std::to_string(names.size()));
    }
    std::sort(names.begin(), names.end());
    return n.kind == NodeKind::kList && std::adjacent_find(names.begin(), names.end()) == names.end();
  };
  if (is_loose(g) && is_loose(a)) {
    const bool is_gold_named = is_named_apart(g), is_named = is_named_apart(a);
    if (is_gold_named != is_named && a.kind == NodeKind::kList) return compare_ordered(g.children, a.children);
    return compare_unordered(items_of(gold), items_of(answer));
  }
  if (g.kind == NodeKind::kList && a.kind == NodeKind::kGroup && a.text == "()") {
    const bool has_tuples = ast_[g.children[0]].kind == NodeKind::kGroup;
    if (!has_tuples) return compare_ordered(g.children, a.children);
  }
  if (g.kind == NodeKind::kGroup && a.kind == NodeKind::kList && g.text == "()" &&
      g.children.size() == a.children.size()) {
    if (ast_[a.children[0]].kind != NodeKind::kGroup) return compare_ordered(g.children, a.children);
  }
  if (is_loose(g) || is_loose(a)) return compare_unordered(items_of(gold), items_of(answer));
  return {};
}

// "x = \frac{\pi}{4} + k\pi, k \in \mathbb{Z}" and "{k\pi | k \in \mathbb{Z}}".
std::optional<Comparer::Family> Comparer::family_of(NodeId id) const {
  const auto& node = ast_[id];
  const auto parameter_of = [&](NodeId condition) -> std::optional<std::string> {
    const auto& c = ast_[condition];
    if (c.kind != NodeKind::kRelation || c.text != "E" || ast_[c.children[0]].kind != NodeKind::kSymbol) return {};
    const auto& set = ast_[c.children[1]];
    if (set.kind != NodeKind::kSetName || set.text != "Z") return {};
    return ast_[c.children[0]].text;
  };
  std::vector<NodeId> values;
  std::optional<std::string> parameter;
  if (node.kind == NodeKind::kSetBuilder) {
    parameter = parameter_of(node.children[1]);
    values = {node.children[0]};
  } else if (node.kind == NodeKind::kList && node.children.size() >= 2) {
    parameter = parameter_of(node.children.back());
    values.assign(node.children.begin(), node.children.end() - 1);
  }
  if (!parameter) return {};
  Family family{.parameter = *parameter};
  for (auto value : values) {
    if (is_definition(value)) value = defined_value(value);
    if (!is_value(value)) return {};
    const auto items = items_of(value);
    family.expressions.insert(family.expressions.end(), items.begin(), items.end());
  }
  return family;
}

// a = p + q k and b = p' + q' k run through the same values: q = +-q', and p - p' is a multiple of q.
bool Comparer::is_same_family_member(Lowering& lowering, Field& field, const Family& f, Item a, const Family& g,
                                     Item b) {
  const auto line = [&](const Family& family, Item item) -> std::optional<std::pair<Frac, Frac>> {
    lowering.set_plus_minus(item.plus_minus == 0 ? 1 : item.plus_minus);
    const auto value = lowering.scalar(item.node);
    const auto start = substitute(field, value, family.parameter, Frac(Rational(0)));
    const auto step = field.subtract(substitute(field, value, family.parameter, Frac(Rational(1))), start);
    const auto rest = field.subtract(value, field.add(start, field.multiply(step, field.symbol(family.parameter))));
    if (!rest.above.is_zero() || step.above.is_zero()) return {};
    return std::pair(start, step);
  };
  const auto x = line(f, a), y = line(g, b);
  if (!x || !y) return false;
  const auto same = field.divide(x->second, y->second);
  if (!same.is_rational() || !same.rational().abs().is_one()) return false;
  const auto shift = field.divide(field.subtract(x->first, y->first), y->second);
  return shift.is_rational() && shift.rational().is_integer();
}

std::optional<Tri> Comparer::compare_families(NodeId gold, NodeId answer) {
  const auto f = family_of(gold), g = family_of(answer);
  if (!f && !g) return {};
  if (!f || !g) return unknown("a parameter's range is given on one side only");
  bool relies = false, is_nowhere_real = false;
  const auto covers = [&](const Family& p, const Family& q) {
    return run(
        {},
        [&](Lowering& lowering, Field& field) {
          for (const auto& a : p.expressions) {
            const bool is_found = std::any_of(q.expressions.begin(), q.expressions.end(), [&](const Item& b) {
              return is_same_family_member(lowering, field, p, a, q, b);
            });
            if (!is_found) return Tri::kNo;
          }
          return Tri::kYes;
        },
        &relies, &is_nowhere_real);
  };
  if (covers(*f, *g) == Tri::kYes && covers(*g, *f) == Tri::kYes) return Tri::kYes;
  const bool are_single = f->expressions.size() == 1 && g->expressions.size() == 1;
  return are_single ? no("other values as the parameter runs") : unknown("families that are not matched one to one");
}

}  // namespace r1::rewards::math
