#pragma once
// Whether two answers say the same: what may stand for what (a list for a set, an inequality for an interval, a number
// for a quantity whose unit the key leaves out), and then their values.

#include <optional>
#include <string>

#include "rewards/math/ast.h"
#include "rewards/math/lower.h"
#include "rewards/math/region.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {

struct Comparison {
  Tri equal = Tri::kUnknown;
  std::string reason;         // empty for equal
  bool has_no_value = false;  // unknown because something has no value
};

// `tolerance`: how far a number may lie from the key's; only where the key itself says so.
Comparison compare_answers(const Ast& ast, NodeId gold, NodeId answer, Budget& budget,
                           const std::optional<Rational>& tolerance);

// The value of a plain expression as text that equal expressions mostly share; empty for other answers.
std::string canonical_text(const Ast& ast, NodeId id, Budget& budget);

}  // namespace r1::rewards::math
