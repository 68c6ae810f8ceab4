#include "kernels/weight_memory.h"

#include <cstdint>
#include <memory>
#include <mutex>

#include "core/error.h"
#include "kernels/scratch.h"

namespace r1::kernels {
namespace {

constexpr size_t kChunkBytes = size_t{32} << 20;
constexpr size_t kLeastShared = size_t{64} << 10;  // smaller blocks gain nothing
constexpr size_t kMostShared = kChunkBytes / 4;    // larger ones fill huge pages of their own

// Blocks are cut from `memory` in order, and none is used again before all are free.
struct Chunk {
  explicit Chunk(size_t bytes) : memory(static_cast<char*>(allocate_aligned(bytes))), capacity(bytes) {}
  ~Chunk() { free_aligned(memory); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  char* memory;
  size_t capacity, used = 0, num_live = 0;
};

// Stands before each block.
struct alignas(64) Header {
  Chunk* chunk;
};

struct Shared {
  std::mutex mutex;
  std::unique_ptr<Chunk> current;  // others are owned by the blocks in them
};

// Never destroyed: matrices in static storage may outlive it.
Shared& shared() {
  static Shared& instance = *new Shared;
  return instance;
}

void* cut(Chunk& chunk, size_t bytes) {
  Header* header = new (chunk.memory + chunk.used) Header{&chunk};
  chunk.used += bytes;
  ++chunk.num_live;
  return header + 1;
}

}  // namespace

void* allocate_weights(size_t bytes) {
  if (bytes > SIZE_MAX / 2) {
    throw Error("kernels", fmt::format("no memory for weights of {} bytes", bytes), "use a smaller model");
  }
  const size_t block = (sizeof(Header) + bytes + 63) / 64 * 64;
  if (block < kLeastShared || block > kMostShared) return cut(*new Chunk(block), block);
  Shared& s = shared();
  const std::scoped_lock lock(s.mutex);
  if (s.current == nullptr || s.current->capacity - s.current->used < block) {
    auto next = std::make_unique<Chunk>(kChunkBytes);
    if (s.current != nullptr && s.current->num_live > 0) s.current.release();
    s.current = std::move(next);
  }
  return cut(*s.current, block);
}

void free_weights(void* memory) {
  if (memory == nullptr) return;
  Chunk* chunk = (static_cast<Header*>(memory) - 1)->chunk;
  Shared& s = shared();
  const std::scoped_lock lock(s.mutex);
  if (--chunk->num_live > 0) return;
  if (chunk != s.current.get()) {
    delete chunk;
  } else {
    chunk->used = 0;
  }
}

}  // namespace r1::kernels
