#include "kernels/quant_memory.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "kernels/scratch.h"

namespace r1::kernels::quant {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSlabBytes = size_t{32} << 20;
constexpr size_t kLargest = kSlabBytes / 4;  // that shares a slab: larger matrices fill huge pages of their own

struct Slab {
  std::byte* base = nullptr;
  size_t size = 0, used = 0;
  size_t num_live = 0;  // allocations not freed yet

  bool holds(const std::byte* p) const { return p >= base && p < base + size; }
};

class Slabs {
 public:
  void* allocate(size_t bytes) {
    const size_t size = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    const std::scoped_lock lock(mutex_);
    Slab& slab = slab_for(size);
    std::byte* memory = slab.base + slab.used;
    slab.used += size;
    ++slab.num_live;
    return memory;
  }

  void release(std::byte* memory) {
    const std::scoped_lock lock(mutex_);
    const auto slab = std::find_if(slabs_.begin(), slabs_.end(), [&](const Slab& s) { return s.holds(memory); });
    if (--slab->num_live > 0) return;
    free_aligned(slab->base);
    slabs_.erase(slab);
  }

 private:
  // A slab with `size` bytes left.
  Slab& slab_for(size_t size) {
    const auto has_room = [&](const Slab& s) { return s.size - s.used >= size; };
    const auto slab = std::find_if(slabs_.begin(), slabs_.end(), has_room);
    if (slab != slabs_.end()) return *slab;
    const size_t slab_size = size > kLargest ? size : kSlabBytes;
    slabs_.reserve(slabs_.size() + 1);  // now, so that nothing throws once the slab is there
    slabs_.push_back({.base = static_cast<std::byte*>(allocate_aligned(slab_size)), .size = slab_size});
    return slabs_.back();
  }

  std::mutex mutex_;
  std::vector<Slab> slabs_;
};

Slabs& slabs() {
  static Slabs& instance = *new Slabs;  // never destroyed: matrices with static lifetime may go later
  return instance;
}

}  // namespace

void* allocate_weights(size_t bytes) { return slabs().allocate(bytes); }

void free_weights(void* memory) {
  if (memory != nullptr) slabs().release(static_cast<std::byte*>(memory));
}

}  // namespace r1::kernels::quant
