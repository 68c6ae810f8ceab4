#include <cmath>
#include <limits>

#include "kernels/cpu.h"
#include "kernels/lanes_portable.h"
#include "kernels/latent_tiles.h"

namespace r1::kernels {
namespace portable {
namespace {

#include "kernels/latent_tiles.inc"

}  // namespace
}  // namespace portable

namespace avx2 {
extern const latent::Attend kLatentAttend;
}

latent::Attend latent::attend() {
#if defined(__x86_64__)
  if (active_isa() >= Isa::kAvx2) return avx2::kLatentAttend;
#endif
  return portable::attend_heads;
}

}  // namespace r1::kernels
