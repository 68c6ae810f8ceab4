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

const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "AVX2";
    case Isa::kAvx512:
      return "AVX-512";
    case Isa::kAvx512Bf16:
      return "AVX-512 with bfloat16 products";
  }
  return "?";
}

Isa detected_isa() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kPortable;
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!has_avx512) return Isa::kAvx2;
  return __builtin_cpu_supports("avx512bf16") ? Isa::kAvx512Bf16 : Isa::kAvx512;
#else
  return Isa::kPortable;
#endif
}

Isa active_isa() { return current_isa().load(std::memory_order_relaxed); }

void force_isa_for_tests(Isa isa) {
  if (isa > detected_isa()) {
    throw Error("force_isa_for_tests",
                fmt::format("{} asked for; this processor has {}", to_string(isa), to_string(detected_isa())),
                "pass Isa::kPortable");
  }
  current_isa().store(isa, std::memory_order_relaxed);
}

}  // namespace r1::kernels
