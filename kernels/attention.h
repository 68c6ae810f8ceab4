#pragma once
// Causal grouped-query attention for packed sequences, in two forms whose outputs are equal bit for bit: over a paged
// KV cache (rollouts) and over contiguous packed segments (training). For one query and head:
//   s_j = scale * (q . k_j) as one FMA chain over the head dimension; m = max_j s_j; p_j = exp(s_j - m);
//   l = sum of p_j over 16 lanes (lane = j mod 16, each in j order), lanes added in a fixed tree;
//   out = (FMA chain over j of p_j v_j) / l.   Nothing in it depends on tiles, other rows or threads.
//
// Shape letters: T = packed tokens, H = query heads, G = key/value heads (H % G == 0; query head h reads kv head
// h / (H / G)), D = head dimension of q and k, E = head dimension of v.

#include <cstdint>
#include <span>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

constexpr int kKvBlockTokens = 16;

struct AttentionShape {
  int num_heads = 0, num_kv_heads = 0, head_dim = 0, v_head_dim = 0;
  float scale = 0;
};

// One layer's cache. Block b holds 16 tokens: keys[b] is [G][D][16] (k transposed, so that 16 scores are one vector),
// values[b] is [G][16][E]. Slots past the context's end may hold anything, NaN too: they are not read into results.
struct KvCacheLayer {
  float* keys = nullptr;
  float* values = nullptr;
};
inline int64_t key_block_floats(const AttentionShape& s) {
  return int64_t{kKvBlockTokens} * s.num_kv_heads * s.head_dim;
}
inline int64_t value_block_floats(const AttentionShape& s) {
  return int64_t{kKvBlockTokens} * s.num_kv_heads * s.v_head_dim;
}

// Writes token t's k [T, G*D] and v [T, G*E] to slot slots[t] = block * 16 + offset. A slot < 0 is skipped.
void store_kv(ThreadPool& pool, const AttentionShape& shape, const float* k, int64_t ldk, const float* v, int64_t ldv,
              std::span<const int64_t> slots, KvCacheLayer cache);

// A query row: attends to the first `context` tokens of the sequence whose blocks are block_table[0 ..].
struct PagedRow {
  const int32_t* block_table = nullptr;
  int32_t context = 0;  // >= 1; includes the row's own token, already stored
};

// q [T, H*D] -> out [T, H*E]. Consecutive rows with the same block_table are one prefill chunk and share loads.
void attention_paged(ThreadPool& pool, const AttentionShape& shape, const float* q, int64_t ldq,
                     std::span<const PagedRow> rows, KvCacheLayer cache, float* out, int64_t ldo);

// q [T, H*D], k [T, G*D], v [T, G*E] -> out [T, H*E]; lse [T, H] = m + log(l), for the backward pass (may be null).
// offsets: segment s is rows offsets[s] .. offsets[s+1]; attention is causal within a segment.
void attention_packed(ThreadPool& pool, const AttentionShape& shape, const float* q, int64_t ldq, const float* k,
                      int64_t ldk, const float* v, int64_t ldv, std::span<const int32_t> offsets, float* out,
                      int64_t ldo, float* lse);

// Gradients of attention_packed: d_q, d_k, d_v have the shapes and strides of q, k, v and are overwritten.
// Deterministic: does not depend on the number of threads.
struct AttentionBackwardArgs {
  const float *q, *k, *v, *out, *lse, *d_out;
  int64_t ldq, ldk, ldv, ldo;  // d_out has stride ldo
  float *d_q, *d_k, *d_v;      // with strides ldq, ldk, ldv
};
void attention_packed_backward(ThreadPool& pool, const AttentionShape& shape, const AttentionBackwardArgs& args,
                               std::span<const int32_t> offsets);

}  // namespace r1::kernels
