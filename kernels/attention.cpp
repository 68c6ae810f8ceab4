#include "kernels/attention.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/attention_blocks.h"
#include "kernels/attention_tiles.h"
#include "kernels/cpu.h"

namespace r1::kernels {
namespace attn {
namespace {

constexpr int64_t kScoreFloats = 32 * 1024;  // of a tile's scores: a quarter of a 512 KiB L2 cache

// Consecutive query tokens that read the same blocks.
struct Sequence {
  int first_row = 0, num_rows = 0;
  const PagedRow* paged = nullptr;  // null: token i has context i + 1
  const int32_t* table = nullptr;   // null: blocks first_block, first_block + 1, ...
  int64_t first_block = 0;

  int context(int row) const { return paged == nullptr ? row + 1 : paged[row].context; }
};

// Some rows of a sequence and kv head. Rows count (token, query head of the kv head) pairs.
struct Item {
  int sequence = 0, kv_head = 0;
  int64_t first = 0, last = 0;
};

struct Forward {
  AttentionShape shape;
  const float* q = nullptr;
  int64_t ldq = 0;
  Blocks keys, values;
  float* out = nullptr;
  int64_t ldo = 0;
  float* lse = nullptr;
  std::vector<Sequence> sequences;

  int group() const { return shape.num_heads / shape.num_kv_heads; }
};

int64_t tile_rows(int context) {
  const int64_t rows = kScoreFloats / scratch_stride(context) / kRowTile * kRowTile;
  return std::clamp<int64_t>(rows, kRowTile, kMaxRows);
}

// The costliest tiles of a sequence come first, so that no thread is left with one at the end.
std::vector<Item> make_items(const Forward& f) {
  std::vector<Item> items;
  for (int s = 0; s < static_cast<int>(f.sequences.size()); ++s) {
    const Sequence& sequence = f.sequences[s];
    for (int head = 0; head < f.shape.num_kv_heads; ++head) {
      for (int64_t last = int64_t{sequence.num_rows} * f.group(); last > 0;) {
        const int64_t rows = tile_rows(sequence.context(static_cast<int>((last - 1) / f.group())));
        const int64_t first = std::max<int64_t>(0, (last - 1) / rows * rows);
        items.push_back({.sequence = s, .kv_head = head, .first = first, .last = last});
        last = first;
      }
    }
  }
  return items;
}

struct ThreadMemory {
  Scratch scores;
  std::vector<const float*> keys, values;
};

void run_item(const Forward& f, const Tiles& tiles, const Item& item, ThreadMemory& memory) {
  const Sequence& sequence = f.sequences[item.sequence];
  std::array<QueryRow, kMaxRows> rows;
  int longest = 0, num_rows = 0;
  for (int64_t i = item.first; i < item.last; ++i) {
    const int token = static_cast<int>(i / f.group());
    const int64_t row = int64_t{sequence.first_row} + token;
    const int64_t head = int64_t{item.kv_head} * f.group() + i % f.group();
    const int context = sequence.context(token);
    rows[num_rows++] = {.q = f.q + row * f.ldq + head * f.shape.head_dim,
                        .out = f.out + row * f.ldo + head * f.shape.v_head_dim,
                        .lse = f.lse == nullptr ? nullptr : f.lse + row * f.shape.num_heads + head,
                        .context = context};
    longest = std::max(longest, context);
  }
  const int num_blocks = round_up_to_block(longest) / kBlock;
  f.keys.list(item.kv_head, sequence.table, sequence.first_block, num_blocks, memory.keys);
  f.values.list(item.kv_head, sequence.table, sequence.first_block, num_blocks, memory.values);
  const int64_t stride = scratch_stride(longest);
  tiles.forward({.rows = std::span(rows).first(num_rows),
                 .keys = memory.keys.data(),
                 .values = memory.values.data(),
                 .d = f.shape.head_dim,
                 .e = f.shape.v_head_dim,
                 .scale = f.shape.scale,
                 .scratch = memory.scores.reserve(num_rows * stride),
                 .stride = stride});
}

void run(ThreadPool& pool, const Forward& f) {
  const std::vector<Item> items = make_items(f);
  const Tiles& tiles = active_tiles();
  pool.parallel_for(static_cast<int64_t>(items.size()), 1, [&](int64_t begin, int64_t end) {
    thread_local ThreadMemory memory;
    for (int64_t i = begin; i < end; ++i) run_item(f, tiles, items[i], memory);
  });
}

std::vector<Sequence> sequences_of(std::span<const PagedRow> rows) {
  std::vector<Sequence> sequences;
  for (size_t r = 0; r < rows.size(); ++r) {
    const PagedRow& row = rows[r];
    if (row.block_table == nullptr || row.context < 1 ||
        row.context > std::numeric_limits<int32_t>::max() - 2 * kBlock) {
      throw Error("attention_paged",
                  fmt::format("row {}: context {} with {} block table", r, row.context,
                              row.block_table == nullptr ? "no" : "a"),
                  "give every row the block table of its sequence and a context of at least 1, its own token");
    }
    if (r > 0 && row.block_table == rows[r - 1].block_table) {
      ++sequences.back().num_rows;
    } else {
      sequences.push_back(
          {.first_row = static_cast<int>(r), .num_rows = 1, .paged = &rows[r], .table = row.block_table});
    }
  }
  return sequences;
}

}  // namespace

const Tiles& active_tiles() { return active_isa() >= Isa::kAvx2 ? avx2_tiles() : portable_tiles(); }

}  // namespace attn

void attention_paged(ThreadPool& pool, const AttentionShape& shape, const float* q, int64_t ldq,
                     std::span<const PagedRow> rows, KvCacheLayer cache, float* out, int64_t ldo) {
  attn::check_shape("attention_paged", shape);
  attn::run(pool, {.shape = shape,
                   .q = q,
                   .ldq = ldq,
                   .keys = {.data = cache.keys,
                            .head_stride = int64_t{shape.head_dim} * kKvBlockTokens,
                            .block_stride = key_block_floats(shape)},
                   .values = {.data = cache.values,
                              .head_stride = int64_t{shape.v_head_dim} * kKvBlockTokens,
                              .block_stride = value_block_floats(shape)},
                   .out = out,
                   .ldo = ldo,
                   .sequences = attn::sequences_of(rows)});
}

void attention_packed(ThreadPool& pool, const AttentionShape& shape, const float* q, int64_t ldq, const float* k,
                      int64_t ldk, const float* v, int64_t ldv, std::span<const int32_t> offsets, float* out,
                      int64_t ldo, float* lse) {
  using attn::BlockLayout;
  attn::check_shape("attention_packed", shape);
  const auto segments = attn::segments_of(offsets);
  const int64_t blocks = attn::num_blocks(segments);
  const std::array<attn::PackArgs, 2> args{
      {{.x = k,
        .ldx = ldk,
        .num_heads = shape.num_kv_heads,
        .width = shape.head_dim,
        .layout = BlockLayout::kTransposed},
       {.x = v, .ldx = ldv, .num_heads = shape.num_kv_heads, .width = shape.v_head_dim, .layout = BlockLayout::kRows}}};
  attn::Scratch memory;
  float* const floats = memory.reserve(packed_floats(args[0], blocks) + packed_floats(args[1], blocks));
  const auto kv = attn::pack_blocks(pool, segments, args, floats);
  std::vector<attn::Sequence> sequences;
  for (const attn::Segment& s : segments) {
    sequences.push_back({.first_row = s.first_row, .num_rows = s.num_rows, .first_block = s.first_block});
  }
  attn::run(pool, {.shape = shape,
                   .q = q,
                   .ldq = ldq,
                   .keys = kv[0],
                   .values = kv[1],
                   .out = out,
                   .ldo = ldo,
                   .lse = lse,
                   .sequences = std::move(sequences)});
}

}  // namespace r1::kernels
