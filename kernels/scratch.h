#pragma once
// Working memory of the kernels: buffers that belong to a thread, grow and stay, so that a kernel allocates nothing
// once it has seen its largest shape.

#include <cstddef>
#include <memory>

namespace r1::kernels {

// 64-byte aligned; large blocks lie on huge pages where the system grants them. Contents are not set. Throws r1::Error
// when there is no memory for `bytes`.
void* allocate_aligned(size_t bytes);
void free_aligned(void* memory);

// A buffer for one use at one place of one function: declare it `static thread_local` there.
class Scratch {
 public:
  // At least `count` floats; contents are not kept when the buffer grows.
  float* floats(size_t count);

 private:
  struct Free {
    void operator()(void* memory) const { free_aligned(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t capacity_ = 0;  // in floats
};

}  // namespace r1::kernels
