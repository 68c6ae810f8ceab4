#include "kernels/cpu.h"

#include <atomic>

#include "core/error.h"

namespace r1::kernels {
namespace {

std::atomic<Isa>& current_isa() {
  static std::atomic<Isa> isa{detected_isa()};
  return isa;
}

}  // namespace

Isa detected_isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Isa::kAvx2;
  }
#endif
  return Isa::kPortable;
}

Isa active_isa() { return current_isa().load(std::memory_order_relaxed); }

void force_isa_for_tests(Isa isa) {
  if (isa == Isa::kAvx2 && detected_isa() != Isa::kAvx2) {
    throw Error("force_isa_for_tests", "AVX2 and FMA asked for; this processor lacks them", "pass Isa::kPortable");
  }
  current_isa().store(isa, std::memory_order_relaxed);
}

}  // namespace r1::kernels
