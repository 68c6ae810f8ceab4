#include "text/byte_map.h"

#include <array>

#include "text/unicode.h"

namespace r1::text {
namespace {

constexpr bool is_own_char(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr int kNumOthers = 68;
constexpr char32_t kFirstOther = 0x100;

constexpr std::array<char32_t, 256> make_chars() {
  std::array<char32_t, 256> chars{};
  char32_t other = kFirstOther;
  for (int byte = 0; byte < 256; ++byte) chars[byte] = is_own_char(byte) ? static_cast<char32_t>(byte) : other++;
  return chars;
}
constexpr auto kChars = make_chars();

// Byte of a character below U+0144, or -1.
constexpr std::array<int16_t, kFirstOther + kNumOthers> make_bytes() {
  std::array<int16_t, kFirstOther + kNumOthers> bytes{};
  bytes.fill(-1);
  for (int byte = 0; byte < 256; ++byte) bytes[kChars[byte]] = static_cast<int16_t>(byte);
  return bytes;
}
constexpr auto kBytes = make_bytes();

}  // namespace

char32_t char_of_byte(uint8_t byte) { return kChars[byte]; }

std::string mapped_text(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) append_utf8(text, kChars[static_cast<uint8_t>(byte)]);
  return text;
}

bool append_unmapped(std::string_view text, std::string& out) {
  const size_t before = out.size();
  for (size_t pos = 0; pos < text.size();) {
    const auto lead = static_cast<uint8_t>(text[pos]);
    const bool is_pair = (lead & 0xE0) == 0xC0 && pos + 1 < text.size() && (text[pos + 1] & 0xC0) == 0x80;
    const char32_t c = is_pair ? (lead & 0x1F) << 6 | (static_cast<uint8_t>(text[pos + 1]) & 0x3F) : lead;
    if ((lead >= 0x80 && !is_pair) || c >= kBytes.size() || kBytes[c] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(kBytes[c]));
    pos += is_pair ? 2 : 1;
  }
  return true;
}

}  // namespace r1::text
