#pragma once
// The inner loops of attention, in one table per instruction set (attention_avx2.cpp, attention_portable.cpp). Every
// output element is one chain of fused multiply-adds in a stated order, so tables and tilings agree bit for bit.
//
// Keys of one kv head come in blocks of 16 tokens, transposed: [D][16]; values in blocks [16][E]. A row is one query
// token and head; it sees keys 0 .. context - 1.

#include <cstdint>
#include <span>

namespace r1::kernels::attn {

constexpr int kBlock = 16;
constexpr int kRowTile = 6;   // rows whose accumulators fit the registers: 6 x 16 floats
constexpr int kMaxRows = 48;  // rows of one call: they share a run of keys while it lies in the L1 cache
constexpr int kKeyTile = 48;  // keys of one backward_keys call: whole blocks

constexpr int kBlocksAhead = 4;  // entries past the context in every list of blocks, any memory: prefetched, not read

constexpr int round_up_to_block(int count) { return (count + kBlock - 1) / kBlock * kBlock; }

// The row stride of a scratch matrix of at least `columns` floats: an odd number of cache lines, so that a column's
// elements spread over all cache sets.
constexpr int64_t scratch_stride(int columns) { return ((round_up_to_block(columns) / kBlock) | 1) * int64_t{kBlock}; }

struct QueryRow {
  const float* q = nullptr;
  float* out = nullptr;
  float* lse = nullptr;  // may be null
  int context = 0;
};

struct ForwardTile {
  std::span<const QueryRow> rows;        // at most kMaxRows
  const float* const* keys = nullptr;    // blocks, enough for the longest context
  const float* const* values = nullptr;  // blocks
  int d = 0, e = 0;
  float scale = 0;
  float* scratch = nullptr;  // [rows][stride]
  int64_t stride = 0;        // scratch_stride(longest context)
};

// Backward works on a panel: the query rows of a run of positions of one segment and kv head, in (position, head)
// order, with their probabilities P and the gradients dS of their scores kept between two passes.
struct Panel {
  int first_position = 0, num_positions = 0;  // within the segment
  int num_heads = 0;                          // query heads per kv head
  int d = 0, e = 0;
  float* q = nullptr;      // [rows][D], a packed copy
  float* d_out = nullptr;  // [rows][E], a packed copy
  float* p = nullptr;      // [blocks][rows][16]: both passes walk it in order; 0 past a row's context in its last block
  float* d_s = nullptr;    // as p

  int num_rows() const { return num_positions * num_heads; }
  int num_blocks() const { return round_up_to_block(first_position + num_positions) / kBlock; }
  int64_t block_stride() const { return int64_t{num_rows()} * kBlock; }
};

struct BackwardRow {
  const float *q = nullptr, *out = nullptr, *d_out = nullptr;
  float* d_q = nullptr;
  float lse = 0;
  int context = 0;
};

// First pass: packs q and d_out, fills p and d_s of rows first .. first + rows.size() - 1 of the panel, and their d_q.
struct BackwardQueries {
  const Panel* panel = nullptr;
  int first = 0;
  std::span<const BackwardRow> rows;       // at most kMaxRows
  const float* const* keys = nullptr;      // blocks [D][16]
  const float* const* values = nullptr;    // blocks [E][16]: transposed, unlike in the forward pass
  const float* const* key_rows = nullptr;  // blocks [16][D]
  float scale = 0;
};

// Second pass: d_v[j] += sum over rows of P[row][j] d_out[row] and d_k[j] += sum over rows of dS[row][j] q[row] for
// keys key .. key + num_keys - 1 (at most kKeyTile), rows in ascending order. The chains go on from what d_k and d_v
// hold.
struct BackwardKeys {
  const Panel* panel = nullptr;
  int key = 0, num_keys = 0;
  float *d_k = nullptr, *d_v = nullptr;  // rows of key `key`
  int64_t ldk = 0, ldv = 0;
};

struct Tiles {
  void (*forward)(const ForwardTile&);
  void (*backward_queries)(const BackwardQueries&);
  void (*backward_keys)(const BackwardKeys&);
};

const Tiles& portable_tiles();
const Tiles& avx2_tiles();    // only for a processor with AVX2 and FMA
const Tiles& active_tiles();  // of active_isa()

}  // namespace r1::kernels::attn
