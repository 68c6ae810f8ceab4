#include "text/jinja_parser.h"

#include <fmt/format.h>

#include "core/error.h"

namespace r1::text::jinja {
namespace {

constexpr int kMaxBlockDepth = 100;

class StatementParser {
 public:
  explicit StatementParser(TokenStream& tokens) : tokens_(tokens) {}

  // Statements up to a tag that one of `ends` names (its name is left to be read), or up to the end of the template.
  std::vector<Statement> until(std::initializer_list<std::string_view> ends) {
    if (++depth_ > kMaxBlockDepth)
      tokens_.fail(fmt::format("blocks nest more than {} deep", kMaxBlockDepth), "nest less");
    std::vector<Statement> body;
    while (tokens_.peek().kind != TokenKind::kEnd) {
      if (tokens_.peek().kind == TokenKind::kBlockBegin) {
        const auto& tag = tokens_.peek(1).text;
        if (std::find(ends.begin(), ends.end(), tag) != ends.end()) break;
      }
      body.push_back(statement());
    }
    if (tokens_.peek().kind == TokenKind::kEnd && ends.size() > 0) {
      tokens_.fail("a block does not end", fmt::format("close it with {{% {} %}}", *(ends.end() - 1)));
    }
    --depth_;
    return body;
  }

 private:
  Statement make(Statement::Kind kind) const {
    Statement s;
    s.kind = kind;
    s.line = tokens_.peek().line;
    return s;
  }

  Statement statement() {
    if (tokens_.peek().kind == TokenKind::kText) {
      auto s = make(Statement::Kind::kText);
      s.text = tokens_.take().text;
      return s;
    }
    if (tokens_.peek().kind == TokenKind::kOutputBegin) {
      tokens_.take();
      auto s = make(Statement::Kind::kOutput);
      s.expression = parse_tuple_expression(tokens_);
      tokens_.expect(TokenKind::kOutputEnd, "'}}'");
      return s;
    }
    tokens_.expect(TokenKind::kBlockBegin, "a tag");
    return tag();
  }

  Statement tag() {
    const auto name = tokens_.peek().text;
    if (name == "if") return if_tag();
    if (name == "for") return for_tag();
    if (name == "set") return set_tag();
    if (name == "macro") return macro_tag();
    if (name == "generation") return generation_tag();
    if (name == "break" || name == "continue") {
      if (loop_depth_ == 0) tokens_.fail(fmt::format("'{}' stands outside of a loop", name), "remove it");
      auto s = make(name == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue);
      tokens_.take();
      end_tag();
      return s;
    }
    tokens_.fail(fmt::format("tag '{}' is not supported", name),
                 "supported tags: if, elif, else, for, set, macro, generation, break, continue");
  }

  void end_tag() { tokens_.expect(TokenKind::kBlockEnd, "'%}'"); }
  // {% NAME %}, where until() stopped.
  void closing(std::string_view name) {
    tokens_.expect(TokenKind::kBlockBegin, "a tag");
    if (!tokens_.skip_name(name)) tokens_.fail_unexpected(fmt::format("'{}'", name));
    end_tag();
  }

  Statement if_tag() {
    auto s = make(Statement::Kind::kIf);
    tokens_.take();  // "if" or "elif"
    s.expression = parse_tuple_expression(tokens_);
    end_tag();
    s.body = until({"elif", "else", "endif"});
    if (tokens_.peek(1).text == "elif") {
      tokens_.take();
      if (++depth_ > kMaxBlockDepth) tokens_.fail(fmt::format("more than {} elif", kMaxBlockDepth), "use fewer");
      s.otherwise.push_back(if_tag());  // reads the endif
      --depth_;
      return s;
    }
    if (tokens_.peek(1).text == "else") {
      closing("else");
      s.otherwise = until({"endif"});
    }
    closing("endif");
    return s;
  }

  std::vector<std::string> targets() {
    const bool has_brackets = tokens_.skip_operator("(");
    std::vector<std::string> names{tokens_.expect_name("a variable")};
    while (tokens_.skip_operator(",")) names.push_back(tokens_.expect_name("a variable"));
    if (has_brackets) tokens_.expect_operator(")");
    return names;
  }

  Statement for_tag() {
    auto s = make(Statement::Kind::kFor);
    tokens_.take();
    s.names = targets();
    if (!tokens_.skip_name("in")) tokens_.fail_unexpected("'in'");
    s.expression = parse_loop_source(tokens_);
    if (tokens_.skip_name("if")) s.filter = parse_expression(tokens_);
    if (tokens_.is_name("recursive")) tokens_.fail("'recursive' loops are not supported", "use a macro");
    end_tag();
    ++loop_depth_;
    s.body = until({"else", "endfor"});
    --loop_depth_;
    if (tokens_.peek(1).text == "else") {
      closing("else");
      s.otherwise = until({"endfor"});
    }
    closing("endfor");
    return s;
  }

  Statement set_tag() {
    auto s = make(Statement::Kind::kSet);
    tokens_.take();
    s.names = targets();
    if (tokens_.skip_operator(".")) {
      s.text = "namespace";
      s.names.push_back(tokens_.expect_name("an attribute"));
    }
    if (tokens_.skip_operator("=")) {
      s.expression = parse_tuple_expression(tokens_);
      end_tag();
      return s;
    }
    if (tokens_.is_operator("|"))
      tokens_.fail("filters on a set block are not supported", "filter where it is printed");
    if (s.names.size() != 1) tokens_.fail_unexpected("'='");
    end_tag();
    s.kind = Statement::Kind::kSetBlock;
    s.body = outside_of_loops("endset");
    closing("endset");
    return s;
  }

  Statement macro_tag() {
    auto s = make(Statement::Kind::kMacro);
    tokens_.take();
    s.text = tokens_.expect_name("a macro's name");
    tokens_.expect_operator("(");
    while (!tokens_.is_operator(")")) {
      s.names.push_back(tokens_.expect_name("a parameter"));
      if (tokens_.skip_operator("=")) {
        s.defaults.push_back(parse_expression(tokens_));
      } else if (!s.defaults.empty()) {
        tokens_.fail("a parameter without default follows one with", "put defaults last");
      }
      if (!tokens_.skip_operator(",")) break;
    }
    tokens_.expect_operator(")");
    end_tag();
    s.body = outside_of_loops("endmacro");
    closing("endmacro");
    return s;
  }

  // A body that a break cannot leave.
  std::vector<Statement> outside_of_loops(std::string_view end) {
    const int outer_loops = std::exchange(loop_depth_, 0);
    auto body = until({end});
    loop_depth_ = outer_loops;
    return body;
  }

  // Marks what the assistant says; prints its body.
  Statement generation_tag() {
    auto s = make(Statement::Kind::kBody);
    tokens_.take();
    end_tag();
    s.body = until({"endgeneration"});
    closing("endgeneration");
    return s;
  }

  TokenStream& tokens_;
  int depth_ = 0, loop_depth_ = 0;
};

}  // namespace

void TokenStream::expect_operator(std::string_view text) {
  if (!skip_operator(text)) fail_unexpected(fmt::format("'{}'", text));
}

void TokenStream::expect(TokenKind kind, std::string_view what) {
  if (peek().kind != kind) fail_unexpected(what);
  take();
}

std::string TokenStream::expect_name(std::string_view what) {
  if (peek().kind != TokenKind::kName) fail_unexpected(what);
  return take().text;
}

std::string TokenStream::where() const { return fmt::format("{}:{}", name_, peek().line); }

void TokenStream::fail(const std::string& what, const std::string& mend) const { throw Error(where(), what, mend); }

void TokenStream::fail_unexpected(std::string_view wanted) const {
  const auto found = peek().kind == TokenKind::kEnd ? "the end of the template" : fmt::format("'{}'", peek().text);
  fail(fmt::format("{} stands where {} is expected", found, wanted), "correct the template");
}

std::vector<Statement> parse(std::string_view source, const std::string& name) {
  TokenStream tokens(tokenize(source, name), name);
  return StatementParser(tokens).until({});
}

}  // namespace r1::text::jinja
