#include "rewards/number_parser.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "rewards/extract.h"

namespace r1::rewards {
namespace {

using boost::multiprecision::cpp_int;

constexpr size_t kMaxDigits = 10'000;
constexpr int kMaxExponent = 10'000;
constexpr int kMaxWrappings = 4;
constexpr std::string_view kMinusSign = "\xE2\x88\x92";  // U+2212

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Wrapping {
  std::string_view begin, end;
};
constexpr std::array<Wrapping, 5> kWrappings{{{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}, {"**", "**"}}};

std::string_view unwrapped(std::string_view text) {
  for (int i = 0; i < kMaxWrappings; ++i) {
    text = trimmed(text);
    if (text.size() > 1 && text.ends_with('.') && !text.ends_with(".."))
      text = trimmed(text.substr(0, text.size() - 1));
    for (const auto& [begin, end] : kWrappings) {
      if (text.size() < begin.size() + end.size() || !text.starts_with(begin) || !text.ends_with(end)) continue;
      text = text.substr(begin.size(), text.size() - begin.size() - end.size());
      break;
    }
  }
  return trimmed(text);
}

// How a number is spelled: digits as they stand, nothing computed yet, so that looking over a long text costs no big
// arithmetic.
struct Decimal {
  bool is_negative = false;
  std::string digits;  // without separators and point
  int places = 0;      // of them after the point
  int exponent = 0;
};
struct Spelled {
  Decimal above;
  std::optional<Decimal> below;  // of a fraction
  bool is_negative = false;
  bool has_percent = false;
};

// Reads spellings off the front of a text. Each take_ function consumes what it returns, and may have consumed part
// when it returns nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool is_done() const { return at_ == text_.size(); }
  size_t place() const { return at_; }

  // Sign, magnitude, percent sign.
  std::optional<Spelled> take_number() {
    const bool is_negative = take_sign();
    auto number = peek() == '\\' ? take_latex_fraction() : take_plain();
    if (!number) return {};
    number->is_negative = is_negative;
    const auto end = at_;
    skip_blanks();
    number->has_percent = take("\\%") || take("%");
    if (!number->has_percent) at_ = end;
    return number;
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool take(std::string_view literal) {
    if (!text_.substr(at_).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }

  void skip_blanks() {
    while (peek() == ' ') ++at_;
  }

  bool take_sign() {
    const bool is_negative = take("-") || take(kMinusSign);
    if (is_negative || take("+")) skip_blanks();
    return is_negative;
  }

  std::optional<Spelled> take_plain() {
    auto above = take_decimal();
    if (!above) return {};
    const auto end = at_;
    skip_blanks();
    if (take("/")) {
      skip_blanks();
      if (auto below = take_decimal()) return Spelled{*std::move(above), *std::move(below)};
    }
    at_ = end;
    return Spelled{*std::move(above), {}};
  }

  // "\frac{a}{b}" and "\frac12".
  std::optional<Spelled> take_latex_fraction() {
    if (!take("\\frac") && !take("\\dfrac") && !take("\\tfrac")) return {};
    auto above = take_group();
    auto below = above ? take_group() : std::nullopt;
    if (!below) return {};
    return Spelled{*std::move(above), *std::move(below)};
  }

  std::optional<Decimal> take_group() {
    if (is_digit(peek())) return Decimal{.digits = std::string(1, text_[at_++])};
    if (!take("{")) return {};
    skip_blanks();
    const bool is_negative = take_sign();
    auto number = take_decimal();
    skip_blanks();
    if (!number || !take("}")) return {};
    number->is_negative = is_negative;
    return number;
  }

  // Digits with thousands separators, a point and digits, an exponent.
  std::optional<Decimal> take_decimal() {
    Decimal number;
    auto& digits = number.digits;
    if (!take_whole(digits)) return {};
    const auto num_whole = digits.size();
    if (peek() == '.' && (is_digit(peek(1)) || num_whole > 0) && peek(1) != '.') {
      ++at_;
      while (is_digit(peek())) digits += text_[at_++];
      number.places = static_cast<int>(std::min(digits.size() - num_whole, kMaxDigits));
    }
    const auto exponent = take_exponent();
    if (digits.empty() || digits.size() > kMaxDigits || !exponent) return {};
    number.exponent = *exponent;
    return number;
  }

  // True also if there are no digits at all (".5"); false for separators in wrong places.
  bool take_whole(std::string& digits) {
    while (is_digit(peek())) digits += text_[at_++];
    const std::string_view separator = separator_here();
    if (separator.empty()) return true;
    if (digits.empty() || digits.size() > 3) return false;
    while (separator_here() == separator) {
      at_ += separator.size();
      for (int i = 0; i < 3; ++i) digits += text_[at_++];
    }
    return separator_here().empty() && !is_digit(peek());
  }

  // The thousands separator that stands here before three digits.
  std::string_view separator_here() const {
    for (const std::string_view separator : {",", "{,}", "\\,"}) {
      const auto size = separator.size();
      if (text_.substr(at_).starts_with(separator) && is_digit(peek(size)) && is_digit(peek(size + 1)) &&
          is_digit(peek(size + 2))) {
        return separator;
      }
    }
    return {};
  }

  // 0 if there is none; nothing if it is too large.
  std::optional<int> take_exponent() {
    if (peek() != 'e' && peek() != 'E') return 0;
    const bool has_sign = peek(1) == '+' || peek(1) == '-';
    if (!is_digit(peek(has_sign ? 2 : 1))) return 0;
    const bool is_negative = peek(1) == '-';
    at_ += has_sign ? 2 : 1;
    int value = 0;
    for (; is_digit(peek()); ++at_) value = std::min(value * 10 + (text_[at_] - '0'), kMaxExponent + 1);
    if (value > kMaxExponent) return {};
    return is_negative ? -value : value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

cpp_int power_of_ten(int exponent) { return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(exponent)); }

Number value_of(const Decimal& decimal) {
  const auto first = decimal.digits.find_first_not_of('0');  // cpp_int takes a leading 0 for an octal number
  Number number{.numerator = cpp_int(first == std::string::npos ? "0" : decimal.digits.substr(first))};
  if (decimal.is_negative) number.numerator = -number.numerator;
  const int scale = decimal.exponent - decimal.places;
  (scale >= 0 ? number.numerator : number.denominator) *= power_of_ten(std::abs(scale));
  return number;
}

// Nothing for a division by zero.
std::optional<Number> value_of(const Spelled& spelled) {
  auto number = value_of(spelled.above);
  if (spelled.below) {
    const auto below = value_of(*spelled.below);
    if (below.numerator == 0) return {};
    number.numerator *= below.denominator;
    number.denominator *= below.numerator;
  }
  if ((number.denominator < 0) != spelled.is_negative) number.numerator = -number.numerator;
  if (number.denominator < 0) number.denominator = -number.denominator;
  number.has_percent = spelled.has_percent;
  return number;
}

// What a number may not stand right behind: it would be a part of it.
bool is_joined_before(char c) { return is_digit(c) || is_letter(c) || c == '.' || c == '_' || c == '^'; }

// Likewise right before. Superscripts, vulgar fractions and full-width digits begin with the bytes C2, E2 and EF.
bool is_joined_after(char c) {
  return is_digit(c) || is_letter(c) || c == '_' || c == '\xC2' || c == '\xE2' || c == '\xEF';
}

bool begins_number(std::string_view text, size_t i) {
  const auto at = [&](size_t place) { return place < text.size() ? text[place] : ' '; };
  const char before = i == 0 ? ' ' : text[i - 1];
  if (is_joined_before(before)) return false;
  if (is_digit(text[i]) || text[i] == '\\') return true;
  if (text[i] == '.') return is_digit(at(i + 1));
  const size_t sign = text[i] == '-' ? 1 : text.substr(i).starts_with(kMinusSign) ? kMinusSign.size() : 0;
  // A minus after an operand subtracts; the number after it is found on its own.
  if (sign == 0 || before == ')' || before == '}' || before == '%') return false;
  return is_digit(at(i + sign)) || at(i + sign) == '.' || at(i + sign) == '\\';
}

// Whether a number that ends at `end` ends there for a reader: a full stop may follow, a further part may not.
bool ends_number(std::string_view text, size_t end) {
  if (end < text.size() && text[end] == '.') ++end;
  return end >= text.size() || !is_joined_after(text[end]);
}

}  // namespace

bool operator==(const Number& a, const Number& b) { return a.numerator * b.denominator == b.numerator * a.denominator; }

std::string lowest_terms(const Number& number) {
  constexpr unsigned kMaxBits = 4096;
  const auto magnitude = number.numerator < 0 ? cpp_int(-number.numerator) : number.numerator;
  if (magnitude == 0) return number.has_percent ? "0%" : "0";
  if (msb(magnitude) > kMaxBits || msb(number.denominator) > kMaxBits) return {};
  const cpp_int common = gcd(magnitude, number.denominator);
  auto text = cpp_int(number.numerator / common).str();
  if (number.denominator != common) text += "/" + cpp_int(number.denominator / common).str();
  return number.has_percent ? text + "%" : text;
}

std::optional<Number> parse_number(std::string_view text) {
  text = unwrapped(text);
  if (text.size() > 4 * kMaxDigits) return {};
  Scanner scanner(text);
  const auto spelled = scanner.take_number();
  if (!spelled || !scanner.is_done()) return {};
  return value_of(*spelled);
}

std::optional<Number> find_last_number(std::string_view text) {
  std::optional<Spelled> last;
  for (size_t i = 0; i < text.size();) {
    if (!begins_number(text, i)) {
      ++i;
      continue;
    }
    Scanner scanner(text.substr(i));
    auto spelled = scanner.take_number();
    i += std::max<size_t>(scanner.place(), 1);  // behind what was read, also if it was no number: linear time
    if (spelled && ends_number(text, i)) last = std::move(spelled);
  }
  if (!last) return {};
  return value_of(*last);
}

}  // namespace r1::rewards
