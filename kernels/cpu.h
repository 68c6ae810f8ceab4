#pragma once
// Which instruction set the kernels run on. Every kernel has an AVX2+FMA form and a portable one that gives the same
// bits; the processor decides which, once, at run time.

namespace r1::kernels {

enum class Isa { kPortable, kAvx2 };

// What this processor can run.
Isa detected_isa();
// What the kernels use: detected_isa(), unless a test forced another.
Isa active_isa();
// Makes the kernels use `isa` from now on; one that this processor lacks is refused. For tests: not to be called while
// kernels run.
void force_isa_for_tests(Isa isa);

}  // namespace r1::kernels
