#pragma once
// Strings that are hard on pre-tokenizers: characters of every class, often repeated, from a counter-based stream.

#include <array>
#include <string>

#include "core/random.h"
#include "text/unicode.h"

namespace r1::text {

inline std::string random_text(RandomStream& random, int max_chars) {
  static constexpr std::array<char32_t, 64> kChars = {
      ' ',    ' ',    ' ',    '\n',   '\r',     '\t',   0x0B,    0x85,
      0xA0,   0x3000, 0x2028, 0x200B, 0x1C,     '\'',   '\'',    's',
      'S',    't',    'r',    'e',    'v',      'l',    'L',     'd',
      'M',    0x17F,  'a',    'Z',    0xE9,     0x416,  0x4E00,  0x9FA5,
      0x9FA6, 0x3042, 0x30A2, 0xAC00, 0x5D0,    '0',    '7',     0x663,
      0x2160, 0xBD,   '!',    '.',    '-',      '_',    '(',     0x2019,
      0x3002, '$',    '+',    '<',    0x20AC,   0x301,  0x1F3FD, 0x1F642,
      0x200D, 0x1,    0x7F,   0xFFFD, 0x10FFFF, 0xE000, 0x130,   0x110000 - 0x10000};
  std::string text;
  const auto count = random.below(static_cast<uint64_t>(max_chars) + 1);
  for (uint64_t i = 0; i < count; ++i) {
    const char32_t c = kChars[random.below(kChars.size())];
    const uint64_t repeats = random.below(8) == 0 ? 1 + random.below(5) : 1;
    for (uint64_t r = 0; r < repeats; ++r) append_utf8(text, c);
  }
  return text;
}

}  // namespace r1::text
