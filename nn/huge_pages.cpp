#include "nn/huge_pages.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace r1::nn {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLeast = 2 * kHugePage;  // smaller tensors would waste too much of their last page

class HugePageAllocator final : public c10::Allocator {
 public:
  explicit HugePageAllocator(c10::Allocator* small) : small_(small) {}

  c10::DataPtr allocate(size_t num_bytes) override {
    if (num_bytes < kLeast) return small_->allocate(num_bytes);
    void* memory = std::aligned_alloc(kHugePage, (num_bytes + kHugePage - 1) / kHugePage * kHugePage);
    if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    ::madvise(memory, num_bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish
#endif
    return {memory, memory, &std::free, c10::Device(c10::DeviceType::CPU)};
  }
  void copy_data(void* to, const void* from, size_t count) const override { std::memcpy(to, from, count); }

 private:
  c10::Allocator* small_;
};

}  // namespace

void use_huge_pages() {
  static HugePageAllocator allocator(c10::GetDefaultCPUAllocator());
  c10::SetCPUAllocator(&allocator, /*priority=*/100);
}

}  // namespace r1::nn
