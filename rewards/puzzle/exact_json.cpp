#include "rewards/puzzle/exact_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "text/unicode.h"

namespace r1::rewards {
namespace {

using Kind = ExactJson::Kind;

constexpr size_t kMaxBytes = 4 << 20;
constexpr int kMaxDepth = 100;
constexpr int64_t kMaxExponent = 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits without zeros at either end, and the exponent of the last one: "-12e3"; zero is "0".
std::string normal_form(bool is_negative, std::string digits, int64_t exponent) {
  const auto first = digits.find_first_not_of('0');
  if (first == std::string::npos) return "0";
  const auto last = digits.find_last_not_of('0');
  exponent += static_cast<int64_t>(digits.size() - 1 - last);
  return fmt::format("{}{}e{}", is_negative ? "-" : "", digits.substr(first, last - first + 1), exponent);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  ParsedJson run() {
    if (text_.size() > kMaxBytes) return {{}, fmt::format("is longer than {} bytes", kMaxBytes)};
    ExactJson value;
    skip_blanks();
    if (parse(value, 0)) {
      skip_blanks();
      if (at_ == text_.size()) return {std::move(value), ""};
      fail("more follows the document");
    }
    return {{}, std::move(problem_)};
  }

 private:
  bool fail(std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("{} at byte {}", what, at_);
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  bool parse(ExactJson& value, int depth) {
    if (depth > kMaxDepth) return fail("nested too deep");
    switch (peek()) {
      case '{':
        return parse_object(value, depth);
      case '[':
        return parse_array(value, depth);
      case '"':
        value.kind = Kind::kString;
        return parse_string(value.text);
      case 't':
        return parse_word("true", Kind::kBool, value);
      case 'f':
        return parse_word("false", Kind::kBool, value);
      case 'n':
        return parse_word("null", Kind::kNull, value);
      default:
        return parse_number(value);
    }
  }

  bool parse_word(std::string_view word, Kind kind, ExactJson& value) {
    if (!text_.substr(at_).starts_with(word)) return fail("no JSON value");
    at_ += word.size();
    value.kind = kind;
    if (kind == Kind::kBool) value.text = word;
    return true;
  }

  bool parse_array(ExactJson& value, int depth) {
    value.kind = Kind::kArray;
    ++at_;
    skip_blanks();
    if (take(']')) return true;
    do {
      skip_blanks();
      if (!parse(value.items.emplace_back(), depth + 1)) return false;
      skip_blanks();
    } while (take(','));
    return take(']') || fail("',' or ']' is missing");
  }

  bool parse_object(ExactJson& value, int depth) {
    value.kind = Kind::kObject;
    ++at_;
    skip_blanks();
    if (take('}')) return true;
    do {
      skip_blanks();
      // With values: clang cannot see yet, at the class, that the pair can be made from nothing.
      auto& [key, member] = value.members.emplace_back(std::string(), ExactJson());
      if (peek() != '"') return fail("a key is missing");
      if (!parse_string(key)) return false;
      skip_blanks();
      if (!take(':')) return fail("':' is missing");
      skip_blanks();
      if (!parse(member, depth + 1)) return false;
      skip_blanks();
    } while (take(','));
    if (!take('}')) return fail("',' or '}' is missing");
    std::stable_sort(value.members.begin(), value.members.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto twice = std::adjacent_find(value.members.begin(), value.members.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    return twice == value.members.end() || fail("a key stands twice in the object that ends");
  }

  bool parse_string(std::string& out) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control character in a string");
      if (c == '\\') {
        if (!parse_escape(out)) return false;
        continue;
      }
      const auto unit = text::utf8_unit_at(text_, at_);
      if (unit.kind != text::Utf8Unit::Kind::kValid) return fail("invalid UTF-8");
      out.append(text_, at_, unit.size);
      at_ += unit.size;
    }
    return fail("a string does not end");
  }

  bool parse_escape(std::string& out) {
    constexpr std::string_view kSigns = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (const auto sign = kSigns.find(peek()); sign != kSigns.npos && at_ < text_.size()) {
      out += kMeanings[sign];
      ++at_;
      return true;
    }
    uint32_t code = 0, low = 0;
    if (!parse_hex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      if (!take('\\') || !parse_hex(low) || low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return fail("a lone surrogate");
    }
    text::append_utf8(out, code);
    return true;
  }

  // "uXXXX", behind its backslash.
  bool parse_hex(uint32_t& code) {
    if (!take('u') || text_.size() - at_ < 4) return fail("an unknown escape");
    const auto* begin = text_.data() + at_;
    const auto [end, status] = std::from_chars(begin, begin + 4, code, 16);
    if (status != std::errc() || end != begin + 4) return fail("an unknown escape");
    at_ += 4;
    return true;
  }

  bool parse_number(ExactJson& value) {
    const bool is_negative = take('-');
    std::string digits;
    const auto take_digits = [&] {
      const size_t begin = at_;
      while (is_digit(peek())) digits += text_[at_++];
      return at_ - begin;
    };
    const bool starts_with_zero = peek() == '0';
    const auto num_whole = take_digits();
    if (num_whole == 0) return fail("no JSON value");
    if (starts_with_zero && num_whole > 1) return fail("a number begins with 0");
    int64_t exponent = 0;
    if (take('.')) {
      const auto places = take_digits();
      if (places == 0) return fail("a digit is missing");
      exponent = -static_cast<int64_t>(places);
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      const bool is_small = take('-');
      if (!is_small) take('+');
      if (!is_digit(peek())) return fail("a digit is missing");
      int64_t power = 0;
      for (; is_digit(peek()); ++at_) power = std::min(power * 10 + (text_[at_] - '0'), kMaxExponent);
      if (power == kMaxExponent) return fail("an exponent is too large");
      exponent += is_small ? -power : power;
    }
    value.kind = Kind::kNumber;
    value.text = normal_form(is_negative, std::move(digits), exponent);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

std::string difference_at(const ExactJson& a, const ExactJson& b, const std::string& path) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.members.size() != b.members.size()) {
    return path;
  }
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (auto found = difference_at(a.items[i], b.items[i], fmt::format("{}[{}]", path, i)); !found.empty())
      return found;
  }
  for (size_t i = 0; i < a.members.size(); ++i) {
    if (a.members[i].first != b.members[i].first) return path;
    auto found = difference_at(a.members[i].second, b.members[i].second, path + "." + a.members[i].first);
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

const ExactJson* ExactJson::find(std::string_view key) const {
  const auto at = std::lower_bound(members.begin(), members.end(), key,
                                   [](const auto& m, std::string_view k) { return m.first < k; });
  return at != members.end() && at->first == key ? &at->second : nullptr;
}

ParsedJson parse_exact_json(std::string_view text) { return Parser(text).run(); }

std::string first_difference(const ExactJson& a, const ExactJson& b) { return difference_at(a, b, "$"); }

}  // namespace r1::rewards
