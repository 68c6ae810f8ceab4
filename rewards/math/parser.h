#pragma once
// LaTeX and plain text of an answer to its tree.

#include "rewards/math/ast.h"
#include "rewards/math/lexer.h"

namespace r1::rewards::math {

struct Parsed {
  NodeId root = 0;
  bool has_ambiguous_comma = false;
};

// The whole text as one answer. Throws ParseError if it is none and Overrun if it is too long or too deep.
Parsed parse(std::string_view text, CommaStyle style, Ast& ast);

}  // namespace r1::rewards::math
