// What factors are made of: numbers, names, brackets, LaTeX commands and environments.

#include <algorithm>
#include <array>
#include <string>

#include "rewards/math/budget.h"
#include "rewards/math/parser_state.h"

namespace r1::rewards::math {
namespace {

using namespace punct;

constexpr std::array<std::string_view, 49> kFunctions{
    "sin",     "cos",    "tan",    "cot",    "sec",   "csc",    "sinh",   "cosh",      "tanh",    "coth",
    "arcsin",  "arccos", "arctan", "arccot", "asin",  "acos",   "atan",   "ln",        "log",     "lg",
    "exp",     "sqrt",   "abs",    "min",    "max",   "gcd",    "lcm",    "floor",     "ceil",    "sgn",
    "sign",    "Re",     "Im",     "det",    "binom", "arsinh", "arcosh", "artanh",    "arcsinh", "arccosh",
    "arctanh", "Gamma",  "mod",    "deg",    "cbrt",  "arg",    "tr",     "factorial", "lb"};

constexpr std::array<std::string_view, 36> kGreek{
    "alpha",    "beta",   "gamma",   "delta",  "epsilon", "varepsilon", "zeta", "eta",   "theta",
    "vartheta", "iota",   "kappa",   "lambda", "mu",      "nu",         "xi",   "rho",   "varrho",
    "sigma",    "tau",    "upsilon", "phi",    "varphi",  "chi",        "psi",  "omega", "Delta",
    "Theta",    "Lambda", "Xi",      "Sigma",  "Upsilon", "Phi",        "Psi",  "Omega", "ell"};

constexpr std::array<std::string_view, 12> kDecorations{"overline", "bar",     "hat",     "tilde",     "vec",
                                                        "dot",      "ddot",    "widehat", "widetilde", "overrightarrow",
                                                        "check",    "mathring"};

// What a reader takes for a function where brackets follow at once.
bool is_applied_letter(std::string_view name) {
  return name == "f" || name == "g" || name == "h" || name == "F" || name == "G";
}
bool is_perhaps_applied_letter(std::string_view name) {
  return name == "P" || name == "Q" || name == "W" || name == "H" || name == "p" || name == "q" || name == "T" ||
         name == "S";
}

}  // namespace

bool is_function_name(std::string_view name) {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}
bool is_greek_name(std::string_view name) {
  return name == "pi" || std::find(kGreek.begin(), kGreek.end(), name) != kGreek.end();
}

NodeId Parser::primary() {
  const Nested nested(*this);
  const Token token = next();
  switch (token.kind) {
    case TokenKind::kNumber:
      return number(token);
    case TokenKind::kWord:
      return word(token);
    case TokenKind::kCommand:
      return command(token);
    case TokenKind::kText:
      if (token.text.size() == 1 && token.text != "$") return make(NodeKind::kSymbol, {}, std::string(token.text));
      return make(NodeKind::kText, {}, std::string(token.text));
    case TokenKind::kPunct:
      break;
    case TokenKind::kEnd:
      throw ParseError{"it ends too early"};
  }
  switch (token.punct) {
    case '(':
    case '[':
    case kAngleOpen:
      return bracketed(token.punct);
    case '{':
      return braced();
    case kSetOpen:
      return set();
    case '|':
      return absolute_value();
    case kEllipsis:
      return make(NodeKind::kEllipsis, {});
    default:
      throw ParseError{"a sign where a value should be"};
  }
}

NodeId Parser::number(const Token& token) {
  const auto point = token.text.find('.');
  std::string digits(token.text);
  int64_t places = 0;
  if (point != std::string::npos) {
    digits.erase(point, 1);
    places = static_cast<int64_t>(digits.size() - point);
  }
  // "1.5e-3": an e that touches the digits before and after it.
  int64_t exponent = 0;
  const auto& e = peek();
  if (e.kind == TokenKind::kWord && (e.text == "e" || e.text == "E") && !e.has_space_before) {
    const bool has_sign = peek(1).is('-') || peek(1).is('+');
    const auto& power = peek(has_sign ? 2 : 1);
    const bool is_power = power.kind == TokenKind::kNumber && !power.has_space_before && power.text.size() <= 6 &&
                          power.text.find('.') == std::string_view::npos;
    if (is_power) {
      exponent = std::stoi(std::string(power.text)) * (peek(1).is('-') ? -1 : 1);
      at_ += has_sign ? 3 : 2;
    }
  }
  const auto value = Rational::from_digits(digits, places, exponent);
  auto text = std::string(token.text);
  // 0.1\overline{6}: the bar's digits repeat for ever.
  const bool has_bar = point != std::string::npos && exponent == 0 && peek().kind == TokenKind::kCommand &&
                       (peek().text == "overline" || peek().text == "bar" || peek().text == "dot");
  if (has_bar && peek(1).is('{') && peek(2).kind == TokenKind::kNumber && peek(3).is('}')) {
    const std::string period(peek(2).text);
    if (period.find('.') == std::string::npos && period.size() < 500) {
      at_ += 4;
      const auto length = static_cast<int64_t>(period.size());
      const auto ones = power(Rational(10), length) - 1;
      const auto tail = Rational::from_digits(period, 0, 0) / ones * power(Rational(10), -places);
      return ast_.add({.kind = NodeKind::kNumber, .text = text + "~", .number = value + tail});
    }
  }
  return ast_.add({.kind = NodeKind::kNumber, .text = std::move(text), .number = value});
}

NodeId Parser::word(const Token& token) {
  const std::string name(token.text);
  if (name == "pi" || name == "e" || name == "i") return make(NodeKind::kNamed, {}, name);
  if (name == "infinity" || name == "inf" || name == "oo" || name == "Infinity")
    return make(NodeKind::kNamed, {}, "oo");
  if (name == "sqrt") return square_root();
  if (is_function_name(name)) return call(name);
  if (is_greek_name(name)) return make(NodeKind::kSymbol, {}, name);
  const bool is_letter = static_cast<unsigned char>(name[0]) < 0x80;
  if (name.size() == 1 || !is_letter) {
    const bool touches = peek().is('(') && !peek().has_space_before;
    const bool has_plain_argument = peek(1).kind != TokenKind::kPunct && peek(2).is(')');
    if (touches && (is_applied_letter(name) || (is_perhaps_applied_letter(name) && has_plain_argument))) {
      return call("f:" + name);
    }
    return make(NodeKind::kSymbol, {}, name);
  }
  if (name.size() > 4) return make(NodeKind::kText, {}, name);
  // Letters side by side are a product, the last of them with what follows.
  std::vector<NodeId> letters;
  for (const char c : name) {
    const bool is_named = c == 'e' || c == 'i';
    letters.push_back(make(is_named ? NodeKind::kNamed : NodeKind::kSymbol, {}, std::string(1, c)));
  }
  if (peek().is('^') || peek().is('_') || peek().is('!')) letters.back() = postfix(letters.back());
  const auto product = make(NodeKind::kMultiply, std::move(letters));
  ast_.edit(product).is_bracketed = true;
  return product;
}

NodeId Parser::command(const Token& token) {
  const std::string name(token.text);
  if (name == "frac") return fraction();
  if (name == "sqrt") return square_root();
  if (name == "binom") return binomial();
  if (name == "pi") return make(NodeKind::kNamed, {}, name);
  if (name == "infty") return make(NodeKind::kNamed, {}, "oo");
  if (name == "emptyset" || name == "varnothing") return make(NodeKind::kSetName, {}, "empty");
  if (name.starts_with("set") && name.size() == 4) return make(NodeKind::kSetName, {}, name.substr(3));
  if (name == "imath") return make(NodeKind::kNamed, {}, "i");
  if (name == "begin") return environment();
  if (name == "sum" || name == "prod") return big_operator(name);
  if (name == "int") return integral();
  if (name == "lim") return limit();
  if (name == "lfloor" || name == "lceil") return floor_or_ceiling(name == "lfloor");
  if (name == "angle" || name == "triangle") return make(NodeKind::kSymbol, {}, name + raw_group());
  if (is_function_name(name)) return call(name);
  if (is_greek_name(name)) return make(NodeKind::kSymbol, {}, name);
  if (std::find(kDecorations.begin(), kDecorations.end(), name) != kDecorations.end()) {
    const auto inner = raw_group();
    return make(NodeKind::kSymbol, {}, inner.size() == 1 || name == "vec" ? name + " " + inner : inner);
  }
  throw ParseError{"the command \\" + name.substr(0, 40) + " is not known"};
}

NodeId Parser::bracketed(char open) {
  const bool old_in_set = std::exchange(in_set_, false);
  const int old_bars = std::exchange(open_bars_, 0);
  const auto inner = list();
  in_set_ = old_in_set;
  open_bars_ = old_bars;
  const Token close = next();
  const bool is_closed = open == kAngleOpen ? close.is(kAngleClose) : close.is(')') || close.is(']');
  if (!is_closed) throw ParseError{"unbalanced brackets"};
  const auto text = open == kAngleOpen ? std::string("<>") : std::string{open, close.punct};
  if (ast_[inner].kind == NodeKind::kList) {
    return make(NodeKind::kGroup, ast_[inner].children, text);
  }
  if (open == kAngleOpen || text == "(]" || text == "[)") throw ParseError{"brackets that do not match"};
  ast_.edit(inner).is_bracketed = true;
  return inner;
}

NodeId Parser::braced() {
  if (take('}')) throw ParseError{"empty braces"};
  const auto inner = list();
  expect('}', "unbalanced braces");
  if (ast_[inner].kind == NodeKind::kList) return make(NodeKind::kSet, ast_[inner].children);
  ast_.edit(inner).is_bracketed = true;
  return inner;
}

NodeId Parser::set() {
  if (take(kSetClose)) return make(NodeKind::kSetName, {}, "empty");
  const bool old_in_set = std::exchange(in_set_, true);
  const int old_bars = std::exchange(open_bars_, 0);
  const auto inner = list();
  NodeId condition = kNone;
  if (take('|') || take(':')) condition = list();
  in_set_ = old_in_set;
  open_bars_ = old_bars;
  expect(kSetClose, "unbalanced braces");
  if (condition != kNone) return make(NodeKind::kSetBuilder, {inner, condition});
  if (ast_[inner].kind == NodeKind::kList) return make(NodeKind::kSet, ast_[inner].children);
  return make(NodeKind::kSet, {inner});
}

NodeId Parser::absolute_value() {
  const int old_bars = std::exchange(open_bars_, 1);
  const bool old_in_set = std::exchange(in_set_, false);
  const auto inner = sum();
  open_bars_ = old_bars;
  in_set_ = old_in_set;
  expect('|', "unbalanced bars");
  return make(NodeKind::kCall, {inner}, "abs");
}

// A function with its indices, powers and argument: "\log_2 8", "\sin^2 x", "f(x, y)".
NodeId Parser::call(std::string name) {
  const Nested nested(*this);
  NodeId index = kNone, exponent_node = kNone;
  for (int i = 0; i < 2; ++i) {
    if (take('_')) {
      index = macro_argument();
    } else if (peek().is('^') && !name.starts_with("f:")) {
      next();
      exponent_node = exponent();
    }
  }
  std::vector<NodeId> arguments;
  const auto& token = peek();
  if (token.is('(') || token.is('[') || token.is('{')) {
    const auto argument = primary();
    const auto& node = ast_[argument];
    if ((node.kind == NodeKind::kGroup && node.text == "()") || node.kind == NodeKind::kSet) {
      arguments = node.children;
    } else {
      arguments = {argument};
    }
  } else {
    arguments = {implicit_product()};
  }
  if (name == "log" && index != kNone) {
    name = "log_base";
    arguments.insert(arguments.begin(), index);
  } else if (index != kNone && name != "min" && name != "max") {
    throw ParseError{"a function with an index"};
  }
  const bool is_inverse = exponent_node != kNone && ast_[exponent_node].kind == NodeKind::kNegate &&
                          ast_[ast_[exponent_node].children[0]].text == "1";
  if (is_inverse && (name == "sin" || name == "cos" || name == "tan")) {
    return make(NodeKind::kCall, std::move(arguments), "arc" + name);
  }
  const auto value = make(NodeKind::kCall, std::move(arguments), std::move(name));
  return exponent_node == kNone ? value : make(NodeKind::kPower, {value, exponent_node});
}

// The argument of a command: a braced group, one digit of a number, or one factor.
NodeId Parser::macro_argument() {
  const Nested nested(*this);
  if (peek().is('{')) {
    next();
    return braced();
  }
  auto& token = tokens_.list[at_];
  if (token.kind == TokenKind::kNumber && token.text.size() > 1) {
    const Token digit{.kind = TokenKind::kNumber, .text = token.text.substr(0, 1)};
    token.text.remove_prefix(1);
    token.has_space_before = false;
    return number(digit);
  }
  if (token.kind == TokenKind::kWord && token.text.size() > 1 && static_cast<unsigned char>(token.text[0]) < 0x80) {
    const Token letter{.kind = TokenKind::kWord, .text = token.text.substr(0, 1)};
    token.text.remove_prefix(1);
    token.has_space_before = false;
    const bool is_named = letter.text == "e" || letter.text == "i";
    return make(is_named ? NodeKind::kNamed : NodeKind::kSymbol, {}, std::string(letter.text));
  }
  return primary();
}

NodeId Parser::fraction() {
  const auto above = macro_argument();
  const auto below = macro_argument();
  const auto result = make(NodeKind::kDivide, {above, below});
  ast_.edit(result).is_bracketed = true;
  return result;
}

NodeId Parser::square_root() {
  NodeId order = kNone;
  if (take('[')) {
    order = sum();
    expect(']', "a root's order without its end");
  }
  // "\\sqrt2" and "\\sqrt 12" as people write them: the whole number.
  const auto radicand = peek().is('{') ? macro_argument() : primary();
  if (order == kNone) return make(NodeKind::kCall, {radicand}, "sqrt");
  return make(NodeKind::kCall, {radicand, order}, "root");
}

NodeId Parser::binomial() {
  const auto above = macro_argument();
  const auto below = macro_argument();
  return make(NodeKind::kCall, {above, below}, "binom");
}

NodeId Parser::floor_or_ceiling(bool is_floor) {
  const auto inner = sum();
  const auto close = next();
  if (close.kind != TokenKind::kCommand || close.text != (is_floor ? "rfloor" : "rceil")) {
    throw ParseError{"unbalanced brackets"};
  }
  return make(NodeKind::kCall, {inner}, is_floor ? "floor" : "ceil");
}

std::string Parser::raw_group() {
  const auto text_of = [](const Token& token) {
    return token.kind == TokenKind::kPunct ? std::string(1, token.punct) : std::string(token.text);
  };
  const Token first = next();
  if (first.kind == TokenKind::kEnd) throw ParseError{"it ends too early"};
  if (!first.is('{')) return text_of(first);
  std::string text;
  for (int depth = 1;;) {
    const Token token = next();
    if (token.kind == TokenKind::kEnd) throw ParseError{"unbalanced braces"};
    if (token.is('{')) ++depth;
    if (token.is('}') && --depth == 0) return text;
    if (!text.empty() && token.has_space_before && token.kind == TokenKind::kWord) text += ' ';
    text += text_of(token);
  }
}

}  // namespace r1::rewards::math
