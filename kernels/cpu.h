#pragma once
// Which instruction set the kernels run on. Every kernel has a portable form and an AVX2+FMA one, products have AVX-512
// ones besides, and all give the same bits; the processor decides which, once, at run time.

namespace r1::kernels {

// Each holds the ones before it. kAvx512 is the F, BW, DQ and VL parts; kAvx512Bf16 adds the products of bfloat16
// pairs.
enum class Isa { kPortable, kAvx2, kAvx512, kAvx512Bf16 };
const char* to_string(Isa isa);

// What this processor can run.
Isa detected_isa();
// What the kernels use: detected_isa(), unless a test forced another.
Isa active_isa();
// Makes the kernels use `isa` from now on; one that this processor lacks is refused. For tests: not to be called while
// kernels run.
void force_isa_for_tests(Isa isa);

}  // namespace r1::kernels
