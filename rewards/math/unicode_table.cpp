#include "rewards/math/unicode_table.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace r1::rewards::math {
namespace {

struct Row {
  uint32_t code_point;
  std::string_view latex;
};

constexpr Row kRows[]{
    {0x00A2, "\\text{cents}"},
    {0x00A3, "\\text{pound}"},
    {0x00A5, "\\text{yen}"},
    {0x00AC, "\\neg "},
    {0x00B0, "\\degree "},
    {0x00B1, "\\pm "},
    {0x00B7, "\\cdot "},
    {0x00BC, "\\frac{1}{4}"},
    {0x00BD, "\\frac{1}{2}"},
    {0x00BE, "\\frac{3}{4}"},
    {0x00D7, "\\times "},
    {0x00F7, "\\div "},
    {0x0393, "\\Gamma "},
    {0x0394, "\\Delta "},
    {0x0398, "\\Theta "},
    {0x039B, "\\Lambda "},
    {0x03A0, "\\Pi "},
    {0x03A3, "\\Sigma "},
    {0x03A6, "\\Phi "},
    {0x03A8, "\\Psi "},
    {0x03A9, "\\Omega "},
    {0x03B1, "\\alpha "},
    {0x03B2, "\\beta "},
    {0x03B3, "\\gamma "},
    {0x03B4, "\\delta "},
    {0x03B5, "\\epsilon "},
    {0x03B6, "\\zeta "},
    {0x03B7, "\\eta "},
    {0x03B8, "\\theta "},
    {0x03BB, "\\lambda "},
    {0x03BC, "\\mu "},
    {0x03BD, "\\nu "},
    {0x03BE, "\\xi "},
    {0x03C0, "\\pi "},
    {0x03C1, "\\rho "},
    {0x03C3, "\\sigma "},
    {0x03C4, "\\tau "},
    {0x03C6, "\\phi "},
    {0x03C7, "\\chi "},
    {0x03C8, "\\psi "},
    {0x03C9, "\\omega "},
    {0x03D5, "\\phi "},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, "-"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x2026, "\\ldots "},
    {0x2032, "'"},
    {0x2044, "/"},
    {0x20AC, "\\text{euro}"},
    {0x20B9, "\\text{rupee}"},
    {0x2102, "\\mathbb{C}"},
    {0x2115, "\\mathbb{N}"},
    {0x211A, "\\mathbb{Q}"},
    {0x211D, "\\mathbb{R}"},
    {0x2124, "\\mathbb{Z}"},
    {0x2150, "\\frac{1}{7}"},
    {0x2151, "\\frac{1}{9}"},
    {0x2152, "\\frac{1}{10}"},
    {0x2153, "\\frac{1}{3}"},
    {0x2154, "\\frac{2}{3}"},
    {0x2155, "\\frac{1}{5}"},
    {0x2156, "\\frac{2}{5}"},
    {0x2157, "\\frac{3}{5}"},
    {0x2158, "\\frac{4}{5}"},
    {0x2159, "\\frac{1}{6}"},
    {0x215A, "\\frac{5}{6}"},
    {0x215B, "\\frac{1}{8}"},
    {0x215C, "\\frac{3}{8}"},
    {0x215D, "\\frac{5}{8}"},
    {0x215E, "\\frac{7}{8}"},
    {0x2190, "\\leftarrow "},
    {0x2192, "\\to "},
    {0x21D2, "\\implies "},
    {0x2205, "\\emptyset "},
    {0x2208, "\\in "},
    {0x2209, "\\notin "},
    {0x220F, "\\prod "},
    {0x2211, "\\sum "},
    {0x2212, "-"},
    {0x2213, "\\mp "},
    {0x2215, "/"},
    {0x2216, "\\setminus "},
    {0x2217, "*"},
    {0x221A, "\\sqrt "},
    {0x221B, "\\sqrt[3]"},
    {0x221E, "\\infty "},
    {0x2223, "|"},
    {0x2227, "\\land "},
    {0x2228, "\\lor "},
    {0x2229, "\\cap "},
    {0x222A, "\\cup "},
    {0x222B, "\\int "},
    {0x2236, ":"},
    {0x2248, "\\approx "},
    {0x2260, "\\neq "},
    {0x2264, "\\le "},
    {0x2265, "\\ge "},
    {0x2266, "\\le "},
    {0x2267, "\\ge "},
    {0x22C5, "\\cdot "},
    {0x2308, "\\lceil "},
    {0x2309, "\\rceil "},
    {0x230A, "\\lfloor "},
    {0x230B, "\\rfloor "},
    {0x27E8, "\\langle "},
    {0x27E9, "\\rangle "},
    {0x2A7D, "\\le "},
    {0x2A7E, "\\ge "},
};
static_assert(std::ranges::is_sorted(kRows, {}, &Row::code_point));

constexpr std::string_view kFullWidth =  // U+FF01 to U+FF5E are ASCII 0x21 to 0x7E
    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

}  // namespace

Decoded decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {};
  uint32_t code_point = first & (0xFFU >> (length + 1));
  for (int i = 1; i < length; ++i) {
    const uint32_t next = byte(static_cast<size_t>(i));
    if ((next & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (next & 0x3F);
  }
  const bool is_overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  if (is_overlong || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) return {};
  return {code_point, length};
}

std::string_view latex_of(uint32_t code_point) {
  if (code_point > 0xFF00 && code_point < 0xFF5F) return kFullWidth.substr(code_point - 0xFF01, 1);
  const auto row = std::ranges::lower_bound(kRows, code_point, {}, &Row::code_point);
  return row != std::end(kRows) && row->code_point == code_point ? row->latex : std::string_view();
}

char superscript_of(uint32_t code_point) {
  switch (code_point) {
    case 0x00B9:
      return '1';
    case 0x00B2:
      return '2';
    case 0x00B3:
      return '3';
    case 0x2071:
      return 'i';
    case 0x207A:
      return '+';
    case 0x207B:
      return '-';
    case 0x207D:
      return '(';
    case 0x207E:
      return ')';
    case 0x207F:
      return 'n';
    default:
      break;
  }
  const bool is_digit = code_point == 0x2070 || (code_point >= 0x2074 && code_point <= 0x2079);
  return is_digit ? static_cast<char>('0' + (code_point - 0x2070)) : '\0';
}

char subscript_of(uint32_t code_point) {
  return code_point >= 0x2080 && code_point <= 0x2089 ? static_cast<char>('0' + (code_point - 0x2080)) : '\0';
}

bool is_blank_character(uint32_t code_point) {
  return code_point == ' ' || (code_point >= '\t' && code_point <= '\r') || code_point == 0xA0 ||
         code_point == 0x3000 || (code_point >= 0x2000 && code_point <= 0x200B) || code_point == 0x202F ||
         code_point == 0x205F || code_point == 0xFEFF;
}

}  // namespace r1::rewards::math
