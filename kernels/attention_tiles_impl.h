// The templates behind attention_tiles.h, over a vector policy V of 8 floats. Included by attention_avx2.cpp inside its
// target region and by attention_portable.cpp, and by nothing else; both include all other headers before it.
//
// No product feeds a sum except through V::fma or std::fma: the compiler must not get to choose what it contracts.
// R = rows of a tile, N = vectors of 8 columns.

namespace r1::kernels::attn {
namespace {

constexpr int kBlockBits = 4;
static_assert(1 << kBlockBits == kBlock);
constexpr int kL1Floats = 4096;  // of a run of keys or rows that a call walks several times: half of a 32 KiB L1 cache

// Calls f.operator()<R>() for R = rows, 1 .. kRowTile.
template <class F>
void with_row_count(int rows, F f) {
  switch (rows) {
    case 1:
      return f.template operator()<1>();
    case 2:
      return f.template operator()<2>();
    case 3:
      return f.template operator()<3>();
    case 4:
      return f.template operator()<4>();
    case 5:
      return f.template operator()<5>();
    default:
      return f.template operator()<kRowTile>();
  }
}

// How many vectors of 8 columns R rows take: enough chains to hide the latency of a multiply-add, at most 12 registers.
constexpr int vectors_for(int rows) { return rows >= 4 ? 2 : rows >= 2 ? 4 : 8; }

// Few rows make little work of much memory: keys and values then come from beyond the caches, and their blocks lie
// scattered, where a processor does not foresee them.
template <int R>
constexpr bool kPrefetches = R <= 3;

struct Scores {
  const float* const* rows = nullptr;
  const int* contexts = nullptr;
  int num_rows = 0;
  const float* const* blocks = nullptr;  // [depth][16]
  int depth = 0;
  float scale = 0;
  float* out = nullptr;  // of row r and block b: out + r * row_stride + b * block_stride
  int64_t row_stride = 0, block_stride = 0;
};

// scale * (row . key) for R rows and B blocks of 16 keys.
template <class V, int R, int B>
void score_blocks(const Scores& x, int row, int block) {
  typename V::Reg acc[R][2 * B];
  const float* q[R];
  const float *k[B], *ahead[B];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    q[r] = x.rows[row + r];
#pragma GCC unroll 8
    for (int c = 0; c < 2 * B; ++c) acc[r][c] = V::set(0);
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) {
    k[b] = x.blocks[block + b];
    ahead[b] = x.blocks[block + B + b];
  }
  for (int64_t i = 0; i < x.depth; ++i) {
    if constexpr (kPrefetches<R>) {
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) __builtin_prefetch(ahead[b] + i * kBlock);
    }
    typename V::Reg key[2 * B];
#pragma GCC unroll 8
    for (int c = 0; c < 2 * B; ++c) key[c] = V::load(k[c / 2] + i * kBlock + c % 2 * 8);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const auto weight = V::set(q[r][i]);
#pragma GCC unroll 8
      for (int c = 0; c < 2 * B; ++c) acc[r][c] = V::fma(weight, key[c], acc[r][c]);
    }
  }
  const auto scale = V::set(x.scale);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    float* out = x.out + (row + r) * x.row_stride + block * x.block_stride;
#pragma GCC unroll 8
    for (int c = 0; c < 2 * B; ++c) V::store(out + c / 2 * x.block_stride + c % 2 * 8, V::mul(acc[r][c], scale));
  }
}

template <class V, int R>
void score_tile(const Scores& x, int row, int block, int last_block) {
  constexpr int kWide = vectors_for(R) / 2;
  for (; block + kWide <= last_block; block += kWide) score_blocks<V, R, kWide>(x, row, block);
  for (; block < last_block; ++block) score_blocks<V, R, 1>(x, row, block);
}

// Scores of every row against the blocks that its tile of rows sees; what lies past a row's context is not meaningful.
template <class V>
void score_rows(const Scores& x) {
  const int longest = *std::max_element(x.contexts, x.contexts + x.num_rows);
  const int chunk = std::max(1, kL1Floats / (x.depth * kBlock));
  for (int block = 0; block * kBlock < longest; block += chunk) {
    for (int row = 0; row < x.num_rows; row += kRowTile) {
      const int rows = std::min(kRowTile, x.num_rows - row);
      const int context = *std::max_element(x.contexts + row, x.contexts + row + rows);
      const int last_block = std::min(block + chunk, round_up_to_block(context) / kBlock);
      with_row_count(rows, [&]<int R>() { score_tile<V, R>(x, row, block, last_block); });
    }
  }
}

// c[r] += sum over t of weight(r, t) b[t], in ascending t. Both weights and b come in blocks of 1 << block_bits steps.
struct Product {
  float* const* c = nullptr;
  const float* weights = nullptr;
  int64_t row_stride = 0, step_stride = 0, block_stride = 0;  // of weights
  const float* const* blocks = nullptr;                       // of b
  int block_bits = 0;
  int width = 0;  // of a row of b and c
};
// Which stride is 1. Stated apart, so that the inner loop need not multiply.
enum class Weights { kRowMajor, kTransposed };

struct Steps {
  int first = 0, last = 0;
};

template <class V, Weights kWeights, int R, int N>
void accumulate(const Product& x, int row, Steps steps, int column) {
  typename V::Reg acc[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < N; ++c) acc[r][c] = V::load(x.c[row + r] + column + c * 8);
  }
  constexpr bool kByRow = kWeights == Weights::kRowMajor;
  const int64_t width = x.width;
  const int64_t row_stride = kByRow ? x.row_stride : 1, step_stride = kByRow ? 1 : x.step_stride;
  for (int t = steps.first; t < steps.last;) {
    const int block = t >> x.block_bits;
    const int64_t start = t - (block << x.block_bits);
    const int64_t count = std::min<int64_t>((int64_t{1} << x.block_bits) - start, steps.last - t);
    const float* b = x.blocks[block] + start * width + column;
    const float* w = x.weights + block * x.block_stride + row * row_stride + start * step_stride;
    const float* ahead = b;
    if constexpr (kPrefetches<R> && kByRow) ahead = x.blocks[block + 1] + start * width + column;
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (kPrefetches<R> && kByRow) {
#pragma GCC unroll 8
        for (int c = 0; c < N; c += 2) __builtin_prefetch(ahead + i * width + c * 8);
      }
      typename V::Reg value[N];
#pragma GCC unroll 8
      for (int c = 0; c < N; ++c) value[c] = V::load(b + c * 8);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const auto weight = V::set(w[r * row_stride]);
#pragma GCC unroll 8
        for (int c = 0; c < N; ++c) acc[r][c] = V::fma(weight, value[c], acc[r][c]);
      }
      b += width;
      w += step_stride;
    }
    t += static_cast<int>(count);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < N; ++c) V::store(x.c[row + r] + column + c * 8, acc[r][c]);
  }
}

// The columns that do not fill a vector.
inline void accumulate_last_columns(const Product& x, int row, int rows, Steps steps) {
  for (int r = row; r < row + rows; ++r) {
    for (int column = x.width / 8 * 8; column < x.width; ++column) {
      float acc = x.c[r][column];
      for (int t = steps.first; t < steps.last; ++t) {
        const int block = t >> x.block_bits;
        const int64_t step = t - (block << x.block_bits);
        const float weight = x.weights[block * x.block_stride + r * x.row_stride + step * x.step_stride];
        acc = std::fma(weight, x.blocks[block][step * x.width + column], acc);
      }
      x.c[r][column] = acc;
    }
  }
}

template <class V, Weights kWeights>
void accumulate_rows(const Product& x, int row, int rows, Steps steps) {
  if (steps.first >= steps.last) return;
  with_row_count(rows, [&]<int R>() {
    constexpr int kWide = vectors_for(R);
    int column = 0;
    for (; column + kWide * 8 <= x.width; column += kWide * 8) accumulate<V, kWeights, R, kWide>(x, row, steps, column);
    for (; column + 8 <= x.width; column += 8) accumulate<V, kWeights, R, 1>(x, row, steps, column);
  });
  if (x.width % 8 != 0) accumulate_last_columns(x, row, rows, steps);
}

// Steps that all row tiles take before any goes on: few enough for b to stay near, enough to pay for the sums' way to
// memory and back.
constexpr int chunk_steps(int width) { return std::max(6 * kBlock, kL1Floats / width / kBlock * kBlock); }

// c[r] = sum over t < contexts[r]. Nothing past a row's context is touched, not even times 0: it may be NaN.
template <class V>
void weighted_sums(const Product& x, std::span<const int> contexts) {
  const int num_rows = static_cast<int>(contexts.size());
  const int longest = *std::max_element(contexts.begin(), contexts.end());
  const int chunk = chunk_steps(x.width);
  for (int r = 0; r < num_rows; ++r) std::fill_n(x.c[r], x.width, 0.0f);
  for (int first = 0; first < longest; first += chunk) {
    for (int row = 0; row < num_rows; row += kRowTile) {
      const auto tile = contexts.subspan(row, std::min(kRowTile, num_rows - row));
      const int shared = *std::min_element(tile.begin(), tile.end());
      accumulate_rows<V, Weights::kRowMajor>(x, row, static_cast<int>(tile.size()),
                                             {first, std::min(first + chunk, shared)});
    }
  }
  for (int row = 0; row < num_rows; row += kRowTile) {
    const auto tile = contexts.subspan(row, std::min(kRowTile, num_rows - row));
    const int shared = *std::min_element(tile.begin(), tile.end());
    for (size_t r = 0; r < tile.size(); ++r) {
      accumulate_rows<V, Weights::kRowMajor>(x, row + static_cast<int>(r), 1, {shared, tile[r]});
    }
  }
}

// The largest of s[0 .. context - 1]; fills the rest of the last block with what exp turns into 0.
template <class V>
float mask_and_max(float* s, int context) {
  const int end = round_up_to_block(context);
  std::fill(s + context, s + end, -std::numeric_limits<float>::infinity());
  auto low = V::load(s), high = V::load(s + 8);
  for (int j = kBlock; j < end; j += kBlock) {
    low = V::max(low, V::load(s + j));
    high = V::max(high, V::load(s + j + 8));
  }
  return V::max_lanes(V::max(low, high));
}

// s[j] = exp(s[j] - max) in whole blocks; their sum over 16 lanes.
template <class V>
float exp_and_sum(float* s, int context, float max) {
  const auto max8 = V::set(max);
  auto low = V::set(0), high = V::set(0);
  for (int j = 0; j < context; j += kBlock) {
    const auto p0 = V::exp(V::sub(V::load(s + j), max8));
    const auto p1 = V::exp(V::sub(V::load(s + j + 8), max8));
    V::store(s + j, p0);
    V::store(s + j + 8, p1);
    low = V::add(low, p0);
    high = V::add(high, p1);
  }
  return V::sum_lanes(low, high);
}

struct SoftmaxStats {
  float max = 0, sum = 0;
};

// Scores of up to kRowTile rows to probabilities times their sum. All maxima come first: a processor that has to wait
// for one before it may start on exp stands still.
template <class V>
void softmax_tile(float* s, int64_t stride, std::span<const int> contexts, SoftmaxStats* stats) {
  for (size_t r = 0; r < contexts.size(); ++r) stats[r].max = mask_and_max<V>(s + r * stride, contexts[r]);
  for (size_t r = 0; r < contexts.size(); ++r) {
    stats[r].sum = exp_and_sum<V>(s + r * stride, contexts[r], stats[r].max);
  }
}

template <class V>
void divide(float* x, int count, float divisor) {
  int i = 0;
  for (; i + 8 <= count; i += 8) V::store(x + i, V::div(V::load(x + i), V::set(divisor)));
  for (; i < count; ++i) x[i] /= divisor;
}

template <class V>
void forward(const ForwardTile& x) {
  const int num_rows = static_cast<int>(x.rows.size());
  const float* q[kMaxRows];
  float* out[kMaxRows];
  int contexts[kMaxRows];
  SoftmaxStats stats[kMaxRows];
  for (int r = 0; r < num_rows; ++r) {
    q[r] = x.rows[r].q;
    out[r] = x.rows[r].out;
    contexts[r] = x.rows[r].context;
  }
  score_rows<V>({.rows = q,
                 .contexts = contexts,
                 .num_rows = num_rows,
                 .blocks = x.keys,
                 .depth = x.d,
                 .scale = x.scale,
                 .out = x.scratch,
                 .row_stride = x.stride,
                 .block_stride = kBlock});
  for (int row = 0; row < num_rows; row += kRowTile) {
    const auto tile = std::span(contexts).subspan(row, std::min(kRowTile, num_rows - row));
    softmax_tile<V>(x.scratch + row * x.stride, x.stride, tile, stats + row);
  }
  weighted_sums<V>({.c = out,
                    .weights = x.scratch,
                    .row_stride = x.stride,
                    .step_stride = 1,
                    .block_stride = kBlock,
                    .blocks = x.values,
                    .block_bits = kBlockBits,
                    .width = x.e},
                   {contexts, x.rows.size()});
  for (int r = 0; r < num_rows; ++r) {
    divide<V>(out[r], x.e, stats[r].sum);
    if (x.rows[r].lse != nullptr) *x.rows[r].lse = stats[r].max + simd::log1(stats[r].sum);
  }
}

}  // namespace
}  // namespace r1::kernels::attn
