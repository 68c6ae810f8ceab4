#pragma once
// Memory for quantised weights. A layer's matrices are smaller than a huge page (2 MiB), and one by one they would lie
// on 4 KiB pages: then a product with one row spends a quarter of its time on address translation. So matrices share
// slabs that lie on huge pages; a slab goes back to the system when its last matrix has gone.

#include <cstddef>

namespace r1::kernels::quant {

// 64-byte aligned; contents are not set. Thread-safe. Throws r1::Error when there is no memory for `bytes`.
void* allocate_weights(size_t bytes);
void free_weights(void* memory);

}  // namespace r1::kernels::quant
