#include "rewards/math/units.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace r1::rewards::math {
namespace {

struct Row {
  std::string_view name;
  std::string_view base;  // a base unit with a power, as "m^2"; several by blanks
  int64_t above = 1, below = 1;
};

// Lower-case names; plurals by 's' are tried too. Symbols are exact.
constexpr Row kWords[]{
    {"meter", "m"},
    {"metre", "m"},
    {"kilometer", "m", 1000},
    {"kilometre", "m", 1000},
    {"centimeter", "m", 1, 100},
    {"centimetre", "m", 1, 100},
    {"millimeter", "m", 1, 1000},
    {"millimetre", "m", 1, 1000},
    {"inch", "m", 254, 10000},
    {"inches", "m", 254, 10000},
    {"foot", "m", 3048, 10000},
    {"feet", "m", 3048, 10000},
    {"yard", "m", 9144, 10000},
    {"mile", "m", 1609344, 1000},
    {"gram", "g"},
    {"kilogram", "g", 1000},
    {"milligram", "g", 1, 1000},
    {"ton", "g", 1000000},
    {"tonne", "g", 1000000},
    {"pound", "lb"},
    {"ounce", "lb", 1, 16},
    {"second", "s"},
    {"minute", "s", 60},
    {"hour", "s", 3600},
    {"day", "s", 86400},
    {"week", "s", 604800},
    {"month", "month"},
    {"year", "month", 12},
    {"decade", "month", 120},
    {"liter", "m^3", 1, 1000},
    {"litre", "m^3", 1, 1000},
    {"milliliter", "m^3", 1, 1000000},
    {"millilitre", "m^3", 1, 1000000},
    {"gallon", "gal"},
    {"quart", "gal", 1, 4},
    {"pint", "gal", 1, 8},
    {"cup", "gal", 1, 16},
    {"acre", "acre"},
    {"hectare", "m^2", 10000},
    {"dollar", "usd"},
    {"usd", "usd"},
    {"cent", "usd", 1, 100},
    {"euro", "eur"},
    {"yuan", "cny"},
    {"yen", "jpy"},
    {"rupee", "inr"},
    {"pence", "gbp", 1, 100},
    {"newton", "N"},
    {"joule", "J"},
    {"watt", "W"},
    {"volt", "V"},
    {"ampere", "A"},
    {"amp", "A"},
    {"ohm", "ohm"},
    {"hertz", "s^-1"},
    {"kelvin", "K"},
    {"mole", "mol"},
    {"mph", "m s^-1", 1609344, 3600000},
    {"kph", "m s^-1", 1000, 3600},
    {"dozen", "one", 12},
    {"degree", "degree"},
    {"celsius", "celsius"},
    {"fahrenheit", "fahrenheit"},
    {"radian", "radian"},
    {"rad", "radian"},
};
constexpr Row kSymbols[]{
    {"m", "m"},
    {"km", "m", 1000},
    {"cm", "m", 1, 100},
    {"dm", "m", 1, 10},
    {"mm", "m", 1, 1000},
    {"nm", "m", 1, 1000000000},
    {"in", "m", 254, 10000},
    {"ft", "m", 3048, 10000},
    {"yd", "m", 9144, 10000},
    {"mi", "m", 1609344, 1000},
    {"g", "g"},
    {"kg", "g", 1000},
    {"mg", "g", 1, 1000},
    {"lb", "lb"},
    {"lbs", "lb"},
    {"oz", "lb", 1, 16},
    {"s", "s"},
    {"sec", "s"},
    {"secs", "s"},
    {"ms", "s", 1, 1000},
    {"min", "s", 60},
    {"mins", "s", 60},
    {"h", "s", 3600},
    {"hr", "s", 3600},
    {"hrs", "s", 3600},
    {"L", "m^3", 1, 1000},
    {"l", "m^3", 1, 1000},
    {"mL", "m^3", 1, 1000000},
    {"ml", "m^3", 1, 1000000},
    {"ha", "m^2", 10000},
    {"$", "usd"},
    {"USD", "usd"},
    {"EUR", "eur"},
    {"GBP", "gbp"},
    {"N", "N"},
    {"J", "J"},
    {"kJ", "J", 1000},
    {"W", "W"},
    {"kW", "W", 1000},
    {"V", "V"},
    {"A", "A"},
    {"K", "K"},
    {"Hz", "s^-1"},
    {"mol", "mol"},
    {"C", "celsius"},
    {"F", "fahrenheit"},
    {"deg", "degree"},
    {"sq", "square"},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

const Row* find_row(std::string_view word) {
  for (const auto& row : kSymbols) {
    if (row.name == word) return &row;
  }
  auto name = lower(word);
  for (int i = 0; i < 2; ++i) {
    for (const auto& row : kWords) {
      if (row.name == name) return &row;
    }
    if (name.size() < 4 || name.back() != 's') break;
    name.pop_back();
  }
  return nullptr;
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
    auto part = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
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
