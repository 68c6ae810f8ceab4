#pragma once
// Sets of real numbers that are unions of intervals and points, with exact ends.

#include <optional>
#include <vector>

#include "rewards/math/field.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {

// An end of an interval: a real constant, or one of the infinities.
struct End {
  int infinity = 0;  // -1, 1, or 0 for `value`
  Frac value;
  bool is_closed = false;
};

struct Interval {
  End low, high;
};

// Intervals in order, apart from each other. Ends whose order cannot be proved throw Overrun.
class Region {
 public:
  static Region empty() { return {}; }
  static Region everything();
  static Region point(Frac value);
  static Region interval(Field& field, End low, End high);  // empty if its ends are in the wrong order

  const std::vector<Interval>& intervals() const { return intervals_; }
  bool is_empty() const { return intervals_.empty(); }

  static Region unite(Field& field, const Region& a, const Region& b);
  static Region intersect(Field& field, const Region& a, const Region& b);
  Region complement() const;

 private:
  std::vector<Interval> intervals_;
};

Tri are_equal(Field& field, const Region& a, const Region& b);

// Real zeros of a polynomial in one variable, in ascending order, if they are found exactly: all of degrees 1 and 2,
// and of higher ones what rational zeros leave of degree 2. Coefficients are by ascending power.
std::optional<std::vector<Frac>> real_roots(Field& field, std::vector<Frac> coefficients);

// Coefficients of a polynomial in a variable by ascending power; nothing if it is none or of degree above 12.
std::optional<std::vector<Frac>> coefficients_of(Field& field, const Poly& p, std::string_view variable);

}  // namespace r1::rewards::math
