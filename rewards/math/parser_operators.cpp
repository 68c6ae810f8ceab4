// Sums, products, integrals, limits, matrices and cases.

#include <string>

#include "rewards/math/budget.h"
#include "rewards/math/parser_state.h"

namespace r1::rewards::math {

using namespace punct;

std::pair<NodeId, NodeId> Parser::limits() {
  NodeId from = kNone, to = kNone;
  for (int i = 0; i < 2; ++i) {
    if (take('_')) {
      if (peek().is('{')) {
        next();
        from = relation();
        expect('}', "unbalanced braces");
      } else {
        from = macro_argument();
      }
    } else if (take('^')) {
      to = macro_argument();
    }
  }
  return {from, to};
}

NodeId Parser::big_operator(const std::string& name) {
  const Nested nested(*this);
  const auto [from, to] = limits();
  if (from == kNone || to == kNone) throw ParseError{"a sum or product without its limits"};
  const auto& start = ast_[from];
  const bool is_assignment =
      start.kind == NodeKind::kRelation && start.text == "=" && ast_[start.children[0]].kind == NodeKind::kSymbol;
  // i and e are names like any other where they count.
  const bool is_imaginary =
      start.kind == NodeKind::kRelation && start.text == "=" && ast_[start.children[0]].kind == NodeKind::kNamed;
  if (!is_assignment && !is_imaginary) throw ParseError{"a sum or product over what is no counter"};
  const auto counter = start.children[0], first = start.children[1];
  const auto body = product();
  return make(NodeKind::kSum, {body, counter, first, to}, name);
}

NodeId Parser::integral() {
  const Nested nested(*this);
  const auto [from, to] = limits();
  if ((from == kNone) != (to == kNone)) throw ParseError{"an integral with one limit"};
  ++open_integrals_;
  const auto body = ends_integrand() ? ast_.add({.kind = NodeKind::kNumber, .text = "1", .number = 1}) : sum();
  if (!ends_integrand()) {
    --open_integrals_;
    throw ParseError{"an integral without its variable"};
  }
  --open_integrals_;
  const Token differential = next();
  std::string name(differential.text.substr(1));
  if (name.empty()) name = next().text;
  const auto variable = make(NodeKind::kSymbol, {}, name);
  if (from == kNone) return make(NodeKind::kIntegral, {body, variable});
  return make(NodeKind::kIntegral, {body, variable, from, to});
}

NodeId Parser::limit() {
  const Nested nested(*this);
  expect('_', "a limit without its variable");
  expect('{', "a limit without its variable");
  const auto variable = primary();
  if (ast_[variable].kind != NodeKind::kSymbol) throw ParseError{"a limit in what is no variable"};
  expect(kArrow, "a limit without its arrow");
  const auto target = factor_of_limit();
  std::string side;
  if (take('^')) {
    const auto mark = raw_group();
    if (mark != "+" && mark != "-") throw ParseError{"a limit's side that is none"};
    side = mark;
  }
  expect('}', "unbalanced braces");
  return make(NodeKind::kLimit, {product(), variable, target}, side);
}

// "0", "-1", "\infty", "+\infty", "\frac{\pi}{2}": what may stand before a side's sign.
NodeId Parser::factor_of_limit() {
  if (take('-')) return make(NodeKind::kNegate, {primary()});
  take('+');
  auto value = primary();
  if (take('/')) value = make(NodeKind::kDivide, {value, primary()});
  return value;
}

NodeId Parser::environment() {
  const Nested nested(*this);
  const auto name = raw_group();
  const bool is_matrix = name.find("matrix") != std::string::npos || name == "array";
  const bool is_cases = name == "cases" || name == "dcases" || name == "rcases";
  if (name == "array" && peek().is('{')) raw_group();  // the columns' alignment
  if (is_matrix || is_cases) return rows(name, is_cases ? "cases" : "matrix");
  if (name.starts_with("align") || name.starts_with("gather") || name == "equation" || name == "split") {
    const auto inner = list();
    const Token end = next();
    if (end.kind != TokenKind::kCommand || end.text != "end" || raw_group() != name)
      throw ParseError{"an open environment"};
    return inner;
  }
  throw ParseError{"an environment that is not known"};
}

NodeId Parser::rows(const std::string& name, const std::string& form) {
  std::vector<NodeId> cells;
  int num_rows = 1;
  size_t row_start = 0, columns = 0;
  const auto ends_row = [&] {
    const auto width = cells.size() - row_start;
    if (columns != 0 && width != columns) throw ParseError{"rows of unlike length"};
    columns = width;
    row_start = cells.size();
  };
  while (true) {
    if (cells.size() > 400) throw Overrun{"a matrix is too large"};
    cells.push_back(form == "cases" ? case_part() : sum());
    if (form == "cases" && !take(',')) take(';');
    if (take('&')) continue;
    const bool is_condition_next = form == "cases" && (cells.size() - row_start) == 1 &&
                                   peek().kind != TokenKind::kEnd && !peek().is(kNewline) &&
                                   !(peek().kind == TokenKind::kCommand && peek().text == "end");
    if (is_condition_next) continue;
    if (take(kNewline) && !(peek().kind == TokenKind::kCommand && peek().text == "end")) {
      ends_row();
      ++num_rows;
      continue;
    }
    ends_row();
    break;
  }
  const Token end = next();
  if (end.kind != TokenKind::kCommand || end.text != "end" || raw_group() != name)
    throw ParseError{"an open environment"};
  if (form == "cases") {
    if (columns != 2) return make(NodeKind::kList, std::move(cells));  // a system of equations
    return make(NodeKind::kCases, std::move(cells));
  }
  const auto matrix = make(NodeKind::kMatrix, std::move(cells));
  ast_.edit(matrix).rows = num_rows;
  if (name == "vmatrix") return make(NodeKind::kCall, {matrix}, "det");
  return matrix;
}

// A value or a condition of cases; the words around conditions say nothing.
NodeId Parser::case_part() {
  const auto skip_words = [&] {
    while (peek().kind == TokenKind::kText || take_word("if") || take_word("for") || take_word("when")) {
      if (peek().kind != TokenKind::kText) continue;
      const auto text = peek().text;
      if (text != "if" && text != "for" && text != "when" && text != "where" && text != "otherwise" && text != "else")
        break;
      if (text == "otherwise" || text == "else") break;
      next();
    }
  };
  skip_words();
  take(',');
  skip_words();
  return relation();
}

}  // namespace r1::rewards::math
