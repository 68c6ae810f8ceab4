#pragma once
// The byte-level alphabet of GPT-2: every byte is written as one printable character, so that tokens are plain text in
// tokenizer.json and GGUF. Bytes 33..126, 161..172 and 174..255 stand for themselves, the other 68 for U+0100 and up.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace r1::text {

// The character that stands for a byte.
char32_t char_of_byte(uint8_t byte);

// A token's bytes as the text that token files hold.
std::string mapped_text(std::string_view bytes);

// Appends the bytes of a token's text to `out`. False, with `out` as it was, if a character stands for no byte.
bool append_unmapped(std::string_view text, std::string& out);

}  // namespace r1::text
