#include "rewards/math/lower.h"

#include <algorithm>
#include <utility>

#include "rewards/math/budget.h"
#include "rewards/math/calculus.h"
#include "rewards/math/units.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {

bool contains_kind(const Ast& ast, NodeId id, NodeKind kind) {
  const auto& node = ast[id];
  if (node.kind == kind) return true;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](NodeId child) { return contains_kind(ast, child, kind); });
}

namespace {

bool is_infinite(const Ast& ast, NodeId id) {
  const auto& node = ast[id];
  if (node.kind == NodeKind::kNegate) return is_infinite(ast, node.children[0]);
  return node.kind == NodeKind::kNamed && node.text == "oo";
}

// Infinity is an end of intervals and a limit, and nothing to reckon with: oo - oo is not 0.
void refuse_infinity(const Ast& ast, const Node& node) {
  const bool reckons =
      node.kind == NodeKind::kAdd || node.kind == NodeKind::kMultiply || node.kind == NodeKind::kDivide ||
      node.kind == NodeKind::kPower || node.kind == NodeKind::kCall || node.kind == NodeKind::kPlusMinus ||
      node.kind == NodeKind::kRatio || node.kind == NodeKind::kMixed || node.kind == NodeKind::kPercent;
  if (!reckons) return;
  for (const auto child : node.children) {
    if (is_infinite(ast, child)) throw Undefined{"arithmetic with infinity"};
  }
}

}  // namespace

Frac Lowering::scalar(NodeId id) {
  auto result = value(id);
  if (result.is_matrix()) {
    if (result.cells.size() != 1) throw Undefined{"a matrix where a number should be"};
  }
  return std::move(result.cells[0]);
}

Value Lowering::value(NodeId id) {
  const auto& node = ast_[id];
  field_.budget().charge(1);
  refuse_infinity(ast_, node);
  switch (node.kind) {
    case NodeKind::kNumber:
      return Value(Frac(node.number));
    case NodeKind::kSymbol: {
      const auto bound = bound_.find(node.text);
      return Value(bound == bound_.end() ? field_.symbol(node.text) : bound->second);
    }
    case NodeKind::kNamed:
      return Value(named(node));
    case NodeKind::kAdd:
    case NodeKind::kMultiply:
    case NodeKind::kDivide:
    case NodeKind::kNegate:
      return arithmetic(node);
    case NodeKind::kPower:
      return power(value(node.children[0]), ast_[node.children[1]], node.children[1]);
    case NodeKind::kPlusMinus:
      return plus_minus(node);
    case NodeKind::kCall:
      return call(node);
    case NodeKind::kMatrix:
      return matrix(node);
    case NodeKind::kQuantity:
      return Value(quantity(node));
    case NodeKind::kPercent:
      return Value(field_.divide(scalar(node.children[0]), Frac(Rational(100))));
    case NodeKind::kRatio: {
      if (node.children.size() != 2) throw Undefined{"a ratio of several numbers is no number"};
      return Value(field_.divide(scalar(node.children[0]), scalar(node.children[1])));
    }
    case NodeKind::kBased:
      return Value(based(node));
    case NodeKind::kMixed:
      return add(value(node.children[0]), value(node.children[1]));
    case NodeKind::kSum:
    case NodeKind::kIntegral:
    case NodeKind::kLimit:
      return Value(Calculus(*this).value(node));
    case NodeKind::kGroup:
      return vector(node);
    default:
      break;
  }
  throw Undefined{"it is no expression with a value"};
}

Value Lowering::arithmetic(const Node& node) {
  auto result = value(node.children[0]);
  if (node.kind == NodeKind::kNegate) {
    for (auto& cell : result.cells) cell = field_.negate(cell);
  } else if (node.kind == NodeKind::kDivide) {
    const auto below = scalar(node.children[1]);
    for (auto& cell : result.cells) cell = field_.divide(cell, below);
  } else {
    for (size_t i = 1; i < node.children.size(); ++i) {
      const auto next = value(node.children[i]);
      result = node.kind == NodeKind::kAdd ? add(result, next) : multiply(result, next);
    }
  }
  return result;
}

Value Lowering::plus_minus(const Node& node) {
  auto right = value(node.children.back());
  const int sign = node.text == "+-" ? plus_sign_ : -plus_sign_;
  for (auto& cell : right.cells) cell = sign > 0 ? cell : field_.negate(cell);
  return node.children.size() == 1 ? right : add(value(node.children[0]), right);
}

// Angle brackets: a column.
Value Lowering::vector(const Node& node) {
  if (node.text != "<>") throw Undefined{"it is no expression with a value"};
  Value column;
  column.rows = static_cast<int>(node.children.size());
  column.columns = 1;
  column.cells.clear();
  for (const auto child : node.children) column.cells.push_back(scalar(child));
  return column;
}

Frac Lowering::named(const Node& node) {
  const auto bound = bound_.find(node.text);
  if (bound != bound_.end()) return bound->second;
  if (node.text == "pi") return field_.pi();
  if (node.text == "e") return field_.e();
  if (node.text == "i") return field_.i();
  return field_.infinity();
}

Frac Lowering::quantity(const Node& node) {
  const auto number = scalar(node.children[0]);
  if (node.text == "degree") return field_.divide(field_.multiply(number, field_.pi()), Frac(Rational(180)));
  const auto unit = parse_unit(node.text);
  if (!unit) throw Undefined{"a unit that is not known"};
  auto result = field_.multiply(number, Frac(unit->factor));
  for (const auto& [name, exponent] : unit->powers) {
    result = field_.multiply(result, field_.power(field_.symbol("unit " + name), Rational(exponent)));
  }
  return result;
}

Frac Lowering::based(const Node& node) {
  const auto base = node.number.to_int64().value_or(0);
  if (base < 2 || base > 36) throw Undefined{"a base that is none"};
  Rational value = 0;
  for (const char c : node.text) {
    if (c < '0' || c > '9' || c - '0' >= base) throw Undefined{"a digit that its base does not have"};
    value = value * Rational(base) + Rational(c - '0');
  }
  return value;
}

Value Lowering::matrix(const Node& node) {
  Value result;
  result.rows = node.rows;
  result.columns = static_cast<int>(node.children.size()) / node.rows;
  result.cells.clear();
  for (const auto child : node.children) result.cells.push_back(scalar(child));
  return result;
}

Value Lowering::add(const Value& a, const Value& b) {
  if (a.rows != b.rows || a.columns != b.columns) throw Undefined{"a sum of unlike shapes"};
  Value sum = a;
  for (size_t i = 0; i < sum.cells.size(); ++i) sum.cells[i] = field_.add(a.cells[i], b.cells[i]);
  return sum;
}

Value Lowering::multiply(const Value& a, const Value& b) {
  if (!a.is_matrix() && !b.is_matrix()) return Value(field_.multiply(a.cells[0], b.cells[0]));
  if (!a.is_matrix() || !b.is_matrix()) {
    Value result = a.is_matrix() ? a : b;
    const auto& factor = a.is_matrix() ? b.scalar() : a.scalar();
    for (auto& cell : result.cells) cell = field_.multiply(factor, cell);
    return result;
  }
  if (a.columns != b.rows) throw Undefined{"a product of unlike shapes"};
  Value result;
  result.rows = a.rows;
  result.columns = b.columns;
  result.cells.clear();
  for (int i = 0; i < a.rows; ++i) {
    for (int j = 0; j < b.columns; ++j) {
      Frac sum;
      for (int k = 0; k < a.columns; ++k) {
        const auto left = static_cast<size_t>(i * a.columns + k), right = static_cast<size_t>(k * b.columns + j);
        sum = field_.add(sum, field_.multiply(a.cells[left], b.cells[right]));
      }
      result.cells.push_back(std::move(sum));
    }
  }
  return result;
}

Value Lowering::power(const Value& base, const Node& exponent_node, NodeId exponent) {
  if (!base.is_matrix()) return Value(field_.power(base.scalar(), scalar(exponent)));
  if (exponent_node.kind == NodeKind::kSymbol && exponent_node.text == "T") {
    Value turned;
    turned.rows = base.columns;
    turned.columns = base.rows;
    turned.cells.clear();
    for (int i = 0; i < base.columns; ++i) {
      for (int j = 0; j < base.rows; ++j) turned.cells.push_back(base.cells[static_cast<size_t>(j * base.columns + i)]);
    }
    return turned;
  }
  const auto value = scalar(exponent);
  const auto times = value.is_rational() ? value.rational().to_int64() : std::nullopt;
  if (!times || *times < 1 || *times > 64 || base.rows != base.columns) throw Undefined{"a power of a matrix"};
  Value result = base;
  for (int64_t i = 1; i < *times; ++i) result = multiply(result, base);
  return result;
}

// By minors of the first row, up to 5 rows.
Frac Lowering::determinant(const Value& m) {
  if (m.rows != m.columns || m.rows > 5) throw Undefined{"a determinant of what is no small square matrix"};
  if (m.rows <= 1) return m.cells[0];
  Frac sum;
  for (int column = 0; column < m.columns; ++column) {
    Value minor;
    minor.rows = minor.columns = m.rows - 1;
    minor.cells.clear();
    for (int i = 1; i < m.rows; ++i) {
      for (int j = 0; j < m.columns; ++j) {
        if (j != column) minor.cells.push_back(m.cells[static_cast<size_t>(i * m.columns + j)]);
      }
    }
    const auto term = field_.multiply(m.cells[static_cast<size_t>(column)], determinant(minor));
    sum = column % 2 == 0 ? field_.add(sum, term) : field_.subtract(sum, term);
  }
  return sum;
}

}  // namespace r1::rewards::math
