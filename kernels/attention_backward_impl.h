// The templates behind backward_queries and backward_keys; see attention_tiles_impl.h, which is included before this.
// The formulae are those of FlashAttention-2 (arXiv:2307.08691) Sec. 2.3.2, Algorithm 2.

namespace r1::kernels::attn {
namespace {

constexpr int kUnblocked = 30;  // block bits of one block that has everything

struct RowStats {
  float lse = 0, d = 0;
};

// D = sum of d_out * out, over 8 lanes (lane = index mod 8).
template <class V>
float dot(const float* a, const float* b, int count) {
  auto acc = V::set(0);
  int i = 0;
  for (; i + 8 <= count; i += 8) acc = V::fma(V::load(a + i), V::load(b + i), acc);
  float lanes[8];
  V::store(lanes, acc);
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] = std::fma(a[i], b[i], lanes[lane]);
  return V::sum_lanes(V::load(lanes), V::set(0));
}

// One block of a row: P = exp(S - lse), dS = P * (dP - D) * scale, and 0 for both past its first `count` keys. p holds
// S on entry, d_s holds dP.
template <class V>
void score_gradients(float* p, float* d_s, int count, const RowStats& row, float scale) {
  const auto lse8 = V::set(row.lse), d8 = V::set(row.d), scale8 = V::set(scale);
#pragma GCC unroll 2
  for (int j = 0; j < kBlock; j += 8) {
    const auto probability = V::exp(V::sub(V::load(p + j), lse8));
    V::store(p + j, probability);
    V::store(d_s + j, V::mul(V::mul(probability, V::sub(V::load(d_s + j), d8)), scale8));
  }
  for (int j = count; j < kBlock; ++j) p[j] = d_s[j] = 0;
}

template <class V>
void backward_queries(const BackwardQueries& x) {
  const Panel& panel = *x.panel;
  const int num_rows = static_cast<int>(x.rows.size());
  const float *q[kMaxRows], *d_out[kMaxRows];
  float* d_q[kMaxRows];
  int contexts[kMaxRows];
  RowStats stats[kMaxRows];
  for (int r = 0; r < num_rows; ++r) {
    const BackwardRow& row = x.rows[r];
    q[r] = std::copy_n(row.q, panel.d, panel.q + int64_t{x.first + r} * panel.d) - panel.d;
    d_out[r] = std::copy_n(row.d_out, panel.e, panel.d_out + int64_t{x.first + r} * panel.e) - panel.e;
    d_q[r] = row.d_q;
    contexts[r] = row.context;
    stats[r] = {.lse = row.lse, .d = dot<V>(d_out[r], row.out, panel.e)};
  }
  float* const p = panel.p + int64_t{x.first} * kBlock;
  float* const d_s = panel.d_s + int64_t{x.first} * kBlock;
  Scores scores{.contexts = contexts, .num_rows = num_rows, .row_stride = kBlock, .block_stride = panel.block_stride()};
  scores.rows = q, scores.blocks = x.keys, scores.depth = panel.d, scores.scale = x.scale, scores.out = p;
  score_rows<V>(scores);
  scores.rows = d_out, scores.blocks = x.values, scores.depth = panel.e, scores.scale = 1, scores.out = d_s;
  score_rows<V>(scores);
  const int longest = *std::max_element(contexts, contexts + num_rows);
  for (int block = 0; block * kBlock < longest; ++block) {
    for (int r = 0; r < num_rows; ++r) {
      const int count = std::min(kBlock, contexts[r] - block * kBlock);
      const int64_t at = block * panel.block_stride() + r * kBlock;
      if (count > 0) score_gradients<V>(p + at, d_s + at, count, stats[r], x.scale);
    }
  }
  weighted_sums<V>({.c = d_q,
                    .weights = d_s,
                    .row_stride = kBlock,
                    .step_stride = 1,
                    .block_stride = panel.block_stride(),
                    .blocks = x.key_rows,
                    .block_bits = kBlockBits,
                    .width = panel.d},
                   {contexts, x.rows.size()});
}

// c[i] += sum over rows of weights[row][key + i] b[row] for i < num_keys. A key's first row is that of its own
// position; the rows before it in its tile have weight 0 there.
template <class V>
void accumulate_keys(const BackwardKeys& x, const float* weights, const float* b, int width, float* const* c) {
  constexpr std::array kTiles{0, 6, 11, kBlock};  // of a block's keys: all large enough to hide the latency of a step
  const Panel& panel = *x.panel;
  Product product{.row_stride = 1, .step_stride = kBlock, .blocks = &b, .block_bits = kUnblocked, .width = width};
  const auto first_row = [&](int key) { return std::max(0, key - panel.first_position) * panel.num_heads; };
  const int chunk = chunk_steps(width);
  for (int start = first_row(x.key); start < panel.num_rows(); start += chunk) {
    const int end = std::min(start + chunk, panel.num_rows());
    for (int i = 0; i < x.num_keys; i += kBlock) {
      product.c = c + i;
      product.weights = weights + (x.key + i) / kBlock * panel.block_stride();
      for (int tile = 0; tile < 3; ++tile) {
        const int keys = std::min(kTiles[tile + 1], x.num_keys - i) - kTiles[tile];
        const Steps steps{std::max(start, first_row(x.key + i + kTiles[tile])), end};
        if (keys > 0) accumulate_rows<V, Weights::kTransposed>(product, kTiles[tile], keys, steps);
      }
    }
  }
}

template <class V>
void backward_keys(const BackwardKeys& x) {
  float *d_k[kKeyTile], *d_v[kKeyTile];
  for (int i = 0; i < x.num_keys; ++i) {
    d_k[i] = x.d_k + i * x.ldk;
    d_v[i] = x.d_v + i * x.ldv;
  }
  accumulate_keys<V>(x, x.panel->p, x.panel->d_out, x.panel->e, d_v);
  accumulate_keys<V>(x, x.panel->d_s, x.panel->q, x.panel->d, d_k);
}

}  // namespace
}  // namespace r1::kernels::attn
