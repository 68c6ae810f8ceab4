#pragma once
// Packed keys and values as the blocks of attention_tiles.h, and the memory they and the tiles work in.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/attention.h"

namespace r1::kernels::attn {

// Floats on a 64-byte boundary, uninitialised; grows, never shrinks.
class Scratch {
 public:
  // At least `count` floats; what was there before may be lost.
  float* reserve(int64_t count);

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float, Free> floats_;
  int64_t capacity_ = 0;
};

// A segment of packed rows whose tokens fill the blocks first_block, first_block + 1, ...
struct Segment {
  int first_row = 0, num_rows = 0;
  int64_t first_block = 0;
};

// The segments that have rows. Throws Error if offsets decrease.
std::vector<Segment> segments_of(std::span<const int32_t> offsets);
int64_t num_blocks(std::span<const Segment> segments);

// How the blocks of a packed matrix [T, G*width] are laid out: [width][16] or [16][width].
enum class BlockLayout { kTransposed, kRows };

// All blocks of all heads, [G][blocks][width * 16]. Slots past a segment's end are 0.
struct Blocks {
  float* data = nullptr;
  int64_t head_stride = 0, block_stride = 0;

  const float* block(int head, int64_t index) const { return data + head * head_stride + index * block_stride; }

  // The blocks of `count` indices, then the last one again as often as attention_tiles.h wants blocks ahead. The
  // indices are table[0 ..], or first, first + 1, ... without a table.
  void list(int head, const int32_t* table, int64_t first, int count, std::vector<const float*>& list) const;
};

struct PackArgs {
  const float* x = nullptr;  // [T, num_heads * width]
  int64_t ldx = 0;
  int num_heads = 0, width = 0;
  BlockLayout layout = BlockLayout::kRows;
};

inline int64_t packed_floats(const PackArgs& args, int64_t blocks) {
  return args.num_heads * blocks * args.width * kKvBlockTokens;
}

// Copies every segment of each of `args` to blocks in `memory`, which holds the sum of their packed_floats().
std::vector<Blocks> pack_blocks(ThreadPool& pool, std::span<const Segment> segments, std::span<const PackArgs> args,
                                float* memory);

// Throws Error if a count is below 1, heads do not divide into kv heads, or the scale is not finite.
void check_shape(const char* where, const AttentionShape& shape);

}  // namespace r1::kernels::attn
