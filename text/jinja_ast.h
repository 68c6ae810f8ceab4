#pragma once
// The syntax tree of a template. One struct for all expressions and one for all statements: which fields count is said
// beside each kind.

#include <memory>
#include <string>
#include <vector>

#include "text/jinja_value.h"

namespace r1::text::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct NamedArgument {
  std::string name;
  ExpressionPtr value;
};

struct Expression {
  enum class Kind {
    kConstant,     // value
    kName,         // text
    kList,         // parts
    kTuple,        // parts
    kDict,         // parts: key, value, key, value, ...
    kAttribute,    // parts[0] . text
    kItem,         // parts[0] [ parts[1] ]
    kSlice,        // parts[0] [ parts[1] : parts[2] : parts[3] ], null where left out
    kCall,         // parts[0] ( parts[1..], named )
    kFilter,       // parts[0] | text ( parts[1..], named )
    kTest,         // parts[0] is text ( parts[1..], named )
    kNegate,       // - parts[0]
    kPlus,         // + parts[0]
    kNot,          // not parts[0]
    kAnd,          // parts[0] and parts[1]
    kOr,           // parts[0] or parts[1]
    kBinary,       // parts[0] text parts[1], text one of + - * / // % ** ~
    kCompare,      // parts[0] names[0] parts[1] names[1] parts[2] ...: a chain, as in Python
    kConditional,  // parts[0] if parts[1] else parts[2], null where left out
  };
  Kind kind;
  int line = 1;
  int depth = 1;  // of the tree below: bounds the recursion of every walk
  std::string text;
  Value value;
  std::vector<ExpressionPtr> parts;
  std::vector<NamedArgument> named;
  std::vector<std::string> names;
};

struct Statement {
  enum class Kind {
    kText,      // text
    kOutput,    // expression
    kIf,        // expression, body, otherwise (an elif is an if alone in there)
    kFor,       // names in expression if filter: body, otherwise
    kSet,       // names = expression; names has one "ns.key" if text is "namespace"
    kSetBlock,  // names[0] = what body prints
    kMacro,     // text ( names, with defaults for the last ones ): body
    kBody,      // body: {% generation %}
    kBreak,
    kContinue,
  };
  Kind kind;
  int line = 1;
  std::string text;
  ExpressionPtr expression, filter;
  std::vector<std::string> names;
  std::vector<ExpressionPtr> defaults;
  std::vector<Statement> body, otherwise;
};

}  // namespace r1::text::jinja
