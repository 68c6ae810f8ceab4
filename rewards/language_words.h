#pragma once
// What tells languages of one script apart: their commonest words and special letters.

#include <cstdint>
#include <string_view>

namespace r1::rewards {

// In the order of the codes in language_words.cpp. The Latin ones come first.
enum class Language : uint8_t {
  kEnglish,
  kGerman,
  kFrench,
  kSpanish,
  kItalian,
  kPortuguese,
  kDutch,
  kPolish,
  kTurkish,
  kVietnamese,
  kIndonesian,
  kSwedish,
  kChinese,
  kJapanese,
  kKorean,
  kRussian,
  kUkrainian,
  kArabic,
  kPersian,
  kHindi,
  kBengali,
  kTamil,
  kGreek,
  kHebrew,
  kThai,
  kGeorgian,
  kArmenian,
  kUnknown,
};
constexpr int kNumLanguages = static_cast<int>(Language::kUnknown);
constexpr int kNumLatin = static_cast<int>(Language::kSwedish) + 1;

std::string_view code_of(Language language);
Language language_of_code(std::string_view code);  // kUnknown for none of ours

// Bit i: `word` (lower case) is among the commonest words of Latin language i.
uint32_t languages_of_word(std::string_view word);

// Bit i: the letter (lower case) is written in language i and in few others of its script; 0 for most.
uint32_t languages_of_letter(char32_t c);

// Units and names of functions, which belong to formulae: "km", "sin", "gcd".
bool is_formula_word(std::string_view word);

enum class Script : uint8_t {
  kLatin,
  kHan,
  kKana,
  kHangul,
  kCyrillic,
  kArabic,
  kDevanagari,
  kBengali,
  kTamil,
  kGreek,
  kHebrew,
  kThai,
  kGeorgian,
  kArmenian,
  kOther
};
Script script_of(char32_t c);

// Characters of it that make a word where a script is written without blanks; 0 for the others.
double chars_per_word(Script script);

}  // namespace r1::rewards
