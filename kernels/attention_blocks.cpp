#include "kernels/attention_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/attention_tiles.h"

namespace r1::kernels {
namespace attn {
namespace {

constexpr int64_t kAlignment = 64;

// One block of one head: rows first .. first + count - 1 of x, whose columns start at x.
void pack_block(const PackArgs& args, const float* x, int count, float* block) {
  const int width = args.width;
  if (count < kKvBlockTokens) std::fill_n(block, int64_t{width} * kKvBlockTokens, 0.0f);
  for (int t = 0; t < count; ++t) {
    const float* row = x + t * args.ldx;
    if (args.layout == BlockLayout::kRows) {
      std::copy_n(row, width, block + int64_t{t} * width);
    } else {
      for (int64_t i = 0; i < width; ++i) block[i * kKvBlockTokens + t] = row[i];
    }
  }
}

}  // namespace

void Scratch::Free::operator()(float* p) const { std::free(p); }

float* Scratch::reserve(int64_t count) {
  if (count > capacity_) {
    floats_.reset();
    capacity_ = 0;
    const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
    floats_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
    if (floats_ == nullptr) throw std::bad_alloc();
    capacity_ = count;
  }
  return floats_.get();
}

void Blocks::list(int head, const int32_t* table, int64_t first, int count, std::vector<const float*>& list) const {
  list.resize(count);
  for (int b = 0; b < count; ++b) list[b] = block(head, table == nullptr ? first + b : table[b]);
  list.resize(count + kBlocksAhead, list.back());
}

std::vector<Segment> segments_of(std::span<const int32_t> offsets) {
  std::vector<Segment> segments;
  int64_t block = 0;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const int32_t begin = offsets[s], end = offsets[s + 1];
    if (begin < 0 || end < begin) {
      throw Error("attention_packed", fmt::format("offsets[{}] is {} and offsets[{}] is {}", s, begin, s + 1, end),
                  "pass offsets that start at 0 or above and never decrease");
    }
    if (end == begin) continue;
    segments.push_back({.first_row = begin, .num_rows = end - begin, .first_block = block});
    block += (int64_t{end} - begin + kKvBlockTokens - 1) / kKvBlockTokens;
  }
  return segments;
}

int64_t num_blocks(std::span<const Segment> segments) {
  if (segments.empty()) return 0;
  return segments.back().first_block + (segments.back().num_rows + kKvBlockTokens - 1) / kKvBlockTokens;
}

std::vector<Blocks> pack_blocks(ThreadPool& pool, std::span<const Segment> segments, std::span<const PackArgs> args,
                                float* memory) {
  const int64_t blocks = num_blocks(segments);
  std::vector<Blocks> result;
  for (const PackArgs& a : args) {
    const int64_t block_stride = int64_t{a.width} * kKvBlockTokens;
    result.push_back({.data = memory, .head_stride = blocks * block_stride, .block_stride = block_stride});
    memory += packed_floats(a, blocks);
  }
  const auto pack_range = [&](int64_t begin, int64_t end) {
    const auto after = [](int64_t block, const Segment& s) { return block < s.first_block; };
    for (int64_t block = begin; block < end; ++block) {
      const Segment& s = *(std::upper_bound(segments.begin(), segments.end(), block, after) - 1);
      const int first = static_cast<int>(block - s.first_block) * kKvBlockTokens;
      const int count = std::min(kKvBlockTokens, s.num_rows - first);
      for (size_t i = 0; i < args.size(); ++i) {
        const float* rows = args[i].x + (int64_t{s.first_row} + first) * args[i].ldx;
        for (int head = 0; head < args[i].num_heads; ++head) {
          pack_block(args[i], rows + int64_t{head} * args[i].width, count,
                     result[i].data + head * result[i].head_stride + block * result[i].block_stride);
        }
      }
    }
  };
  pool.parallel_for(blocks, 4, pack_range);
  return result;
}

void check_shape(const char* where, const AttentionShape& s) {
  if (s.num_heads < 1 || s.num_kv_heads < 1 || s.head_dim < 1 || s.v_head_dim < 1 ||
      s.num_heads % s.num_kv_heads != 0) {
    throw Error(where,
                fmt::format("{} heads, {} kv heads, head dims {} and {}", s.num_heads, s.num_kv_heads, s.head_dim,
                            s.v_head_dim),
                "all must be at least 1, and the kv heads must divide the heads");
  }
  if (!std::isfinite(s.scale)) {
    throw Error(where, fmt::format("scale is {}", s.scale), "set it to 1 / sqrt(head dim)");
  }
}

}  // namespace attn

void store_kv(ThreadPool& pool, const AttentionShape& shape, const float* k, int64_t ldk, const float* v, int64_t ldv,
              std::span<const int64_t> slots, KvCacheLayer cache) {
  attn::check_shape("store_kv", shape);
  const int64_t d = shape.head_dim, e = shape.v_head_dim;
  const auto store = [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      if (slots[t] < 0) continue;
      const int64_t block = slots[t] / kKvBlockTokens, offset = slots[t] % kKvBlockTokens;
      float* const keys = cache.keys + block * key_block_floats(shape) + offset;
      float* const values = cache.values + block * value_block_floats(shape) + offset * e;
      for (int64_t i = 0; i < d * shape.num_kv_heads; ++i) keys[i * kKvBlockTokens] = k[t * ldk + i];
      for (int64_t g = 0; g < shape.num_kv_heads; ++g) {
        std::copy_n(v + t * ldv + g * e, e, values + g * e * kKvBlockTokens);
      }
    }
  };
  pool.parallel_for(static_cast<int64_t>(slots.size()), kKvBlockTokens, store);
}

}  // namespace r1::kernels
