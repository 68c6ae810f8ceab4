#pragma once
// Units of measure and currencies: what "km/h" is in metres and seconds.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rewards/math/rational.h"

namespace r1::rewards::math {

struct Unit {
  Rational factor = 1;                // to base units
  std::map<std::string, int> powers;  // of base units, by name; words that are no known unit are their own base
  bool is_known = true;               // no such words
  bool operator==(const Unit&) const = default;
};

bool is_known_unit(std::string_view word);

// "cm^2", "km/h", "square feet", "m s^-1". Nothing if it cannot be read as one.
std::optional<Unit> parse_unit(std::string_view text);

}  // namespace r1::rewards::math
