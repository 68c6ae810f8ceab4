#include "kernels/scratch.h"

#include <cstdint>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/error.h"

namespace r1::kernels {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{1} << 21;

}  // namespace

void* allocate_aligned(size_t bytes) {
  const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
  const size_t blocks = bytes / alignment + (bytes % alignment != 0 || bytes == 0 ? 1 : 0);
  void* memory = blocks <= SIZE_MAX / 2 / alignment ? std::aligned_alloc(alignment, blocks * alignment) : nullptr;
  if (memory == nullptr) {
    throw Error("kernels", fmt::format("no memory for a buffer of {} bytes", bytes),
                "use a smaller model or batch, or a machine with more memory");
  }
#if defined(__linux__)
  if (alignment == kHugePage) {
    ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: streams of weights miss the TLB once in 2 MiB, not in 4 KiB
  }
#endif
  return memory;
}

void free_aligned(void* memory) { std::free(memory); }

float* Scratch::floats(size_t count) {
  if (count > capacity_) {
    memory_.reset();
    capacity_ = 0;
    memory_.reset(allocate_aligned(count * sizeof(float)));
    capacity_ = count;
  }
  return static_cast<float*>(memory_.get());
}

}  // namespace r1::kernels
