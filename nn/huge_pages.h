#pragma once
// Large CPU tensors on huge pages. Activations and logits are tens of megabytes that products write in tiles: on 4 KiB pages
// each row of a tile is another entry of the TLB.

namespace r1::nn {

// From now on CPU tensors of a few MiB and more lie on 2 MiB pages where the system grants them (THP "madvise" or
// "always"). Call once, before tensors are made.
void use_huge_pages();

}  // namespace r1::nn
