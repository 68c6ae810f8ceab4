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
constexpr int kMaxRows = 48;  // rows of one forward call: they share a key block while it is in the L1 cache

// The row stride of a scratch matrix of at least `columns` floats: an odd number of cache lines, so that a column's
// elements spread over all cache sets.
constexpr int64_t scratch_stride(int64_t columns) { return ((columns + kBlock - 1) / kBlock | 1) * kBlock; }

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
  int64_t stride = 0;        // at least the longest context, rounded up to 16
};

// Backward works on a panel: some query rows of a segment and kv head, in (position, head) order, with their
// probabilities P and the gradients dS of their scores kept between two passes.
struct Panel {
  const float* q = nullptr;      // [rows][D], a packed copy
  const float* d_out = nullptr;  // [rows][E], a packed copy
  float* p = nullptr;            // [rows][stride]; 0 beyond a row's context, to the end of the block after its own
  float* d_s = nullptr;          // as p
  int64_t stride = 0;
  int d = 0, e = 0;
};

struct BackwardRow {
  const float* out = nullptr;
  float* d_q = nullptr;
  float lse = 0;
  int context = 0;
};

// First pass: fills p and d_s of rows first .. first + rows.size() - 1 of the panel, and their d_q.
struct BackwardQueryTile {
  Panel panel;
  int first = 0;
  std::span<const BackwardRow> rows;      // at most kMaxRows
  const float* const* keys = nullptr;     // blocks [D][16]
  const float* const* values = nullptr;   // blocks [E][16]: transposed, unlike the forward pass
  const float* const* key_rows = nullptr; // blocks [16][D]
  float scale = 0;
};

// Second pass: d_v[j] (+)= sum over rows of P[row][j] d_out[row], d_k[j] (+)= sum of dS[row][j] q[row], for the 16 keys
// from `key`, rows first .. last - 1 in that order. The chains go on from what d_k and d_v hold.
struct BackwardKeyTile {
  Panel panel;
  int first = 0, last = 0;
  int key = 0, num_keys = 0;
  float* d_k = nullptr;  // of key `key`
  float* d_v = nullptr;
  int64_t ldk = 0, ldv = 0;
};

struct Tiles {
  void (*forward)(const ForwardTile&);
  void (*backward_queries)(const BackwardQueryTile&);
  void (*backward_keys)(const BackwardKeyTile&);
};

const Tiles& portable_tiles();
const Tiles& avx2_tiles();    // only where the processor has AVX2 and FMA
const Tiles& active_tiles();  // of active_isa()

}  // namespace r1::kernels::attn
