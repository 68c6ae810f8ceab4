#include "rewards/puzzle/cryptarithm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "rewards/puzzle/exact_json.h"

namespace r1::rewards {
namespace {

constexpr size_t kMaxWords = 100, kMaxLetters = 100, kMaxAnswer = 4096;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Judgement wrong(std::string why) { return {.verdict = Verdict::kWrong, .detail = std::move(why)}; }

// Digits by letter; -1: none.
using Digits = std::array<int, 128>;

std::set<char> letters_of(const CryptarithmKey& key) {
  std::set<char> letters(key.result.begin(), key.result.end());
  for (const auto& word : key.words) letters.insert(word.begin(), word.end());
  return letters;
}

std::optional<CryptarithmKey> checked(CryptarithmKey key) {
  const auto is_word = [](const std::string& word) {
    return !word.empty() && word.size() <= kMaxLetters && std::ranges::all_of(word, is_letter);
  };
  const bool fits = !key.words.empty() && key.words.size() <= kMaxWords && is_word(key.result) &&
                    std::ranges::all_of(key.words, is_word) && letters_of(key).size() <= 10;
  if (!fits) return {};
  return key;
}

std::optional<CryptarithmKey> key_of_json(const ExactJson& json) {
  const auto *words = json.find("words"), *result = json.find("result"), *zero = json.find("allow_leading_zero");
  if (words == nullptr || result == nullptr) return {};
  CryptarithmKey key{
      .words = {}, .result = result->text, .allows_leading_zero = zero != nullptr && zero->text == "true"};
  for (const auto& word : words->items) key.words.push_back(word.text);
  return checked(std::move(key));
}

// WORD + WORD + ... = WORD
std::optional<CryptarithmKey> key_of_text(std::string_view text) {
  CryptarithmKey key{.words = {""}};
  bool is_result = false;
  for (const char c : text) {
    if (is_blank(c)) continue;
    if (is_letter(c)) {
      (is_result ? key.result : key.words.back()) += c;
    } else if (c == '+' && !is_result) {
      key.words.emplace_back();
    } else if (c == '=' && !is_result) {
      is_result = true;
    } else {
      return {};
    }
  }
  return checked(std::move(key));
}

// Adds one letter's digit; false for a letter that has one, or what is no digit.
bool assign(Digits& digits, char letter, std::string_view digit) {
  auto& place = digits[static_cast<size_t>(letter)];
  if (place >= 0 || digit.size() != 1 || !is_digit(digit[0])) return false;
  place = digit[0] - '0';
  return true;
}

bool read_json(const ExactJson& json, Digits& digits) {
  if (json.kind != ExactJson::Kind::kObject) return false;
  for (const auto& [name, value] : json.members) {
    const auto digit =
        value.kind == ExactJson::Kind::kNumber ? value.text.substr(0, value.text.find("e0")) : value.text;
    if (name.size() != 1 || !is_letter(name[0]) || !assign(digits, name[0], digit)) return false;
  }
  return true;
}

bool read_pairs(std::string_view text, Digits& digits) {
  size_t i = 0;
  const auto skip_blanks = [&] {
    while (i < text.size() && is_blank(text[i])) ++i;
  };
  for (skip_blanks(); i < text.size(); skip_blanks()) {
    const char letter = text[i++];
    skip_blanks();
    const auto sign = text.substr(i).starts_with("->")                        ? 2u
                      : i < text.size() && (text[i] == '=' || text[i] == ':') ? 1u
                                                                              : 0u;
    i += sign;
    skip_blanks();
    if (!is_letter(letter) || sign == 0 || !assign(digits, letter, text.substr(i, 1))) return false;
    ++i;
    if (i < text.size() && !is_blank(text[i]) && text[i] != ',' && text[i] != ';') return false;
    skip_blanks();
    if (i < text.size() && (text[i] == ',' || text[i] == ';')) ++i;
  }
  return true;
}

// Column by column, so that words of any length add up exactly.
bool adds_up(const CryptarithmKey& key, const Digits& digits) {
  size_t num_columns = key.result.size();
  for (const auto& word : key.words) num_columns = std::max(num_columns, word.size());
  const auto digit_at = [&](const std::string& word, size_t column) {
    return column < word.size() ? digits[static_cast<size_t>(word[word.size() - 1 - column])] : 0;
  };
  int carry = 0;
  for (size_t column = 0; column < num_columns; ++column) {
    for (const auto& word : key.words) carry += digit_at(word, column);
    if (carry % 10 != digit_at(key.result, column)) return false;
    carry /= 10;
  }
  return carry == 0;
}

}  // namespace

std::optional<CryptarithmKey> parse_cryptarithm_key(std::string_view text) {
  const auto json = parse_exact_json(text);
  return json.value ? key_of_json(*json.value) : key_of_text(text);
}

Judgement check_cryptarithm(std::string_view answer, const CryptarithmKey& key) {
  if (answer.size() > kMaxAnswer) return wrong("the answer is too long");
  Digits digits;
  digits.fill(-1);
  const auto json = parse_exact_json(answer);
  if (!(json.value ? read_json(*json.value, digits) : read_pairs(answer, digits))) {
    return wrong("it is no list of letters, each once with a digit");
  }
  const auto letters = letters_of(key);
  std::set<int> used;
  for (size_t c = 0; c < digits.size(); ++c) {
    const bool is_asked = letters.contains(static_cast<char>(c));
    if (is_asked != (digits[c] >= 0)) {
      return wrong(
          fmt::format("{} {}", static_cast<char>(c), is_asked ? "has no digit" : "is no letter of the puzzle"));
    }
    if (is_asked && !used.insert(digits[c]).second) return wrong("two letters have the same digit");
  }
  const auto has_leading_zero = [&](const std::string& word) { return digits[static_cast<size_t>(word[0])] == 0; };
  if (!key.allows_leading_zero && (has_leading_zero(key.result) || std::ranges::any_of(key.words, has_leading_zero))) {
    return wrong("a word begins with 0");
  }
  return adds_up(key, digits) ? Judgement{Verdict::kRight, ""} : wrong("the sum does not come out");
}

}  // namespace r1::rewards
