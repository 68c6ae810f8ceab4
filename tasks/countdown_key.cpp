#include "tasks/countdown_key.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "tasks/rational.h"

namespace r1::tasks {
namespace {

constexpr std::string_view kAllOperations = "+-*/";
constexpr int64_t kMaxKeyNumber = 1'000'000'000'000;

// Takes the first word off the front of `text`; empty when none is left.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::optional<int64_t> parse_natural(std::string_view word) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc() || end != word.data() + word.size() || value < 0 || value > kMaxKeyNumber) return {};
  return value;
}

bool fits_128_bits(const std::vector<int64_t>& numbers) {
  Int128 height = 1;
  for (const auto number : numbers) {
    height *= number + 1;
    if (height > kMaxHeight / kMaxKeyNumber) return false;
  }
  return true;
}

// "using" and what follows it; false if that is not a list of operations.
bool read_operations(std::string_view rest, CountdownKey& key) {
  auto word = take_word(rest);
  if (word.empty()) return true;
  if (word != "using") return false;
  key.operations.clear();
  for (word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (word == "neg" && !key.allows_negation) {
      key.allows_negation = true;
    } else if (word.size() == 1 && kAllOperations.find(word[0]) != word.npos &&
               key.operations.find(word[0]) == std::string::npos) {
      key.operations += word;
    } else {
      return false;
    }
  }
  return !key.operations.empty();
}

}  // namespace

std::string format_key(CountdownKey key) {
  std::sort(key.numbers.begin(), key.numbers.end());
  auto text = fmt::format("{} = {}", fmt::join(key.numbers, " "), key.target);
  if (key.operations == kDefaultOperations && !key.allows_negation) return text;
  text += " using";
  for (const char operation : key.operations) text += {' ', operation};
  if (key.allows_negation) text += " neg";
  return text;
}

std::optional<CountdownKey> parse_key(std::string_view text) {
  CountdownKey key;
  auto word = take_word(text);
  for (; !word.empty() && word != "="; word = take_word(text)) {
    const auto number = parse_natural(word);
    if (!number) return {};
    key.numbers.push_back(*number);
  }
  const auto target = parse_natural(take_word(text));
  if (key.numbers.empty() || !target || !fits_128_bits(key.numbers)) return {};
  key.target = *target;
  if (!read_operations(text, key)) return {};
  std::sort(key.numbers.begin(), key.numbers.end());
  return key;
}

}  // namespace r1::tasks
