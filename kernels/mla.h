#pragma once
// Multi-head latent attention (arXiv:2412.19437v1 section 2.1.1). Expanded heads for training go through attention.h;
// here is what puts their keys and values together, and attention over the cached latents for rollouts.
//
// Shape letters: T = packed tokens, H = heads, N = nope dimension, P = rope dimension, E = value dimension, R = latent
// rank.

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention.h"
#include "kernels/gemm.h"
#include "kernels/scratch.h"

namespace r1::kernels {

struct MlaShape {
  int num_heads = 0;
  int nope_dim = 0, rope_dim = 0, v_dim = 0;
  int latent_rank = 0;
  float scale = 0;

  int qk_dim() const { return nope_dim + rope_dim; }
  int latent_dim() const { return latent_rank + rope_dim; }
  AttentionShape expanded() const {
    return {
        .num_heads = num_heads, .num_kv_heads = num_heads, .head_dim = qk_dim(), .v_head_dim = v_dim, .scale = scale};
  }
};

// kv [T, H (N + E)] (a head's nope key, then its value) and the shared rotated key k_pe [T, P] -> k [T, H (N + P)],
// v [T, H E].
void expand_keys_values(ThreadPool& pool, const MlaShape& shape, const float* kv, const float* k_pe, int64_t t,
                        float* k, float* v);
// d_k, d_v -> d_kv [T, H (N + E)], d_k_pe [T, P] (summed over heads in order); both are overwritten.
void expand_keys_values_backward(ThreadPool& pool, const MlaShape& shape, const float* d_k, const float* d_v, int64_t t,
                                 float* d_kv, float* d_k_pe);

// One layer's latents: block b holds 16 tokens as [R + P][16], the normed latent and then the rotated key.
inline int64_t latent_block_floats(const MlaShape& s) { return int64_t{kKvBlockTokens} * s.latent_dim(); }

// Writes token t's latent [T, R] and k_pe [T, P] to slot slots[t] = block * 16 + offset. A slot < 0 is skipped.
void store_latents(ThreadPool& pool, const MlaShape& shape, const float* latent, int64_t ld_latent, const float* k_pe,
                   int64_t ld_k_pe, std::span<const int64_t> slots, float* cache);

// Absorbed attention: q [T, H (R + P)], whose first R are the nope query times W_kv_b, -> out [T, H R], the weighted
// sum of latents, which the value part of W_kv_b turns into a head's output. For one query and head: s_j = scale * (q .
// k_j) as one FMA chain; p_j = exp(s_j - max); sums over j in 16 lanes (lane = j mod 16), each in j order, added in a
// fixed tree. A row depends on its own query and context alone: not on the rows beside it, chunks or threads. The first
// `first` tokens of every context are left out; first < 16 and below every context.
void attention_latent(ThreadPool& pool, const MlaShape& shape, const float* q, std::span<const PagedRow> rows,
                      const float* cache, float* out, int32_t first = 0);

// The whole of MLA over cached latents with kv_b_proj absorbed (DeepSeek-V2, arXiv:2405.04434 section 2.1.2): its key
// part goes into the query and its value part into the output. The same sums as over expanded heads in another order:
// equal to about 1e-6, not to the bit. Its products are float32 whatever the other ones are: they would round other
// activations than expanded heads do.
class AbsorbedHeads {
 public:
  AbsorbedHeads() = default;
  // kv_b [H (N + E), R]: a head's key part, then its value part.
  AbsorbedHeads(ThreadPool& pool, const MlaShape& shape, const float* kv_b);

  struct Buffers {
    Scratch queries, sums;
  };
  // q [T, H (N + P)], rotated -> out [T, H E]; rows, cache and first as of attention_latent.
  void attend(ThreadPool& pool, const float* q, std::span<const PagedRow> rows, const float* cache, int32_t first,
              Buffers& buffers, float* out) const;
  size_t bytes() const;

 private:
  MlaShape shape_;
  std::vector<PackedMatrix> to_latent_, from_latent_;  // of each head: [R, N], [E, R]
};

}  // namespace r1::kernels
