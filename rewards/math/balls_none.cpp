#ifndef R1_HAVE_ARB
#include "rewards/math/balls.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {

bool has_balls() { return false; }
BallFacts evaluate(Field&, const Poly&, int, int) { return {}; }
std::optional<Rational> floor_by_ball(Field&, const Frac&) { return {}; }

}  // namespace r1::rewards::math
#endif
