// Expressions of the template language.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "text/jinja_functions.h"
#include "text/jinja_parser.h"

namespace r1::text::jinja {
namespace {

using Kind = Expression::Kind;

// Deeper trees than any real template's are refused, so that no walk over one can overflow the stack.
constexpr int kMaxExpressionDepth = 200;

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  ExpressionPtr conditional() {
    Nesting nesting(*this);
    auto left = disjunction();
    while (tokens_.skip_name("if")) {
      auto condition = disjunction();
      auto otherwise = tokens_.skip_name("else") ? conditional() : nullptr;
      left = make(Kind::kConditional, "", std::move(left), std::move(condition), std::move(otherwise));
    }
    return left;
  }

  ExpressionPtr disjunction() {
    auto left = conjunction();
    while (tokens_.skip_name("or")) left = make(Kind::kOr, "", std::move(left), conjunction());
    return left;
  }

  // Items up to a closing bracket or the end of the tag.
  ExpressionPtr tuple_or_one() {
    auto first = conditional();
    if (!tokens_.is_operator(",")) return first;
    auto tuple = make(Kind::kTuple, "", std::move(first));
    while (tokens_.skip_operator(",")) {
      if (tokens_.is_operator(")") || tokens_.peek().kind == TokenKind::kBlockEnd) break;
      add_part(*tuple, conditional());
    }
    return tuple;
  }

 private:
  // Counts brackets and operators that are open, to bound the parser's own recursion.
  struct Nesting {
    explicit Nesting(ExpressionParser& p) : parser(p) { parser.check_depth(++parser.nesting_); }
    ~Nesting() { --parser.nesting_; }
    ExpressionParser& parser;
  };

  void check_depth(int depth) const {
    if (depth > kMaxExpressionDepth) {
      tokens_.fail(fmt::format("an expression nests more than {} deep", kMaxExpressionDepth),
                   "split it with {% set %}");
    }
  }

  void add_part(Expression& e, ExpressionPtr part) {
    if (part) e.depth = std::max(e.depth, part->depth + 1);
    check_depth(e.depth);
    e.parts.push_back(std::move(part));
  }

  template <typename... Parts>
  ExpressionPtr make(Kind kind, std::string text, Parts... parts) {
    auto e = std::make_unique<Expression>();
    e->kind = kind;
    e->line = tokens_.peek().line;
    e->text = std::move(text);
    (add_part(*e, std::move(parts)), ...);
    return e;
  }

  ExpressionPtr constant(Value value) {
    auto e = make(Kind::kConstant, "");
    e->value = std::move(value);
    return e;
  }

  ExpressionPtr conjunction() {
    auto left = negation();
    while (tokens_.skip_name("and")) left = make(Kind::kAnd, "", std::move(left), negation());
    return left;
  }

  ExpressionPtr negation() {
    Nesting nesting(*this);
    if (tokens_.is_name("not")) {
      tokens_.take();
      return make(Kind::kNot, "", negation());
    }
    return comparison();
  }

  std::string comparison_operator() {
    for (const char* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (tokens_.skip_operator(op)) return op;
    }
    if (tokens_.skip_name("in")) return "in";
    const bool is_not_in =
        tokens_.is_name("not") && tokens_.peek(1).kind == TokenKind::kName && tokens_.peek(1).text == "in";
    if (!is_not_in) return "";
    tokens_.take();
    tokens_.take();
    return "not in";
  }

  ExpressionPtr comparison() {
    auto left = sum();
    auto op = comparison_operator();
    if (op.empty()) return left;
    auto chain = make(Kind::kCompare, "", std::move(left));
    for (; !op.empty(); op = comparison_operator()) {
      chain->names.push_back(op);
      add_part(*chain, sum());
    }
    return chain;
  }

  // Left-associative operators of one precedence.
  ExpressionPtr binary(std::initializer_list<const char*> operators, ExpressionPtr (ExpressionParser::*operand)()) {
    auto left = (this->*operand)();
    while (true) {
      const auto op =
          std::find_if(operators.begin(), operators.end(), [&](auto o) { return tokens_.skip_operator(o); });
      if (op == operators.end()) return left;
      auto right = (this->*operand)();
      left = make(Kind::kBinary, *op, std::move(left), std::move(right));
    }
  }

  ExpressionPtr sum() { return binary({"+", "-"}, &ExpressionParser::concatenation); }
  ExpressionPtr concatenation() { return binary({"~"}, &ExpressionParser::product); }
  ExpressionPtr product() { return binary({"*", "//", "/", "%"}, &ExpressionParser::power); }
  ExpressionPtr power() { return binary({"**"}, &ExpressionParser::filtered_unary); }
  ExpressionPtr filtered_unary() { return unary(WithFilter::kYes); }

  enum class WithFilter { kNo, kYes };
  ExpressionPtr unary(WithFilter with_filter) {
    Nesting nesting(*this);
    ExpressionPtr e;
    if (tokens_.skip_operator("-")) {
      e = make(Kind::kNegate, "", unary(WithFilter::kNo));
    } else if (tokens_.skip_operator("+")) {
      e = make(Kind::kPlus, "", unary(WithFilter::kNo));
    } else {
      e = primary();
    }
    e = postfix(std::move(e));
    return with_filter == WithFilter::kYes ? filters_and_tests(std::move(e)) : std::move(e);
  }

  ExpressionPtr primary() {
    const auto& next = tokens_.peek();
    if (next.kind == TokenKind::kString) {
      std::string text = tokens_.take().text;
      while (tokens_.peek().kind == TokenKind::kString) text += tokens_.take().text;
      return constant(std::move(text));
    }
    if (next.kind == TokenKind::kInt) return constant(integer(tokens_.take().text));
    if (next.kind == TokenKind::kFloat) return constant(std::strtod(tokens_.take().text.c_str(), nullptr));
    if (next.kind == TokenKind::kName) return name();
    if (tokens_.skip_operator("(")) {
      if (tokens_.skip_operator(")")) return make(Kind::kTuple, "");
      auto e = tuple_or_one();
      tokens_.expect_operator(")");
      return e;
    }
    if (tokens_.skip_operator("[")) return items(Kind::kList, "]");
    if (tokens_.skip_operator("{")) return items(Kind::kDict, "}");
    tokens_.fail_unexpected("a value");
  }

  static int64_t integer(const std::string& digits) {
    int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);  // the lexer allows 18 digits
    return value;
  }

  ExpressionPtr name() {
    const auto text = tokens_.take().text;
    if (text == "true" || text == "True") return constant(true);
    if (text == "false" || text == "False") return constant(false);
    if (text == "none" || text == "None") return constant(Value());
    return make(Kind::kName, text);
  }

  ExpressionPtr items(Kind kind, std::string_view closing) {
    auto e = make(kind, "");
    while (!tokens_.is_operator(closing)) {
      add_part(*e, conditional());
      if (kind == Kind::kDict) {
        tokens_.expect_operator(":");
        add_part(*e, conditional());
      }
      if (!tokens_.skip_operator(",")) break;
    }
    tokens_.expect_operator(closing);
    return e;
  }

  ExpressionPtr postfix(ExpressionPtr e) {
    while (true) {
      if (tokens_.skip_operator(".")) {
        if (tokens_.peek().kind == TokenKind::kInt) {
          e = make(Kind::kItem, "", std::move(e), constant(integer(tokens_.take().text)));
        } else {
          auto attribute = tokens_.expect_name("an attribute");
          e = make(Kind::kAttribute, std::move(attribute), std::move(e));
        }
      } else if (tokens_.skip_operator("[")) {
        e = subscript(std::move(e));
      } else if (tokens_.is_operator("(")) {
        e = call(std::move(e));
      } else {
        return e;
      }
    }
  }

  ExpressionPtr call(ExpressionPtr callee) {
    if (callee->kind == Kind::kName) check_function(callee->text);
    auto e = make(Kind::kCall, "", std::move(callee));
    arguments(*e);
    return e;
  }

  // A name may be a macro of the template, which the evaluator sees; functions of jinja2 that are not here are refused.
  void check_function(const std::string& function) const {
    for (const char* missing : {"cycler", "joiner", "lipsum", "caller", "super", "self"}) {
      if (function == missing)
        tokens_.fail(fmt::format("function '{}' is not supported", function), supported_functions());
    }
  }

  ExpressionPtr subscript(ExpressionPtr target) {
    ExpressionPtr bounds[3];
    int num_colons = 0;
    while (!tokens_.is_operator("]") && num_colons < 3) {
      if (tokens_.skip_operator(":")) {
        ++num_colons;
      } else {
        if (bounds[num_colons]) tokens_.fail_unexpected("']'");
        bounds[num_colons] = conditional();
      }
    }
    tokens_.expect_operator("]");
    if (num_colons > 0) {
      return make(Kind::kSlice, "", std::move(target), std::move(bounds[0]), std::move(bounds[1]),
                  std::move(bounds[2]));
    }
    if (!bounds[0]) tokens_.fail_unexpected("an index");
    return make(Kind::kItem, "", std::move(target), std::move(bounds[0]));
  }

  // ( a, b, key=c )
  void arguments(Expression& e) {
    tokens_.expect_operator("(");
    while (!tokens_.is_operator(")")) {
      if (tokens_.is_operator("*") || tokens_.is_operator("**")) {
        tokens_.fail("unpacked arguments (*, **) are not supported", "write the arguments out");
      }
      const auto& after = tokens_.peek(1);
      if (tokens_.peek().kind == TokenKind::kName && after.kind == TokenKind::kOperator && after.text == "=") {
        auto name = tokens_.take().text;
        tokens_.take();
        auto value = conditional();
        e.depth = std::max(e.depth, value->depth + 1);
        check_depth(e.depth);
        e.named.push_back({std::move(name), std::move(value)});
      } else {
        if (!e.named.empty()) tokens_.fail("a plain argument follows a named one", "put plain arguments first");
        add_part(e, conditional());
      }
      if (!tokens_.skip_operator(",")) break;
    }
    tokens_.expect_operator(")");
  }

  ExpressionPtr filters_and_tests(ExpressionPtr e) {
    while (true) {
      if (tokens_.skip_operator("|")) {
        e = filter(std::move(e));
      } else if (tokens_.skip_name("is")) {
        e = test(std::move(e));
      } else if (tokens_.is_operator("(")) {
        e = call(std::move(e));
      } else {
        return e;
      }
    }
  }

  ExpressionPtr filter(ExpressionPtr input) {
    const auto name = tokens_.expect_name("a filter");
    if (!is_filter(name)) tokens_.fail(fmt::format("filter '{}' is not supported", name), supported_filters());
    auto e = make(Kind::kFilter, name, std::move(input));
    if (tokens_.is_operator("(")) arguments(*e);
    return e;
  }

  ExpressionPtr test(ExpressionPtr input) {
    const bool is_negated = tokens_.skip_name("not");
    const auto name = tokens_.expect_name("a test");
    if (!is_test(name)) tokens_.fail(fmt::format("test '{}' is not supported", name), supported_tests());
    auto e = make(Kind::kTest, name, std::move(input));
    if (tokens_.is_operator("(")) {
      arguments(*e);
    } else if (begins_argument()) {
      add_part(*e, postfix(primary()));
    }
    return is_negated ? make(Kind::kNot, "", std::move(e)) : std::move(e);
  }

  // "x is divisibleby 3": an argument without brackets.
  bool begins_argument() const {
    const auto& next = tokens_.peek();
    if (next.kind == TokenKind::kName) {
      for (const char* word : {"else", "or", "and", "is", "if", "in", "not"}) {
        if (next.text == word) return false;
      }
      return true;
    }
    return next.kind == TokenKind::kString || next.kind == TokenKind::kInt || next.kind == TokenKind::kFloat ||
           tokens_.is_operator("[") || tokens_.is_operator("{");
  }

  TokenStream& tokens_;
  int nesting_ = 0;
};

}  // namespace

ExpressionPtr parse_expression(TokenStream& tokens) { return ExpressionParser(tokens).conditional(); }
ExpressionPtr parse_tuple_expression(TokenStream& tokens) { return ExpressionParser(tokens).tuple_or_one(); }
ExpressionPtr parse_loop_source(TokenStream& tokens) { return ExpressionParser(tokens).disjunction(); }

}  // namespace r1::text::jinja
