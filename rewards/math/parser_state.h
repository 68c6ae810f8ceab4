#pragma once
// The parser's own class, split over parser.cpp (lists down to factors) and parser_primary.cpp (what factors are).
//
//   list      = relation {("," | ";" | "and" | "or" | newline) relation}
//   relation  = sets {("=" | "<" | "in" | ...) sets}
//   sets      = ratio {(union | intersection | difference) ratio}
//   ratio     = sum {":" sum}
//   sum       = product {("+" | "-" | "+-") product}
//   product   = factor {["*" | "/"] factor}
//   factor    = {sign} primary {"^" exponent | "_" index | "!" | "%" | degree | "'"} [unit]

#include <utility>

#include "rewards/math/parser.h"

namespace r1::rewards::math {

class Parser {
 public:
  Parser(Tokens tokens, Ast& ast) : tokens_(std::move(tokens)), ast_(ast) {}

  NodeId whole_answer();

 private:
  class Nested {  // counts depth while it lives
   public:
    explicit Nested(Parser& parser);
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser& parser_;
  };

  // parser.cpp
  NodeId list();
  NodeId relation();
  NodeId sets();
  NodeId ratio();
  NodeId sum();
  NodeId product();
  NodeId implicit_product();  // an argument without brackets, as of "\sin 2x"
  NodeId factor();
  NodeId postfix(NodeId base);
  NodeId exponent();
  NodeId subscripted(NodeId base);
  NodeId with_unit(NodeId value);
  std::string unit();
  char takes_separator();  // ',', '&' for "and", '|' for "or"; 0 for none
  bool begins_factor() const;
  bool ends_integrand() const;
  bool is_unit_word(const Token& token) const;
  std::optional<NodeId> mixed_fraction(NodeId whole);

  // parser_primary.cpp
  NodeId primary();
  NodeId number(const Token& token);
  NodeId word(const Token& token);
  NodeId command(const Token& token);
  NodeId bracketed(char open);
  NodeId braced();
  NodeId set();
  NodeId absolute_value();
  NodeId call(std::string name);
  NodeId fraction();
  NodeId square_root();
  NodeId binomial();
  NodeId big_operator(const std::string& name);
  NodeId integral();
  NodeId limit();
  NodeId environment();
  NodeId rows(const std::string& name, const std::string& end);
  NodeId macro_argument();
  NodeId factor_of_limit();
  NodeId case_part();
  NodeId floor_or_ceiling(bool is_floor);
  std::string raw_group();             // the tokens of a braced group, or the next token, as text
  std::pair<NodeId, NodeId> limits();  // "_a^b" in either order; kNone where missing

  const Token& peek(size_t ahead = 0) const { return tokens_.list[std::min(at_ + ahead, tokens_.list.size() - 1)]; }
  Token next() {
    const Token token = peek();
    if (at_ + 1 < tokens_.list.size()) ++at_;
    return token;
  }
  bool take(char punct) {
    if (!peek().is(punct)) return false;
    next();
    return true;
  }
  bool take_word(std::string_view text);
  void expect(char punct, const char* why);
  NodeId make(NodeKind kind, std::vector<NodeId> children, std::string text = {}) {
    return ast_.add({.kind = kind, .children = std::move(children), .text = std::move(text)});
  }

  static constexpr NodeId kNone = static_cast<NodeId>(-1);

  Tokens tokens_;
  Ast& ast_;
  size_t at_ = 0;
  int depth_ = 0;
  int open_bars_ = 0;  // |...| around here; 0 again within brackets
  int open_integrals_ = 0;
  bool in_set_ = false;  // a bar or colon here divides a set's element from its condition
};

bool is_function_name(std::string_view name);
bool is_greek_name(std::string_view name);

}  // namespace r1::rewards::math
