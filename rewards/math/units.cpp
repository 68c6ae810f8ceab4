#include "rewards/math/units.h"

#include <algorithm>
#include <string>
#include <vector>

namespace r1::rewards::math {
namespace {

// Symbols are exact; words are in lower case, and are tried without a plural's 's' too. Several by blanks.
struct Row {
  std::string_view symbols, words;
  std::string_view base;  // a base unit with a power, as "m^2"; several by blanks
  int64_t above = 1, below = 1;
};

constexpr Row kRows[]{
    {"m", "meter metre", "m"},
    {"km", "kilometer kilometre", "m", 1000},
    {"dm", "", "m", 1, 10},
    {"cm", "centimeter centimetre", "m", 1, 100},
    {"mm", "millimeter millimetre", "m", 1, 1000},
    {"nm", "", "m", 1, 1000000000},
    {"in", "inch inches", "m", 254, 10000},
    {"ft", "foot feet", "m", 3048, 10000},
    {"yd", "yard", "m", 9144, 10000},
    {"mi", "mile", "m", 1609344, 1000},
    {"g", "gram", "g"},
    {"kg", "kilogram", "g", 1000},
    {"mg", "milligram", "g", 1, 1000},
    {"", "ton tonne", "g", 1000000},
    {"lb lbs", "pound", "lb"},
    {"oz", "ounce", "lb", 1, 16},
    {"s sec secs", "second", "s"},
    {"ms", "", "s", 1, 1000},
    {"min mins", "minute", "s", 60},
    {"h hr hrs", "hour", "s", 3600},
    {"", "day", "s", 86400},
    {"", "week", "s", 604800},
    {"", "month", "month"},
    {"", "year", "month", 12},
    {"", "decade", "month", 120},
    {"L l", "liter litre", "m^3", 1, 1000},
    {"mL ml", "milliliter millilitre", "m^3", 1, 1000000},
    {"", "gallon", "gal"},
    {"", "quart", "gal", 1, 4},
    {"", "pint", "gal", 1, 8},
    {"", "cup", "gal", 1, 16},
    {"", "acre", "acre"},
    {"ha", "hectare", "m^2", 10000},
    {"$ USD", "dollar usd", "usd"},
    {"", "cent", "usd", 1, 100},
    {"EUR", "euro", "eur"},
    {"", "yuan", "cny"},
    {"", "yen", "jpy"},
    {"", "rupee", "inr"},
    {"GBP", "", "gbp"},
    {"", "pence", "gbp", 1, 100},
    {"N", "newton", "N"},
    {"J", "joule", "J"},
    {"kJ", "", "J", 1000},
    {"W", "watt", "W"},
    {"kW", "", "W", 1000},
    {"V", "volt", "V"},
    {"A", "ampere amp", "A"},
    {"", "ohm", "ohm"},
    {"Hz", "hertz", "s^-1"},
    {"K", "kelvin", "K"},
    {"mol", "mole", "mol"},
    {"", "mph", "m s^-1", 1609344, 3600000},
    {"", "kph", "m s^-1", 1000, 3600},
    {"", "dozen", "one", 12},
    {"deg", "degree", "degree"},
    {"C", "celsius", "celsius"},
    {"F", "fahrenheit", "fahrenheit"},
    {"", "radian rad", "radian"},
    {"sq", "", "square"},
};

// The first of a list by blanks, which is taken off it.
std::string_view take_first(std::string_view& list) {
  const auto first = list.substr(0, list.find(' '));
  list.remove_prefix(std::min(list.size(), first.size() + 1));
  return first;
}

const Row* row_with(std::string_view Row::*names, std::string_view name) {
  for (const auto& row : kRows) {
    for (auto list = row.*names; !list.empty();) {
      if (take_first(list) == name) return &row;
    }
  }
  return nullptr;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

const Row* find_row(std::string_view word) {
  if (const auto* row = row_with(&Row::symbols, word)) return row;
  auto name = lower(word);
  const auto* row = row_with(&Row::words, name);
  if (row != nullptr || name.size() < 4 || name.back() != 's') return row;
  name.pop_back();
  return row_with(&Row::words, name);
}

void multiply(Unit& unit, std::string_view word, int power) {
  const auto* row = find_row(word);
  if (row == nullptr) {
    auto name = lower(word);
    if (name.size() > 3 && name.back() == 's') name.pop_back();
    unit.is_known = false;
    unit.powers[name] += power;
    return;
  }
  unit.factor = unit.factor * math::power(Rational(row->above, row->below), power);
  for (auto rest = row->base; !rest.empty();) {
    const auto part = take_first(rest);
    const auto caret = part.find('^');
    const int own = caret == part.npos ? 1 : std::stoi(std::string(part.substr(caret + 1)));
    if (part != "one") unit.powers[std::string(part.substr(0, caret))] += own * power;
  }
}

}  // namespace

bool is_known_unit(std::string_view word) { return find_row(word) != nullptr; }

std::optional<Unit> parse_unit(std::string_view text) {
  Unit unit;
  int sign = 1, pending_power = 1;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '/') sign = -1;
    if (c == ' ' || c == '*' || c == '/' || c == '.' || c == '-' || c == '\'' || c == ',') {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && text.substr(end, 1).find_first_of(" */^.-',") == std::string_view::npos) ++end;
    const auto word = text.substr(at, end - at);
    at = end;
    if (word.empty()) return {};
    int power = 1;
    if (at < text.size() && text[at] == '^') {
      const auto stop = std::min(text.find_first_of(" */", at), text.size());
      const auto digits = text.substr(at + 1, stop - at - 1);
      const bool is_negative = digits.starts_with('-');
      const auto magnitude = digits.substr(is_negative ? 1 : 0);
      if (magnitude.size() != 1 || magnitude[0] < '1' || magnitude[0] > '9') return {};
      power = (magnitude[0] - '0') * (is_negative ? -1 : 1);
      at = stop;
    }
    if (word == "per") {
      sign = -1;
    } else if (word == "square" || word == "sq" || word == "squared") {
      pending_power = 2;
    } else if (word == "cubic") {
      pending_power = 3;
    } else if (word != "of" && word != "the") {
      multiply(unit, word, sign * power * pending_power);
      pending_power = 1;
    }
  }
  std::erase_if(unit.powers, [](const auto& entry) { return entry.second == 0; });
  return unit;
}

}  // namespace r1::rewards::math
