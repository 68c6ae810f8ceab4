#include "text/jinja_lexer.h"

#include <fmt/format.h>

#include "core/error.h"
#include "text/jinja_strings.h"
#include "text/unicode.h"

namespace r1::text::jinja {
namespace {

// Every line end becomes \n, and the last one of the source goes.
std::string with_plain_line_ends(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string source, const std::string& name) : source_(std::move(source)), name_(name) {}

  std::vector<Token> run() {
    while (pos_ < source_.size()) {
      const size_t tag = next_tag();
      text_before(tag);
      if (tag == std::string::npos) break;
      if (source_[tag + 1] == '#') {
        comment();
      } else {
        inside_tag();
      }
    }
    add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& mend) const {
    throw Error(fmt::format("{}:{}", name_, line_), what, mend);
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void advance(size_t to) {
    for (; pos_ < to; ++pos_) line_ += source_[pos_] == '\n';
  }

  size_t next_tag() const {
    for (size_t at = source_.find('{', pos_); at != std::string::npos; at = source_.find('{', at + 1)) {
      if (at + 1 == source_.size()) break;
      const char c = source_[at + 1];
      if (c == '{' || c == '%' || c == '#') return at;
    }
    return std::string::npos;
  }

  // The text up to `tag` less what the tag strips; then steps over the tag's opening.
  void text_before(size_t tag) {
    const bool is_last = tag == std::string::npos;
    const size_t end = is_last ? source_.size() : tag;
    std::string_view text(source_);
    text = text.substr(pos_, end - pos_);
    const char mark = !is_last && tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    if (!is_last && mark == '-') {
      text = strip_right(text);
    } else if (!is_last && mark != '+' && source_[tag + 1] != '{') {
      text = strip_line_start(text);
    }
    if (!text.empty()) add(TokenKind::kText, std::string(text));
    advance(end);
    if (!is_last) advance(tag + 2 + (mark == '-' || mark == '+' ? 1 : 0));
    if (!is_last && source_[tag + 1] == '{') add(TokenKind::kOutputBegin, "{{");
    if (!is_last && source_[tag + 1] == '%') add(TokenKind::kBlockBegin, "{%");
  }

  // lstrip_blocks: blanks between the start of the line and a tag go.
  std::string_view strip_line_start(std::string_view text) const {
    const size_t newline = text.rfind('\n');
    const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    const bool at_line_start = line_start > 0 || pos_ == 0 || source_[pos_ - 1] == '\n';
    return at_line_start && strip_right(text.substr(line_start)).empty() ? text.substr(0, line_start) : text;
  }

  void comment() {
    const size_t end = source_.find("#}", pos_);
    if (end == std::string::npos) fail("a comment '{#' does not end", "close it with '#}'");
    const char mark = end > pos_ ? source_[end - 1] : '\0';
    advance(end + 2);
    after_tag(mark);
  }

  // trim_blocks: one line end after a block or comment goes; "-" takes all blanks.
  void after_tag(char mark) {
    if (mark == '-') {
      while (pos_ < source_.size()) {
        const auto c = code_point_at(source_, pos_);
        if (!is_python_space(c.value)) break;
        advance(pos_ + c.size);
      }
    } else if (mark != '+' && pos_ < source_.size() && source_[pos_] == '\n') {
      advance(pos_ + 1);
    }
  }

  void inside_tag() {
    const bool is_output = tokens_.back().kind == TokenKind::kOutputBegin;
    const std::string_view closing = is_output ? "}}" : "%}";
    std::string open_brackets;
    while (true) {
      while (pos_ < source_.size() && is_python_space(code_point_at(source_, pos_).value)) {
        advance(pos_ + code_point_at(source_, pos_).size);
      }
      if (pos_ >= source_.size()) fail(fmt::format("a tag lacks its '{}'", closing), "close the tag");
      const auto rest = std::string_view(source_).substr(pos_);
      if (open_brackets.empty() && close_tag(rest, closing)) return;
      token(rest, open_brackets);
    }
  }

  bool close_tag(std::string_view rest, std::string_view closing) {
    const bool is_output = closing == "}}";
    const bool has_mark = rest[0] == '-' || (rest[0] == '+' && !is_output);
    if (!rest.substr(has_mark ? 1 : 0).starts_with(closing)) return false;
    add(is_output ? TokenKind::kOutputEnd : TokenKind::kBlockEnd, std::string(closing));
    advance(pos_ + closing.size() + (has_mark ? 1 : 0));
    const char mark = has_mark ? rest[0] : '\0';
    if (!is_output || mark == '-') after_tag(mark);
    return true;
  }

  void token(std::string_view rest, std::string& open_brackets) {
    const char c = rest[0];
    if (is_name_start(c)) {
      size_t size = 1;
      while (size < rest.size() && (is_name_start(rest[size]) || is_digit(rest[size]))) ++size;
      return take(TokenKind::kName, size);
    }
    if (is_digit(c)) return number(rest);
    if (c == '\'' || c == '"') return string(rest);
    for (const std::string_view op : {"//", "**", "==", "!=", ">=", "<="}) {
      if (rest.starts_with(op)) return take(TokenKind::kOperator, 2);
    }
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos) {
      fail(fmt::format("character '{}' is no part of an expression", rest.substr(0, code_point_at(rest, 0).size)),
           "remove it");
    }
    balance(c, open_brackets);
    take(TokenKind::kOperator, 1);
  }

  // A tag ends only outside of all brackets: "{{ {'a': {}} }}".
  void balance(char c, std::string& open_brackets) const {
    if (c == '(' || c == '[' || c == '{') open_brackets += c;
    const char opening = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : '\0';
    if (opening == '\0') return;
    if (open_brackets.empty() || open_brackets.back() != opening) {
      fail(fmt::format("'{}' closes nothing", c), fmt::format("open it with '{}'", opening));
    }
    open_brackets.pop_back();
  }

  void take(TokenKind kind, size_t size) {
    add(kind, source_.substr(pos_, size));
    advance(pos_ + size);
  }

  // 12, 1_000, 1.5, 2e-3
  void number(std::string_view rest) {
    size_t size = 0;
    const auto digits = [&] {
      while (size < rest.size() && (is_digit(rest[size]) || rest[size] == '_')) ++size;
    };
    const auto digit_at = [&](size_t i) { return i < rest.size() && is_digit(rest[i]); };
    digits();
    const bool has_fraction = rest.substr(size).starts_with('.') && digit_at(size + 1);
    if (has_fraction) {
      ++size;
      digits();
    }
    const bool has_e = size < rest.size() && (rest[size] == 'e' || rest[size] == 'E');
    const size_t sign = has_e && size + 1 < rest.size() && (rest[size + 1] == '-' || rest[size + 1] == '+') ? 1 : 0;
    const bool has_exponent = has_e && digit_at(size + 1 + sign);
    if (has_exponent) {
      size += 1 + sign;
      digits();
    }
    if (size < rest.size() && is_name_start(rest[size])) {
      fail(fmt::format("number '{}' is not decimal", rest.substr(0, size + 1)), "write it with digits only");
    }
    const bool is_float = has_fraction || has_exponent;
    if (size > (is_float ? 40 : 18)) fail("a number has too many digits", "use at most 18");
    take(is_float ? TokenKind::kFloat : TokenKind::kInt, size);
    std::erase(tokens_.back().text, '_');
  }

  void string(std::string_view rest) {
    size_t end = 1;
    while (end < rest.size() && rest[end] != rest[0]) end += rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size()) fail("a string does not end", fmt::format("close it with {}", rest[0]));
    add(TokenKind::kString, unescape(rest.substr(1, end - 1), fmt::format("{}:{}", name_, line_)));
    advance(pos_ + end + 1);
  }

  std::string source_;
  const std::string& name_;
  std::vector<Token> tokens_;
  size_t pos_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& name) {
  if (!is_valid_utf8(source)) throw Error(name, "is not UTF-8", "save the template as UTF-8");
  return Lexer(with_plain_line_ends(source), name).run();
}

}  // namespace r1::text::jinja
