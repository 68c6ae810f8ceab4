#include "rewards/math/parser.h"

#include <algorithm>
#include <string>

#include "rewards/math/budget.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/units.h"

namespace r1::rewards::math {
namespace {

using namespace punct;

bool is_relation_sign(const Token& token) {
  constexpr std::string_view kSigns = "=<>lgn~EX";
  return token.kind == TokenKind::kPunct && kSigns.find(token.punct) != kSigns.npos;
}

constexpr size_t kMaxChildren = 2'000;

}  // namespace

Parser::Nested::Nested(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ <= kMaxDepth) return;
  --parser_.depth_;
  throw Overrun{"it is nested too deeply"};
}

bool Parser::take_word(std::string_view text) {
  if (peek().kind != TokenKind::kWord || peek().text != text) return false;
  next();
  return true;
}

void Parser::expect(char punct, const char* why) {
  if (!take(punct)) throw ParseError{why};
}

NodeId Parser::whole_answer() {
  const auto root = list();
  if (peek().kind != TokenKind::kEnd) throw ParseError{"it goes on after its end"};
  return root;
}

char Parser::takes_separator() {
  char found = 0;
  while (true) {
    if (peek().is(',') || peek().is(';') || peek().is(kNewline)) {
      next();
      if (found == 0) found = ',';
    } else if (take_word("and")) {
      found = '&';
    } else if (take_word("or")) {
      found = '|';
    } else {
      return found;
    }
  }
}

NodeId Parser::list() {
  std::vector<NodeId> items{relation()};
  char joint = ',';
  while (const char separator = takes_separator()) {
    if (separator != ',') joint = separator;
    if (peek().kind == TokenKind::kEnd) break;
    if (peek().is(')') || peek().is(']') || peek().is('}') || peek().is(kSetClose) || peek().is(kAngleClose)) break;
    items.push_back(relation());
    if (items.size() > kMaxChildren) throw Overrun{"a list is too long"};
  }
  return items.size() == 1 ? items[0] : make(NodeKind::kList, std::move(items), std::string(1, joint));
}

NodeId Parser::relation() {
  const Nested nested(*this);
  if (peek().is(kEllipsis)) {
    next();
    return make(NodeKind::kEllipsis, {});
  }
  std::vector<NodeId> operands{sets()};
  std::string signs;
  while (is_relation_sign(peek())) {
    signs += next().punct;
    operands.push_back(sets());
    if (operands.size() > kMaxChildren) throw Overrun{"a chain of relations is too long"};
  }
  return signs.empty() ? operands[0] : make(NodeKind::kRelation, std::move(operands), std::move(signs));
}

NodeId Parser::sets() {
  auto left = ratio();
  for (int count = 0; peek().is(kUnion) || peek().is(kIntersection) || peek().is(kSetMinus); ++count) {
    if (count > kMaxDepth) throw Overrun{"too many sets are joined"};
    std::string operation(1, next().punct);
    const auto right = ratio();
    left = make(NodeKind::kSetOperation, {left, right}, std::move(operation));
  }
  return left;
}

NodeId Parser::ratio() {
  std::vector<NodeId> parts{sum()};
  while (!in_set_ && peek().is(':')) {
    next();
    parts.push_back(sum());
    if (parts.size() > kMaxChildren) throw Overrun{"a ratio is too long"};
  }
  return parts.size() == 1 ? parts[0] : make(NodeKind::kRatio, std::move(parts));
}

NodeId Parser::sum() {
  const Nested nested(*this);
  std::vector<NodeId> terms{product()};
  while (true) {
    if (take('+')) {
      terms.push_back(product());
    } else if (take('-')) {
      terms.push_back(make(NodeKind::kNegate, {product()}));
    } else if (peek().is(kPlusMinus) || peek().is(kMinusPlus)) {
      const char sign = next().punct;
      const auto left = terms.size() == 1 ? terms[0] : make(NodeKind::kAdd, std::move(terms));
      const auto right = product();
      terms = {make(NodeKind::kPlusMinus, {left, right}, sign == kPlusMinus ? "+-" : "-+")};
    } else {
      break;
    }
    if (terms.size() > kMaxChildren) throw Overrun{"a sum is too long"};
  }
  return terms.size() == 1 ? terms[0] : make(NodeKind::kAdd, std::move(terms));
}

bool Parser::ends_integrand() const {
  const auto& token = peek();
  if (open_integrals_ == 0 || token.kind != TokenKind::kWord || token.text[0] != 'd') return false;
  if (token.text.size() == 2) return true;
  const auto& after = peek(1);
  return token.text.size() == 1 &&
         (after.kind == TokenKind::kCommand || (after.kind == TokenKind::kWord && after.text.size() == 1));
}

bool Parser::begins_factor() const {
  const auto& token = peek();
  switch (token.kind) {
    case TokenKind::kNumber:
      return true;
    case TokenKind::kWord:
      return token.text != "and" && token.text != "or" && !ends_integrand();
    case TokenKind::kCommand:
      return token.text != "end" && token.text != "rfloor" && token.text != "rceil" && token.text != "equiv" &&
             token.text != "pmod" && token.text != "implies" && token.text != "over";
    case TokenKind::kPunct:
      return token.is('(') || token.is('[') || token.is('{') || (token.is('|') && open_bars_ == 0 && !in_set_);
    default:
      return false;
  }
}

NodeId Parser::product() {
  const Nested nested(*this);
  auto left = with_unit(factor());
  for (size_t count = 0;; ++count) {
    if (count > kMaxChildren) throw Overrun{"a product is too long"};
    if (take('/')) {
      left = with_unit(make(NodeKind::kDivide, {left, factor()}));
      continue;
    }
    const bool is_explicit = take('*');
    if (!is_explicit && !begins_factor()) return left;
    const auto right = with_unit(factor());
    if (ast_[left].kind == NodeKind::kMultiply && !ast_[left].is_bracketed) {
      ast_.edit(left).children.push_back(right);
    } else {
      left = make(NodeKind::kMultiply, {left, right});
    }
  }
}

NodeId Parser::implicit_product() {
  const Nested nested(*this);
  std::vector<NodeId> factors{factor()};
  while (begins_factor()) {
    const auto& token = peek();
    if (token.kind == TokenKind::kCommand && is_function_name(token.text)) break;
    if (token.kind == TokenKind::kWord && is_function_name(token.text)) break;
    factors.push_back(factor());
    if (factors.size() > kMaxChildren) throw Overrun{"a product is too long"};
  }
  return factors.size() == 1 ? factors[0] : make(NodeKind::kMultiply, std::move(factors));
}

NodeId Parser::factor() {
  const Nested nested(*this);
  if (take('+')) return factor();
  if (take('-')) {
    // A power binds more closely than its sign, and a number keeps its unit inside: -5 cm is (-5) cm.
    return make(NodeKind::kNegate, {factor()});
  }
  if (peek().is(kPlusMinus) || peek().is(kMinusPlus)) {
    const bool is_plus = next().punct == kPlusMinus;
    return make(NodeKind::kPlusMinus, {factor()}, is_plus ? "+-" : "-+");
  }
  const auto base = primary();
  if (ast_[base].kind == NodeKind::kNumber) {
    if (const auto mixed = mixed_fraction(base)) return *mixed;
  }
  return postfix(base);
}

// "3\frac{1}{2}" and "3 1/2", with whole numbers throughout.
std::optional<NodeId> Parser::mixed_fraction(NodeId whole) {
  const auto is_whole = [&](NodeId id) { return ast_[id].kind == NodeKind::kNumber && ast_[id].number.is_integer(); };
  const auto is_digits = [](std::string_view text) { return text.find('.') == text.npos; };
  if (!is_whole(whole) || !is_digits(ast_[whole].text)) return {};
  const auto& token = peek();
  if (token.kind == TokenKind::kCommand && token.text == "frac") {
    const auto before = at_;
    next();
    const auto part = fraction();
    const auto& children = ast_[part].children;
    if (is_whole(children[0]) && is_whole(children[1])) return postfix(make(NodeKind::kMixed, {whole, part}));
    at_ = before;
    return {};
  }
  const bool is_plain = token.kind == TokenKind::kNumber && token.has_space_before && peek(1).is('/') &&
                        peek(2).kind == TokenKind::kNumber && is_digits(token.text) && is_digits(peek(2).text);
  if (!is_plain) return {};
  const auto above = number(next());
  next();
  const auto below = number(next());
  return make(NodeKind::kMixed, {whole, make(NodeKind::kDivide, {above, below})});
}

NodeId Parser::exponent() {
  const Nested nested(*this);
  if (peek().is('{')) return macro_argument();
  if (take('-')) return make(NodeKind::kNegate, {exponent()});
  if (take('+')) return exponent();
  if (peek().is('*') || peek().is('\'')) throw ParseError{"a power without exponent"};
  const auto base = primary();
  if (take('^')) return make(NodeKind::kPower, {base, exponent()});  // right-associative
  return base;
}

NodeId Parser::postfix(NodeId base) {
  for (int count = 0; count < kMaxDepth; ++count) {
    const auto& token = peek();
    if (token.kind != TokenKind::kPunct) return base;
    if (token.punct == '^') {
      next();
      const bool is_braced_degree = peek().is('{') && peek(1).is(kDegree) && peek(2).is('}');
      if (peek().is(kDegree) || is_braced_degree) {
        at_ += is_braced_degree ? 3 : 1;
        base = make(NodeKind::kQuantity, {base}, "degree");
      } else if (peek().is('\'') || (peek().is('{') && peek(1).is('\''))) {
        throw ParseError{"primes are not read"};
      } else {
        base = make(NodeKind::kPower, {base, exponent()});
      }
    } else if (take(kDegree)) {
      base = make(NodeKind::kQuantity, {base}, "degree");
    } else if (token.punct == '_') {
      base = subscripted(base);
    } else if (take('!')) {
      const bool is_double = take('!');
      base = make(NodeKind::kCall, {base}, is_double ? "double_factorial" : "factorial");
    } else if (take('%')) {
      base = make(NodeKind::kPercent, {base});
    } else if (token.punct == '\'' && (ast_[base].kind == NodeKind::kSymbol)) {
      next();
      ast_.edit(base).text += "'";
      if (peek().is('(')) base = call("f:" + ast_[base].text);
    } else {
      return base;
    }
  }
  throw Overrun{"it is nested too deeply"};
}

NodeId Parser::subscripted(NodeId base) {
  expect('_', "an index");
  const auto index = raw_group();
  const auto& node = ast_[base];
  if (node.kind == NodeKind::kNumber) {
    if (index.empty() || index.size() > 2 || index.find_first_not_of("0123456789") != index.npos) {
      throw ParseError{"a number with an index that is no base"};
    }
    return ast_.add({.kind = NodeKind::kBased, .text = node.text, .number = Rational(std::stoi(index))});
  }
  if (node.kind != NodeKind::kSymbol && node.kind != NodeKind::kNamed)
    throw ParseError{"an index of what is no symbol"};
  const auto name = node.text + "_" + index;
  if (peek().is('(') && node.text == "f") return call("f:" + name);
  return make(NodeKind::kSymbol, {}, name);
}

bool Parser::is_unit_word(const Token& token) const {
  if (token.kind == TokenKind::kText) return true;
  if (token.kind != TokenKind::kWord || token.text == "and" || token.text == "or" || ends_integrand()) return false;
  if (is_function_name(token.text) || is_greek_name(token.text)) return false;
  if (token.text.size() >= 2 && is_known_unit(token.text)) return true;
  return token.text.size() >= 3 && token.has_space_before;
}

// Words after a value, as "cm^2", "km/h", "square feet".
std::string Parser::unit() {
  std::string text;
  bool is_after_slash = false;
  while (true) {
    const auto& token = peek();
    const bool is_word = is_unit_word(token) || (is_after_slash && token.kind == TokenKind::kWord);
    if (!is_word) break;
    if (!text.empty() && !is_after_slash) text += ' ';
    text += token.text;
    is_after_slash = false;
    next();
    if (peek().is('^') && (peek(1).kind == TokenKind::kNumber || peek(1).is('{'))) {
      next();
      text += "^" + raw_group();
    }
    const bool is_slash = peek().is('/') && (peek(1).kind == TokenKind::kText || peek(1).kind == TokenKind::kWord);
    const bool is_product = peek().is('*') && is_unit_word(peek(1));
    if (is_slash || is_product) {
      text += next().punct;
      is_after_slash = true;
    }
  }
  return text;
}

NodeId Parser::with_unit(NodeId value) {
  const auto kind = ast_[value].kind;
  if (kind == NodeKind::kText && ast_[value].text == "$" && begins_factor()) {
    return make(NodeKind::kQuantity, {factor()}, "$");
  }
  if (kind == NodeKind::kText || kind == NodeKind::kSetName) return value;
  if (!is_unit_word(peek())) return value;
  if (kind == NodeKind::kQuantity && ast_[value].text == "degree") {
    const auto scale = unit();
    const auto child = ast_[value].children[0];
    return make(NodeKind::kQuantity, {child}, "degree " + scale);
  }
  auto text = unit();
  if (text == "percent" || text == "pct" || text == "percentage") return make(NodeKind::kPercent, {value});
  return make(NodeKind::kQuantity, {value}, std::move(text));
}

Parsed parse(std::string_view text, CommaStyle style, Ast& ast) {
  auto tokens = tokenize(text, style);
  const bool has_ambiguous_comma = tokens.has_ambiguous_comma;
  return {Parser(std::move(tokens), ast).whole_answer(), has_ambiguous_comma};
}

}  // namespace r1::rewards::math
