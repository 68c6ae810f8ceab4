#pragma once
// What an answer says, as a tree: expressions, and what answers are besides: lists, sets, intervals, relations,
// matrices, quantities with units, words.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/rational.h"

namespace r1::rewards::math {

enum class NodeKind : uint8_t {
  kNumber,        // number; text: as it was written
  kSymbol,        // text: name with its subscript
  kNamed,         // text: pi, e, i, oo
  kAdd,           // children
  kMultiply,      // children
  kDivide,        // 2 children
  kNegate,        // 1 child
  kPower,         // base, exponent
  kPlusMinus,     // text "+-" or "-+"; 1 child, or 2: a +- b
  kCall,          // text: function; children: arguments
  kList,          // children, without brackets; text: ',', '&' (and) or '|' (or)
  kGroup,         // children; text: the two brackets
  kSet,           // children
  kSetBuilder,    // element, condition
  kSetName,       // text: R, Z, N, Q, C, or empty
  kSetOperation,  // text: U (union), I (intersection) or S (difference); 2 children
  kRelation,      // children: operands; text: the signs between them, as in punct
  kMatrix,        // children by rows; rows
  kText,          // text
  kQuantity,      // child; text: unit
  kPercent,       // child
  kRatio,         // children
  kBased,         // text: digits; number: base
  kMixed,         // whole, fraction
  kSum,           // text: sum, prod; body, variable, from, to
  kIntegral,      // body, variable; or body, variable, from, to
  kLimit,         // body, variable, target; text: "", "+" or "-"
  kCases,         // value, condition, value, condition, ...
  kEllipsis,
};

using NodeId = uint32_t;

struct Node {
  NodeKind kind = NodeKind::kNumber;
  bool is_bracketed = false;  // stood in round or square brackets of its own
  int rows = 0;
  std::vector<NodeId> children;
  std::string text;
  Rational number;
};

class Ast {
 public:
  NodeId add(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  Node& edit(NodeId id) { return nodes_[id]; }

 private:
  std::vector<Node> nodes_;
};

}  // namespace r1::rewards::math
