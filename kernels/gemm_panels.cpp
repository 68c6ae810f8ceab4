#include "kernels/gemm_panels.h"

#include <algorithm>
#include <cstring>

#include "core/thread_pool.h"
#include "kernels/gemm_tiles.h"
#include "kernels/scratch.h"

namespace r1::kernels::gemm_detail {
namespace {

// 320 words of one panel are 20 KB: they stay in a 32 KB L1 cache while a block's tiles of A, in L2, pass by.
constexpr int64_t kBlockDepth = 320;
constexpr int64_t kBlockTiles = 16;
constexpr int64_t kMinBlockTiles = 4;
constexpr int64_t kMinChunkPanels = 4;
constexpr int64_t kPackAhead = 8;  // k
constexpr int64_t kTasksPerThread = 8;
constexpr int64_t kStreamAheadBytes = 1536;  // latency times bandwidth of memory: for panels that are read once

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

// Part `index` of `count` parts of [0, size), as even as can be.
Range part(int64_t size, int64_t index, int64_t count) { return {size * index / count, size * (index + 1) / count}; }

// Tasks are pairs of a block of rows and a chunk of panels.
struct Plan {
  int64_t tiles = 0, panels = 0;
  int64_t row_blocks = 1, panel_chunks = 1;
  int64_t tasks() const { return row_blocks * panel_chunks; }
};

Plan make_plan(const PanelProduct& p, int64_t num_threads) {
  Plan plan{.tiles = ceil_div(p.m, kTileRows), .panels = ceil_div(p.n, kPanelWidth)};
  const int64_t wanted = num_threads == 1 ? 1 : num_threads * kTasksPerThread;
  plan.row_blocks = ceil_div(plan.tiles, kBlockTiles);
  if (p.a.transpose == Transpose::kYes) {  // every chunk packs its rows of A again: rows are split first
    plan.row_blocks = std::max(plan.row_blocks, std::min(wanted, ceil_div(plan.tiles, kMinBlockTiles)));
  }
  const int64_t most_chunks = ceil_div(plan.panels, kMinChunkPanels);
  plan.panel_chunks = std::clamp<int64_t>(ceil_div(wanted, plan.row_blocks), 1, most_chunks);
  return plan;
}

// The rows of one task, cut into tiles of nearly equal height.
struct TileRows {
  Range rows;
  int64_t tiles = 0, height = 0, num_higher = 0;  // the first num_higher tiles have one row more

  TileRows(Range rows, int64_t tiles)
      : rows(rows), tiles(tiles), height(rows.size() / tiles), num_higher(rows.size() % tiles) {}
  int64_t begin(int64_t tile) const { return rows.begin + tile * height + std::min(tile, num_higher); }
  int64_t size(int64_t tile) const { return height + (tile < num_higher ? 1 : 0); }
};

// Packs the rows' columns of a transposed A as tiles [depth][6]. Each k's stretch of A is read once, for all tiles.
void pack_tiles(const Word* a, int64_t lda, const TileRows& rows, int64_t depth, Word* packed) {
  for (int64_t k = 0; k < depth; ++k) {
    const float* in = a + k * lda - rows.rows.begin;
    for (int64_t i = rows.rows.begin; i < rows.rows.end; i += 16) __builtin_prefetch(in + kPackAhead * lda + i);
    for (int64_t t = 0; t < rows.tiles; ++t) {
      float* out = packed + (t * depth + k) * kTileRows;
      if (rows.size(t) == kTileRows) {
        std::memcpy(out, in + rows.begin(t), kTileRows * sizeof(float));
      } else {
        std::copy_n(in + rows.begin(t), rows.size(t), out);
      }
    }
  }
}

class Task {
 public:
  Task(const PanelProduct& product, const Plan& plan, int64_t index)
      : p_(product),
        kernels_(tile_kernels(product.element)),
        block_(block_rows(product.m, part(plan.tiles, index / plan.panel_chunks, plan.row_blocks))),
        panels_(part(plan.panels, index % plan.panel_chunks, plan.panel_chunks)),
        panels_in_tile_(kernels_.most_panels(block_.size(0))) {}

  void run() const {
    const int64_t k_blocks = block_.tiles == 1 ? 1 : std::max<int64_t>(1, ceil_div(p_.k, kBlockDepth));
    for (int64_t i = 0; i < k_blocks; ++i) run_k_block(part(p_.k, i, k_blocks));
    if (p_.bias != nullptr) add_bias();
  }

 private:
  static TileRows block_rows(int64_t m, Range tiles) {
    return {{tiles.begin * kTileRows, std::min(m, tiles.end * kTileRows)}, tiles.size()};
  }

  void run_k_block(Range k) const {
    const Word* packed = p_.a.transpose == Transpose::kYes ? pack_a(k) : nullptr;
    for (int64_t panel = panels_.begin; panel < panels_.end;) {
      const int64_t whole = std::max<int64_t>(1, p_.n / kPanelWidth - panel);
      const int64_t count = std::min({panels_in_tile_, panels_.end - panel, whole});
      run_panels(k, packed, panel, count);
      panel += count;
    }
  }

  void run_panels(Range k, const Word* packed, int64_t panel, int64_t count) const {
    const int64_t columns = p_.n - panel * kPanelWidth, panel_words = p_.k * kPanelWidth;
    const Word* b = p_.panels + panel * panel_words + k.begin * kPanelWidth;
    Tile tile{.b = b, .panel_stride = panel_words, .depth = k.size(), .ldc = p_.ldc};
    const char* ahead =
        reinterpret_cast<const char*>(b) +
        (block_.tiles == 1 ? kStreamAheadBytes : count * panel_words * static_cast<int64_t>(sizeof(Word)));
    tile.ahead_step = ceil_div(kPanelWidth * sizeof(Word), block_.tiles);
    tile.a_row = packed != nullptr ? 1 : p_.a.ld;
    tile.a_k = packed != nullptr ? kTileRows : 1;
    tile.accumulate = k.begin > 0 ? Accumulate::kYes : p_.accumulate;
    for (int64_t t = 0; t < block_.tiles; ++t) {
      const int64_t row = block_.begin(t), rows = block_.size(t);
      tile.a = packed != nullptr ? packed + t * kTileRows * k.size() : p_.a.at(row, k.begin);
      tile.c = p_.c + row * p_.ldc + panel * kPanelWidth;
      tile.ahead = ahead + t * tile.ahead_step * tile.depth;  // each tile fetches its part of the next panel
      columns >= kPanelWidth ? kernels_.of(rows, count)(tile) : run_narrow(tile, rows, columns);
    }
  }

  // The last panel's tile where N is no multiple of 16: goes through a full tile, of which the first columns count.
  void run_narrow(Tile tile, int64_t rows, int64_t columns) const {
    float full[kTileRows][kPanelWidth] = {};
    float* c = tile.c;
    for (int64_t r = 0; r < rows && tile.accumulate == Accumulate::kYes; ++r) {
      std::copy_n(c + r * p_.ldc, columns, full[r]);
    }
    tile.c = full[0];
    tile.ldc = kPanelWidth;
    kernels_.of(rows, 1)(tile);
    for (int64_t r = 0; r < rows; ++r) std::copy_n(full[r], columns, c + r * p_.ldc);
  }

  const Word* pack_a(Range k) const {
    static thread_local Scratch scratch;
    Word* packed = scratch.floats(block_.tiles * kTileRows * k.size());
    pack_tiles(p_.a.at(block_.rows.begin, k.begin), p_.a.ld, block_, k.size(), packed);
    return packed;
  }

  void add_bias() const {
    const int64_t begin = panels_.begin * kPanelWidth, end = std::min(p_.n, panels_.end * kPanelWidth);
    for (int64_t r = block_.rows.begin; r < block_.rows.end; ++r) {
      float* c = p_.c + r * p_.ldc;
      for (int64_t j = begin; j < end; ++j) c[j] += p_.bias[j];
    }
  }

  const PanelProduct& p_;
  const TileKernels& kernels_;
  TileRows block_;
  Range panels_;
  int64_t panels_in_tile_ = 1;
};

}  // namespace

void multiply_panels(ThreadPool& pool, const PanelProduct& product) {
  if (product.m == 0 || product.n == 0) return;
  const Plan plan = make_plan(product, pool.size());
  pool.parallel_for(plan.tasks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) Task(product, plan, task).run();
  });
}

}  // namespace r1::kernels::gemm_detail
