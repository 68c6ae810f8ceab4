#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "rewards/code/value.h"

namespace r1::rewards::code {
namespace {

constexpr int kMaxDepth = 256;
constexpr int kMaxValues = 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& text, unsigned code) {
  const auto put = [&](unsigned byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  if (code < 0x10000) return put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
}

class Parser {
 public:
  Parser(std::string_view text, Syntax syntax) : text_(text), is_json_(syntax == Syntax::kJson) {}

  ParsedValue parse() {
    Value value;
    if (!read_value(value, 0)) return {std::nullopt, reason_};
    skip_blanks();
    if (at_ != text_.size()) return {std::nullopt, "something follows the value"};
    return {std::move(value), ""};
  }

 private:
  bool fail(const char* reason) {
    if (reason_.empty()) reason_ = std::string(reason) + " at byte " + std::to_string(at_);
    return false;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  bool read_value(Value& value, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    if (++num_values_ > kMaxValues) return fail("too many values");
    skip_blanks();
    const char c = peek();
    if (c == '[') return read_items(value, Value::Kind::kList, ']', depth);
    if (c == '{') return read_dict(value, depth);
    if (c == '"') return read_text(value, Value::Kind::kString);
    if (take("null")) return true;
    if (take("true") || take("false")) {
      value.kind = Value::Kind::kBool;
      value.truth = c == 't';
      return true;
    }
    if (!is_json_ && read_extension(value, c, depth)) return true;
    if (!reason_.empty()) return false;
    if (c == '-' || is_digit(c)) return read_number(value);
    return fail("no value");
  }

  bool read_extension(Value& value, char c, int depth) {
    if (c == '(') return read_items(value, Value::Kind::kTuple, ')', depth);
    if (c == '<') return read_items(value, Value::Kind::kSet, '>', depth);
    if (c == 'b' && text_.substr(at_, 2) == "b\"") {
      ++at_;
      return read_text(value, Value::Kind::kBytes);
    }
    if (c == 'c' && text_.substr(at_, 2) == "c(") {
      ++at_;
      if (!read_items(value, Value::Kind::kComplex, ')', depth)) return false;
      const bool is_pair = value.items.size() == 2 && value.items[0].kind == Value::Kind::kFloat &&
                           value.items[1].kind == Value::Kind::kFloat;
      return is_pair || fail("a complex number without two parts");
    }
    const double infinite = std::numeric_limits<double>::infinity();
    value.kind = Value::Kind::kFloat;
    if (take("nan")) return value.number = std::numeric_limits<double>::quiet_NaN(), true;
    if (take("inf")) return value.number = infinite, true;
    if (take("-inf")) return value.number = -infinite, true;
    value.kind = Value::Kind::kNull;
    return false;
  }

  bool read_items(Value& value, Value::Kind kind, char close, int depth) {
    value.kind = kind;
    ++at_;
    skip_blanks();
    if (peek() == close) return ++at_, true;
    while (true) {
      if (!read_value(value.items.emplace_back(), depth + 1)) return false;
      skip_blanks();
      if (peek() == close) return ++at_, true;
      if (peek() != ',') return fail("a list that is not closed");
      ++at_;
    }
  }

  bool read_dict(Value& value, int depth) {
    value.kind = Value::Kind::kDict;
    ++at_;
    skip_blanks();
    if (peek() == '}') return ++at_, true;
    std::set<std::string> keys;
    while (true) {
      skip_blanks();
      if (is_json_ && peek() != '"') return fail("a key that is no string");
      if (!read_value(value.items.emplace_back(), depth + 1)) return false;
      if (!keys.insert(to_text(value.items.back())).second) return fail("a key that stands twice");
      skip_blanks();
      if (peek() != ':') return fail("a key without a value");
      ++at_;
      if (!read_value(value.items.emplace_back(), depth + 1)) return false;
      skip_blanks();
      if (peek() == '}') return ++at_, true;
      if (peek() != ',') return fail("an object that is not closed");
      ++at_;
    }
  }

  bool read_number(Value& value) {
    const auto begin = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) return fail("a sign without a number");
    const auto digits = at_;
    while (is_digit(peek())) ++at_;
    if (text_[digits] == '0' && at_ - digits > 1) return fail("a number that begins with 0");
    bool is_float = false;
    if (peek() == '.') {
      is_float = true;
      ++at_;
      if (!is_digit(peek())) return fail("a point without digits");
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      is_float = true;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!is_digit(peek())) return fail("an exponent without digits");
      while (is_digit(peek())) ++at_;
    }
    const auto token = text_.substr(begin, at_ - begin);
    value.kind = is_float ? Value::Kind::kFloat : Value::Kind::kInt;
    if (!is_float) return value.text = token == "-0" ? "0" : token, true;
    const auto read = std::from_chars(token.data(), token.data() + token.size(), value.number);
    // Out of range: too large is infinite, too small is 0; from_chars leaves the number alone.
    if (read.ec == std::errc::result_out_of_range) value.number = std::strtod(std::string(token).c_str(), nullptr);
    return true;
  }

  bool read_hex(unsigned& code) {
    if (text_.size() - at_ < 4) return fail("a short \\u");
    const auto* begin = text_.data() + at_;
    code = 0;
    const auto read = std::from_chars(begin, begin + 4, code, 16);
    if (read.ec != std::errc() || read.ptr != begin + 4) return fail("a \\u that is not hexadecimal");
    at_ += 4;
    return true;
  }

  // After the backslash. Half a surrogate pair stays what it is: programs can make such strings.
  bool read_escape(std::string& to) {
    const char c = peek();
    ++at_;
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    if (const auto i = kLetters.find(c); c != '\0' && i != kLetters.npos) return to += kMeant[i], true;
    unsigned code = 0, low = 0;
    if (c != 'u') return fail("an unknown escape");
    if (!read_hex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const auto before = at_;
      at_ += 2;
      if (!read_hex(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = before;
      }
    }
    append_utf8(to, code);
    return true;
  }

  bool read_text(Value& value, Value::Kind kind) {
    value.kind = kind;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control character in a string");
      ++at_;
      if (c == '"') return true;
      if (c != '\\') {
        value.text += c;
      } else if (!read_escape(value.text)) {
        return false;
      }
    }
    return fail("a string that is not closed");
  }

  std::string_view text_;
  bool is_json_;
  size_t at_ = 0;
  int num_values_ = 0;
  std::string reason_;
};

}  // namespace

ParsedValue parse_value(std::string_view text, Syntax syntax) { return Parser(text, syntax).parse(); }

}  // namespace r1::rewards::code
