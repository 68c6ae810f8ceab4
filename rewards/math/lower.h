#pragma once
// Trees of expressions to values in a Field: numbers, functions of variables, matrices of them.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/ast.h"
#include "rewards/math/field.h"

namespace r1::rewards::math {

// One value, or rows * columns of them.
struct Value {
  int rows = 0;  // 0: no matrix
  int columns = 0;
  std::vector<Frac> cells{Frac()};

  Value() = default;
  explicit Value(Frac scalar) : cells{std::move(scalar)} {}
  bool is_matrix() const { return rows > 0; }
  const Frac& scalar() const { return cells[0]; }
};

class Lowering {
 public:
  Lowering(const Ast& ast, Field& field) : ast_(ast), field_(field) {}

  // What "+-" stands for until the next call: 1 or -1 ("-+" is the other).
  void set_plus_minus(int sign) { plus_sign_ = sign; }

  // Throw Undefined for what has no value, Overrun for what costs too much.
  Value value(NodeId id);
  Frac scalar(NodeId id);

 private:
  friend class Calculus;

  Value call(const Node& node);
  Frac function(std::string_view name, const std::vector<NodeId>& args);
  std::optional<Frac> whole_number_function(std::string_view name, const std::vector<Frac>& args);
  Frac extreme(std::string_view name, const std::vector<Frac>& args);
  Value arithmetic(const Node& node);
  Value plus_minus(const Node& node);
  Value vector(const Node& node);
  Frac named(const Node& node);
  Frac quantity(const Node& node);
  Frac based(const Node& node);
  Frac factorial(const Frac& n, int64_t step);
  Frac binomial(const Frac& n, const Frac& k);
  Value matrix(const Node& node);
  Value add(const Value& a, const Value& b);
  Value multiply(const Value& a, const Value& b);
  Value power(const Value& base, const Node& exponent_node, NodeId exponent);
  Frac determinant(const Value& m);

  const Ast& ast_;
  Field& field_;
  int plus_sign_ = 1;
  int depth_ = 0;
  std::map<std::string, Frac, std::less<>> bound_;  // counters of sums
};

bool contains_kind(const Ast& ast, NodeId id, NodeKind kind);

}  // namespace r1::rewards::math
