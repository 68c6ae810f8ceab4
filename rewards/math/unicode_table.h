#pragma once
// Characters beyond ASCII that mean mathematics, as the ASCII or LaTeX that they stand for.

#include <cstdint>
#include <string_view>

namespace r1::rewards::math {

struct Decoded {
  uint32_t code_point = 0;
  int length = 0;  // bytes; 0 for invalid UTF-8
};

// The character at the front of `text`, which is not empty.
Decoded decode_utf8(std::string_view text);

// LaTeX or ASCII for a character; empty if it has none.
std::string_view latex_of(uint32_t code_point);

// 0-9 for superscript (or subscript) digits, '+', '-', 'n', 'i', '(' or ')' for the others; 0 for no such character.
char superscript_of(uint32_t code_point);
char subscript_of(uint32_t code_point);

bool is_blank_character(uint32_t code_point);

}  // namespace r1::rewards::math
