#include "kernels/mla.h"

#include <algorithm>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/latent_tiles.h"

namespace r1::kernels {
namespace {

constexpr int64_t kRowGrain = 16;

}  // namespace

void expand_keys_values(ThreadPool& pool, const MlaShape& s, const float* kv, const float* k_pe, int64_t t, float* k,
                        float* v) {
  pool.parallel_for(t, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * s.num_heads; i < end * s.num_heads; ++i) {
      const float* const source = kv + i * (s.nope_dim + s.v_dim);
      float* const key = k + i * s.qk_dim();
      std::copy_n(source, s.nope_dim, key);
      std::copy_n(k_pe + i / s.num_heads * s.rope_dim, s.rope_dim, key + s.nope_dim);
      std::copy_n(source + s.nope_dim, s.v_dim, v + i * s.v_dim);
    }
  });
}

void expand_keys_values_backward(ThreadPool& pool, const MlaShape& s, const float* d_k, const float* d_v, int64_t t,
                                 float* d_kv, float* d_k_pe) {
  pool.parallel_for(t, kRowGrain, [&](int64_t begin, int64_t end) {
    std::fill(d_k_pe + begin * s.rope_dim, d_k_pe + end * s.rope_dim, 0.0f);
    for (int64_t i = begin * s.num_heads; i < end * s.num_heads; ++i) {
      const float* const d_key = d_k + i * s.qk_dim();
      float *const target = d_kv + i * (s.nope_dim + s.v_dim), *const d_pe = d_k_pe + i / s.num_heads * s.rope_dim;
      std::copy_n(d_key, s.nope_dim, target);
      std::copy_n(d_v + i * s.v_dim, s.v_dim, target + s.nope_dim);
      for (int j = 0; j < s.rope_dim; ++j) d_pe[j] += d_key[s.nope_dim + j];
    }
  });
}

void store_latents(ThreadPool& pool, const MlaShape& s, const float* latent, int64_t ld_latent, const float* k_pe,
                   int64_t ld_k_pe, std::span<const int64_t> slots, float* cache) {
  pool.parallel_for(static_cast<int64_t>(slots.size()), kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      if (slots[t] < 0) continue;
      float* const target = cache + slots[t] / kKvBlockTokens * latent_block_floats(s) + slots[t] % kKvBlockTokens;
      for (int64_t i = 0; i < s.latent_rank; ++i) target[i * kKvBlockTokens] = latent[t * ld_latent + i];
      for (int64_t i = 0; i < s.rope_dim; ++i) {
        target[(s.latent_rank + i) * kKvBlockTokens] = k_pe[t * ld_k_pe + i];
      }
    }
  });
}

void attention_latent(ThreadPool& pool, const MlaShape& s, const float* q, std::span<const PagedRow> rows,
                      const float* cache, float* out, int32_t first) {
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].block_table != nullptr && rows[r].context > first && first >= 0 && first < kKvBlockTokens) continue;
    throw Error("attention_latent",
                fmt::format("row {}: context {} without its first {}, with {} block table", r, rows[r].context, first,
                            rows[r].block_table == nullptr ? "no" : "a"),
                "give every row the blocks of its sequence and a context with at least one token");
  }
  const int64_t groups = (s.num_heads + latent::kMaxHeads - 1) / latent::kMaxHeads;
  const auto attend = latent::attend();
  pool.parallel_for(static_cast<int64_t>(rows.size()) * groups, 1, [&](int64_t begin, int64_t end) {
    static thread_local Scratch scratch;
    for (int64_t i = begin; i < end; ++i) {
      const auto& row = rows[static_cast<size_t>(i / groups)];
      const int64_t in_row = i % groups * latent::kMaxHeads, head = i / groups * s.num_heads + in_row;
      const int64_t padded = (row.context + kKvBlockTokens - 1) / kKvBlockTokens * kKvBlockTokens;
      attend({.q = q + head * s.latent_dim(),
              .num_heads = static_cast<int>(std::min<int64_t>(latent::kMaxHeads, s.num_heads - in_row)),
              .rank = s.latent_rank,
              .dim = s.latent_dim(),
              .block_table = row.block_table,
              .context = row.context,
              .first = first,
              .scale = s.scale,
              .cache = cache,
              .scores = scratch.floats(static_cast<size_t>(padded * latent::kMaxHeads)),
              .out = out + head * s.latent_rank});
    }
  });
}

AbsorbedHeads::AbsorbedHeads(ThreadPool& pool, const MlaShape& shape, const float* kv_b) : shape_(shape) {
  constexpr auto element = Element::kF32;
  const int64_t rank = shape.latent_rank;
  std::vector<float> transposed(static_cast<size_t>(rank * shape.nope_dim));
  for (int64_t h = 0; h < shape.num_heads; ++h) {
    const float* const head = kv_b + h * (shape.nope_dim + shape.v_dim) * rank;
    for (int64_t n = 0; n < shape.nope_dim; ++n) {
      for (int64_t r = 0; r < rank; ++r) transposed[static_cast<size_t>(r * shape.nope_dim + n)] = head[n * rank + r];
    }
    to_latent_.emplace_back(pool, transposed.data(), rank, shape.nope_dim, element);
    from_latent_.emplace_back(pool, head + shape.nope_dim * rank, shape.v_dim, rank, element);
  }
}

void AbsorbedHeads::attend(ThreadPool& pool, const float* q, std::span<const PagedRow> rows, const float* cache,
                           int32_t first, Buffers& buffers, float* out) const {
  const auto& s = shape_;
  const auto t = static_cast<int64_t>(rows.size());
  const int64_t heads = s.num_heads, rank = s.latent_rank, dim = s.latent_dim(), q_width = heads * s.qk_dim();
  float* const absorbed = buffers.queries.floats(static_cast<size_t>(t * heads * dim));
  float* const sums = buffers.sums.floats(static_cast<size_t>(t * heads * rank));
  pool.parallel_for(heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      const float* const head = q + h * s.qk_dim();
      to_latent_[h].multiply(pool, head, t, q_width, nullptr, absorbed + h * dim, heads * dim);
      for (int64_t i = 0; i < t; ++i) {
        std::copy_n(head + i * q_width + s.nope_dim, s.rope_dim, absorbed + (i * heads + h) * dim + rank);
      }
    }
  });
  attention_latent(pool, s, absorbed, rows, cache, sums, first);
  pool.parallel_for(heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      from_latent_[h].multiply(pool, sums + h * rank, t, heads * rank, nullptr, out + h * s.v_dim, heads * s.v_dim);
    }
  });
}

size_t AbsorbedHeads::bytes() const {
  size_t bytes = 0;
  for (const auto* matrices : {&to_latent_, &from_latent_}) {
    for (const auto& m : *matrices) bytes += m.bytes();
  }
  return bytes;
}

}  // namespace r1::kernels
