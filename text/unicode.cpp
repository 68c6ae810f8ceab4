#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"

namespace r1::text {
namespace {

struct ClassRange {
  char32_t first, last;
  uint8_t classes;
};

// Characters of Unicode 15.1 and 16.0 (and the numbers of 17.0): utf8proc 2.8 knows 15.0, the reference
// tokenizers 16.0.
constexpr uint8_t kDigit = kNumber | kNumeric;
constexpr ClassRange kNewerCharacters[] = {
    {0x897, 0x897, kMark},        {0x1B4E, 0x1B4F, kPunct},    {0x1B7F, 0x1B7F, kPunct},
    {0x1C89, 0x1C8A, kLetter},    {0x2427, 0x2429, kSymbol},   {0x2FFC, 0x2FFF, kSymbol},
    {0x31E4, 0x31E5, kSymbol},    {0x31EF, 0x31EF, kSymbol},   {0xA7CB, 0xA7CD, kLetter},
    {0xA7DA, 0xA7DC, kLetter},    {0x105C0, 0x105F3, kLetter}, {0x10D40, 0x10D49, kDigit},
    {0x10D4A, 0x10D65, kLetter},  {0x10D69, 0x10D6D, kMark},   {0x10D6E, 0x10D6E, kPunct},
    {0x10D6F, 0x10D85, kLetter},  {0x10D8E, 0x10D8F, kSymbol}, {0x10EC2, 0x10EC4, kLetter},
    {0x10EFC, 0x10EFC, kMark},    {0x11380, 0x11389, kLetter}, {0x1138B, 0x1138B, kLetter},
    {0x1138E, 0x1138E, kLetter},  {0x11390, 0x113B5, kLetter}, {0x113B7, 0x113B7, kLetter},
    {0x113B8, 0x113C0, kMark},    {0x113C2, 0x113C2, kMark},   {0x113C5, 0x113C5, kMark},
    {0x113C7, 0x113CA, kMark},    {0x113CC, 0x113D0, kMark},   {0x113D1, 0x113D1, kLetter},
    {0x113D2, 0x113D2, kMark},    {0x113D3, 0x113D3, kLetter}, {0x113D4, 0x113D5, kPunct},
    {0x113D7, 0x113D8, kPunct},   {0x113E1, 0x113E2, kMark},   {0x116D0, 0x116E3, kDigit},
    {0x11BC0, 0x11BE0, kLetter},  {0x11BE1, 0x11BE1, kPunct},  {0x11BF0, 0x11BF9, kDigit},
    {0x11DE0, 0x11DE9, kNumeric}, {0x11F5A, 0x11F5A, kMark},   {0x13460, 0x143FA, kLetter},
    {0x16100, 0x1611D, kLetter},  {0x1611E, 0x1612F, kMark},   {0x16130, 0x16139, kDigit},
    {0x16D40, 0x16D6C, kLetter},  {0x16D6D, 0x16D6F, kPunct},  {0x16D70, 0x16D79, kDigit},
    {0x16FF4, 0x16FF6, kNumeric}, {0x18CFF, 0x18CFF, kLetter}, {0x1CC00, 0x1CCEF, kSymbol},
    {0x1CCF0, 0x1CCF9, kDigit},   {0x1CD00, 0x1CEB3, kSymbol}, {0x1E5D0, 0x1E5ED, kLetter},
    {0x1E5EE, 0x1E5EF, kMark},    {0x1E5F0, 0x1E5F0, kLetter}, {0x1E5F1, 0x1E5FA, kDigit},
    {0x1E5FF, 0x1E5FF, kPunct},   {0x1F8B2, 0x1F8BB, kSymbol}, {0x1F8C0, 0x1F8C1, kSymbol},
    {0x1FA89, 0x1FA89, kSymbol},  {0x1FA8F, 0x1FA8F, kSymbol}, {0x1FABE, 0x1FABE, kSymbol},
    {0x1FAC6, 0x1FAC6, kSymbol},  {0x1FADC, 0x1FADC, kSymbol}, {0x1FADF, 0x1FADF, kSymbol},
    {0x1FAE9, 0x1FAE9, kSymbol},  {0x1FBCB, 0x1FBEF, kSymbol}, {0x2EBF0, 0x2EE5D, kLetter},
};

bool is_white_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

uint8_t class_of_category(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return kLetter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return kMark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return kDigit;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return kPunct;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return kSymbol;
    default:
      return 0;
  }
}

uint8_t compute_class(char32_t c) {
  auto classes = class_of_category(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
  for (const auto& range : kNewerCharacters) {
    if (classes == 0 && c >= range.first && c <= range.last) classes = range.classes;
  }
  return classes | (is_white_space(c) ? kSpace : 0);
}

constexpr char32_t kPlaneSize = 0x10000;
// The two planes that hold nearly all text; later planes are computed each time.
constexpr char32_t kTableSize = 2 * kPlaneSize;

std::vector<uint8_t> make_class_table() {
  std::vector<uint8_t> table(kTableSize);
  for (char32_t c = 0; c < kTableSize; ++c) {
    table[c] =
        class_of_category(utf8proc_category(static_cast<utf8proc_int32_t>(c))) | (is_white_space(c) ? kSpace : 0);
  }
  for (const auto& range : kNewerCharacters) {
    for (char32_t c = range.first; c <= range.last && c < kTableSize; ++c) {
      if (table[c] == 0) table[c] = range.classes;
    }
  }
  return table;
}

// Marks and compositions of Unicode 10 to 15. The reference normalizes by Unicode 9, to which they are letters like
// any: nothing moves across them or joins with them.
struct CharRange {
  char32_t first, last;
};
constexpr CharRange kInertForReference[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},     {0xC3C, 0xC3C},
    {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},
    {0xA82C, 0xA82C},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50},
    {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x11938, 0x11938}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}};

bool is_inert_for_reference(char32_t c) {
  return std::any_of(std::begin(kInertForReference), std::end(kInertForReference),
                     [c](const CharRange& range) { return c >= range.first && c <= range.last; });
}

// Where the next such character begins, or the end.
size_t find_inert_for_reference(std::string_view text, size_t pos) {
  while (pos < text.size()) {
    const auto c = code_point_at(text, pos);
    if (c.value >= kInertForReference[0].first && is_inert_for_reference(c.value)) break;
    pos += c.size;
  }
  return pos;
}

void append_nfc(std::string_view text, std::string& out) {
  utf8proc_uint8_t* result = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &result, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (size < 0) throw Error("NFC normalisation", utf8proc_errmsg(size), "split the text into smaller parts");
  out.append(reinterpret_cast<const char*>(result), static_cast<size_t>(size));
}

// Neither composes with what stands before it, nor decomposes, nor is reordered.
bool is_nfc_inert(char32_t c) {
  return c < 0x300 || (c >= 0x400 && c <= 0x482) || (c >= 0x2010 && c <= 0x2027) || (c >= 0x3001 && c <= 0x3029) ||
         (c >= 0x3041 && c <= 0x3098) || (c >= 0x309B && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xFF01 && c <= 0xFFEE) || (c >= 0x1F300 && c <= 0x1FAFF);
}

}  // namespace

uint8_t wide_char_class(char32_t c) {
  static const std::vector<uint8_t> table = make_class_table();
  return c < kTableSize ? table[c] : compute_class(c);
}

bool is_word_char(char32_t c) {
  if (char_class(c) & (kLetter | kMark)) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      break;
  }
  // Other_Alphabetic symbols (circled and squared letters), then the two joiners.
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189) || c == 0x200C || c == 0x200D;
}

CodePoint code_point_before(std::string_view text, size_t pos) {
  do {
    --pos;
  } while (pos > 0 && (static_cast<uint8_t>(text[pos]) & 0xC0) == 0x80);
  return code_point_at(text, pos);
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

Utf8Unit utf8_unit_at(std::string_view bytes, size_t pos) {
  using Kind = Utf8Unit::Kind;
  const auto lead = static_cast<uint8_t>(bytes[pos]);
  if (lead < 0x80) return {1, Kind::kValid};
  if (lead < 0xC2 || lead > 0xF4) return {1, Kind::kInvalid};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
  uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i) {
    if (pos + i == bytes.size()) return {i, Kind::kIncomplete};
    const auto byte = static_cast<uint8_t>(bytes[pos + i]);
    if (byte < low || byte > high) return {i, Kind::kInvalid};
    low = 0x80;
    high = 0xBF;
  }
  return {size, Kind::kValid};
}

bool is_valid_utf8(std::string_view bytes) {
  size_t pos = 0;
  while (pos < bytes.size()) {
    uint64_t word = 0;
    while (pos + sizeof(word) <= bytes.size()) {
      std::memcpy(&word, bytes.data() + pos, sizeof(word));
      if (word & 0x8080808080808080) break;
      pos += sizeof(word);
    }
    if (pos == bytes.size()) break;
    const auto unit = utf8_unit_at(bytes, pos);
    if (unit.kind != Utf8Unit::Kind::kValid) return false;
    pos += unit.size;
  }
  return true;
}

std::string to_valid_utf8(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string out;
  for (size_t pos = 0; pos < bytes.size();) {
    const auto unit = utf8_unit_at(bytes, pos);
    if (unit.kind == Utf8Unit::Kind::kValid) {
      out.append(bytes, pos, unit.size);
    } else {
      append_utf8(out, 0xFFFD);
    }
    pos += unit.size;
  }
  return out;
}

bool is_surely_nfc(std::string_view text) {
  for (size_t pos = 0; pos < text.size();) {
    const auto c = code_point_at(text, pos);
    if (!is_nfc_inert(c.value)) return false;
    pos += c.size;
  }
  return true;
}

std::string to_nfc(std::string_view text) {
  if (is_surely_nfc(text)) return std::string(text);
  std::string out;
  for (size_t pos = 0; pos < text.size();) {
    const size_t end = find_inert_for_reference(text, pos);
    append_nfc(text.substr(pos, end - pos), out);
    pos = end;
    if (pos == text.size()) break;
    const size_t size = code_point_at(text, pos).size;
    out.append(text, pos, size);
    pos += size;
  }
  return out;
}

}  // namespace r1::text
