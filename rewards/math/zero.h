#pragma once
// Whether a value is zero: proved either way, or not known. Never by how small a floating-point number is.
//
// Zero is proved by the normal form (all terms cancel) or, for numbers made of roots, by a bound below which such a
// number can only be zero: Burnikel, Fleischer, Mehlhorn, Schirra, "A strong and easily computable separation bound for
// arithmetic expressions involving radicals", Algorithmica 27 (2000). Not zero is proved by the independence of what is
// left, or by a ball (Arb) that does not contain 0.

#include <optional>

#include "rewards/math/field.h"

namespace r1::rewards::math {

enum class Tri { kNo, kYes, kUnknown };

// For an expression with variables: whether it is zero wherever it is defined.
Tri is_zero(Field& field, const Poly& value);
Tri is_zero(Field& field, const Frac& value);
Tri are_equal(Field& field, const Frac& a, const Frac& b);

// -1, 0 or 1 for a real number without variables; nothing if it is not known.
std::optional<int> sign_of(Field& field, const Poly& value);
std::optional<int> sign_of(Field& field, const Frac& value);

// Largest whole number not above a real constant, if it is known.
std::optional<Rational> floor_of(Field& field, const Frac& value);

// Whether the build has ball arithmetic (FLINT and Arb). Without it what is not settled exactly stays unknown.
bool has_balls();

}  // namespace r1::rewards::math
