#include "text/unicode.h"

#include <utf8proc.h>

#include "core/json.h"
#include "tests/support/catch.h"

using namespace r1::text;

TEST_CASE("a text that is surely in form C is what normalization leaves alone", "[property]") {
  int num_wrong = 0;
  for (char32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    if (!is_surely_nfc(text)) continue;
    utf8proc_uint8_t* out = nullptr;
    utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                 &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    num_wrong += text != reinterpret_cast<const char*>(out) ||
                 utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class != 0;
    std::free(out);
  }
  CHECK(num_wrong == 0);
  CHECK(to_nfc("e\u0301\u1100\u1161") == "\u00e9\uac00");
  CHECK(to_nfc("\u3042\u3099") == "\u3042\u3099");
  CHECK(to_nfc("\u304b\u3099") == "\u304c");  // composes with what is inert alone
  // Found by comparing 200,000 random strings: U+08CB is newer than the reference's Unicode, so U+3099 stays behind it.
  CHECK(to_nfc("\u4e00\u08cb\u3099e\u0301") == "\u4e00\u08cb\u3099\u00e9");
}

TEST_CASE("characters have the classes of the reference's regex engines") {
  struct Case {
    char32_t c;
    int classes;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {'a', kLetter, "ASCII"},
      {'7', kNumber | kNumeric, "ASCII"},
      {'_', kPunct, "ASCII"},
      {'~', kSymbol, "ASCII"},
      {'\n', kSpace | kLineEnd, "ASCII"},
      {0x0B, kSpace, "vertical tab"},
      {0x1C, 0, "a separator to Python, not to Unicode"},
      {0x85, kSpace, "next line"},
      {0x180E, 0, "no blank since Unicode 6.3"},
      {0x3000, kSpace, "ideographic space"},
      {0x2163, kNumber | kNumeric, "Roman numeral"},
      {0x301, kMark, "combining acute"},
      {0x1F642, kSymbol, "emoji"},
      {0x20000, kLetter, "beyond the tables' planes"},
      {0x1C89, kLetter, "Unicode 16, which utf8proc 2.8 does not know"},
      {0x16D70, kNumber | kNumeric, "Unicode 16"},
      {0x11DE0, kNumeric, "Unicode 17: numeric to Rust, unknown to Oniguruma"},
      {0x2EBF0, kLetter, "Unicode 15.1, beyond the tables' planes"},
      {0xE000, 0, "private"},
      {0x10FFFF, 0, "last"},
  }));
  INFO(c.why);
  CHECK(int{char_class(c.c)} == c.classes);
}

TEST_CASE("bytes are told apart into characters, invalid ones and unfinished ones") {
  struct Case {
    std::string bytes;
    std::string expected;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {"\xC0\xAF", "\uFFFD\uFFFD", "overlong"},
      {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD", "overlong"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", "surrogate"},
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", "beyond U+10FFFF"},
      {"\xF0\x9F\x99", "\uFFFD", "unfinished at the end"},
      {"\xF0\x9F\x99z", "\uFFFDz", "unfinished before another"},
      {"\x80\x80", "\uFFFD\uFFFD", "continuations alone"},
      {"12345678\xFF", "12345678\uFFFD", "after eight plain bytes"},
      {"\xF4\x8F\xBF\xBF", "\U0010FFFF", "the last character"},
  }));
  INFO(c.why);
  CHECK(to_valid_utf8(c.bytes) == c.expected);
  CHECK(is_valid_utf8(c.bytes) == (c.bytes == c.expected));
}

TEST_CASE("word characters are Rust's") {
  for (const char32_t c : {U'a', U'_', U'9', U'\u0301', U'\u200D', U'\u24B6', U'\u4e00', U'\u2163'})
    CHECK(is_word_char(c));
  for (const char32_t c : {U' ', U'-', U'\u00BD', U'\u20AC', U'\U0001F642'}) CHECK_FALSE(is_word_char(c));
}
