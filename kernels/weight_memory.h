#pragma once
// Memory for packed weights, many matrices to a huge page: a product with few rows streams its weights once, and with
// 4 KiB pages the TLB costs it a tenth to a fifth.

#include <cstddef>

namespace r1::kernels {

// 64-byte aligned, contents not set. Thread-safe. Throws r1::Error when there is no memory for `bytes`.
void* allocate_weights(size_t bytes);
// Takes what allocate_weights() gave, or null. A chunk goes back to the system with the last matrix in it.
void free_weights(void* memory);

}  // namespace r1::kernels
