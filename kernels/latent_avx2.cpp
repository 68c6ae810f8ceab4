#if defined(__x86_64__)

#include <cmath>
#include <limits>

#include "kernels/latent_tiles.h"
#include "kernels/vector_math.h"

// To the end of the file; see row_kernels_avx2.cpp for what that asks of it.
#pragma GCC target("avx2,fma")

#include "kernels/lanes_avx2.h"

namespace r1::kernels::avx2 {
namespace {

#include "kernels/latent_tiles.inc"

}  // namespace

extern const latent::Attend kLatentAttend;
const latent::Attend kLatentAttend = attend_heads;

}  // namespace r1::kernels::avx2

#endif
