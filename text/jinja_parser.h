#pragma once
// Tokens to syntax tree, by recursive descent with jinja2's precedences.

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"

namespace r1::text::jinja {

// A cursor over tokens that knows how to fail.
class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::string name) : tokens_(std::move(tokens)), name_(std::move(name)) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(next_ + ahead, tokens_.size() - 1)]; }
  Token take() { return std::move(tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]); }
  bool is_operator(std::string_view text) const { return is(TokenKind::kOperator, text); }
  bool is_name(std::string_view text) const { return is(TokenKind::kName, text); }
  bool skip_operator(std::string_view text) { return is_operator(text) && (take(), true); }
  bool skip_name(std::string_view text) { return is_name(text) && (take(), true); }
  void expect_operator(std::string_view text);
  void expect(TokenKind kind, std::string_view what);
  std::string expect_name(std::string_view what);

  std::string where() const;  // NAME:LINE of the next token
  [[noreturn]] void fail(const std::string& what, const std::string& mend) const;
  [[noreturn]] void fail_unexpected(std::string_view wanted) const;

 private:
  bool is(TokenKind kind, std::string_view text) const { return peek().kind == kind && peek().text == text; }
  std::vector<Token> tokens_;
  size_t next_ = 0;
  std::string name_;
};

// One expression, a tuple without brackets only where `{% set a = 1, 2 %}` allows it.
ExpressionPtr parse_expression(TokenStream& tokens);
ExpressionPtr parse_tuple_expression(TokenStream& tokens);
// What `for x in THIS if filter` may hold: no conditional, as its "if" is the loop's.
ExpressionPtr parse_loop_source(TokenStream& tokens);

// A whole template.
std::vector<Statement> parse(std::string_view source, const std::string& name);

}  // namespace r1::text::jinja
