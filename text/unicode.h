#pragma once
// UTF-8 and the character classes of pre-tokenizer regexes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace r1::text {

// Bits of char_class(). kNumber is what Oniguruma's \p{N} holds, kNumeric what Rust's char::is_numeric holds: the two
// follow different Unicode versions.
enum CharClass : uint8_t {
  kLetter = 1,  // \p{L}
  kNumber = 2,  // \p{N}
  kPunct = 4,   // \p{P}
  kSymbol = 8,  // \p{S}
  kMark = 16,   // \p{M}
  kSpace = 32,  // \s: White_Space
  kNumeric = 64,
  kLineEnd = 128,  // \r and \n only
};

// Classes of a character beyond ASCII.
uint8_t wide_char_class(char32_t c);
constexpr std::array<uint8_t, 128> make_ascii_classes() {
  std::array<uint8_t, 128> table{};
  for (int c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const bool symbol =
        c == '$' || c == '+' || c == '<' || c == '=' || c == '>' || c == '^' || c == '`' || c == '|' || c == '~';
    const bool space = c == ' ' || (c >= 9 && c <= 13);
    table[c] = letter ? kLetter : digit ? kNumber | kNumeric : symbol ? kSymbol : space ? kSpace : 0;
    if (table[c] == 0 && c > 32 && c < 127) table[c] = kPunct;
    if (c == '\r' || c == '\n') table[c] |= kLineEnd;
  }
  return table;
}
inline constexpr std::array<uint8_t, 128> kAsciiClasses = make_ascii_classes();
inline uint8_t char_class(char32_t c) { return c < 128 ? kAsciiClasses[c] : wide_char_class(c); }

// Rust's regex \w: Alphabetic, marks, decimal digits, connectors and joiners.
bool is_word_char(char32_t c);

// A character and the bytes it takes.
struct CodePoint {
  char32_t value;
  uint8_t size;
};

// The character at `pos` of valid UTF-8.
inline CodePoint code_point_at(std::string_view text, size_t pos) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[pos + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}
// The character that ends at `pos` (> 0) of valid UTF-8.
CodePoint code_point_before(std::string_view text, size_t pos);

void append_utf8(std::string& out, char32_t c);

// What stands at `pos` of any bytes: a whole character, a maximal invalid prefix (Unicode 3.9, "maximal subpart"), or
// the start of a character that the text ends in.
struct Utf8Unit {
  enum class Kind { kValid, kInvalid, kIncomplete };
  size_t size;
  Kind kind;
};
Utf8Unit utf8_unit_at(std::string_view bytes, size_t pos);

bool is_valid_utf8(std::string_view bytes);
// One U+FFFD for each maximal invalid prefix, as Rust's from_utf8_lossy and Python's errors="replace".
std::string to_valid_utf8(std::string_view bytes);

// Normalization form C of valid UTF-8, by the Unicode version that the reference uses; is_surely_nfc() is a fast test
// that may say no of text in form C.
bool is_surely_nfc(std::string_view text);
std::string to_nfc(std::string_view text);

}  // namespace r1::text
