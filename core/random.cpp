#include "core/random.h"

#include <cmath>
#include <numbers>

namespace r1 {

double RandomStream::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - u is in (0, 1]: the logarithm is finite
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace r1
