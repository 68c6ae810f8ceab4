// The AVX2 form of quant.h's product. maddubs multiplies unsigned by signed bytes and adds neighbours in 16 bits:
// exact for four-bit weights over a whole block (8 groups of 2 * 15 * 127 = 30480), and for eight-bit ones within one
// group (2 * 128 * 127 = 32512) once the sign has moved from the weight to the activation.

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/quant_panels.h"

namespace r1::kernels::quant {
namespace {

constexpr int kTileRows = 4;          // rows that share one pass over the weights in registers
constexpr int64_t kStripBlocks = 24;  // blocks unpacked at once: with a tile's activations they fit 32 KB of L1
constexpr int64_t kChunkRows = 64;    // rows that use an unpacked strip before the next strip replaces it

template <int R>
struct IntegerDots {
  __m256i v[R][2];  // [row][outputs 0-7, outputs 8-15]
};

[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline __m256i load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline __m256 load_halves(const std::byte* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline __m256i broadcast_group(const ActivationBlock& a, int k) {
  int32_t four;
  std::memcpy(&four, a.q + k, sizeof(four));
  return _mm256_set1_epi32(four);
}

template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void clear(IntegerDots<R>& dots) {
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) dots.v[r][0] = dots.v[r][1] = _mm256_setzero_si256();
}

// Stops g++ from moving a later group's products before an earlier group's sums: it would spill them all to the stack.
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void pin(__m256i& sum) { asm("" : "+x"(sum)); }

// 16-bit sums += one group of four k of unsigned four-bit weights.
template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void add_nibbles(IntegerDots<R>& sums, __m256i w0,
                                                                             __m256i w1, const ActivationBlock* a,
                                                                             int64_t stride, int k) {
  __m256i q[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) q[r] = broadcast_group(a[r * stride], k);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    sums.v[r][0] = _mm256_add_epi16(sums.v[r][0], _mm256_maddubs_epi16(w0, q[r]));
    sums.v[r][1] = _mm256_add_epi16(sums.v[r][1], _mm256_maddubs_epi16(w1, q[r]));
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    pin(sums.v[r][0]);
    pin(sums.v[r][1]);
  }
}

// 32-bit sums += one group of four k of signed eight-bit weights.
template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void add_bytes(IntegerDots<R>& sums, __m256i w0, __m256i w1,
                                                                           const ActivationBlock* a, int64_t stride,
                                                                           int k) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i size0 = _mm256_abs_epi8(w0), size1 = _mm256_abs_epi8(w1);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    const __m256i q = broadcast_group(a[r * stride], k);
    const __m256i pairs0 = _mm256_maddubs_epi16(size0, _mm256_sign_epi8(q, w0));
    const __m256i pairs1 = _mm256_maddubs_epi16(size1, _mm256_sign_epi8(q, w1));
    sums.v[r][0] = _mm256_add_epi32(sums.v[r][0], _mm256_madd_epi16(pairs0, ones));
    sums.v[r][1] = _mm256_add_epi32(sums.v[r][1], _mm256_madd_epi16(pairs1, ones));
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    pin(sums.v[r][0]);
    pin(sums.v[r][1]);
  }
}

template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void widen_sums(IntegerDots<R>& dots) {
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    dots.v[r][0] = _mm256_madd_epi16(dots.v[r][0], ones);
    dots.v[r][1] = _mm256_madd_epi16(dots.v[r][1], ones);
  }
}

// Panel blocks as stored.
template <QuantType T>
struct Packed {
  static constexpr Layout kLayout = layout_of(T);
  static constexpr int64_t kBytes = kLayout.panel_bytes();

  template <int R>
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static void set_dots(IntegerDots<R>& sums,
                                                                            const std::byte* block,
                                                                            const ActivationBlock* a, int64_t stride) {
    const std::byte* quants = block + kLayout.panel_scale_bytes();
    clear(sums);
    if constexpr (T == QuantType::kQ8_0) {
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g)
        add_bytes<R>(sums, load(quants + 64 * g), load(quants + 64 * g + 32), a, stride, 4 * g);
    } else {
      const __m256i nibble = _mm256_set1_epi8(15);
#pragma GCC unroll 4
      for (int g = 0; g < 4; ++g) {
        const __m256i p0 = load(quants + 64 * g), p1 = load(quants + 64 * g + 32);
        add_nibbles<R>(sums, _mm256_and_si256(p0, nibble), _mm256_and_si256(p1, nibble), a, stride, 4 * g);
        add_nibbles<R>(sums, _mm256_and_si256(_mm256_srli_epi16(p0, 4), nibble),
                       _mm256_and_si256(_mm256_srli_epi16(p1, 4), nibble), a, stride, 16 + 4 * g);
      }
      widen_sums(sums);
    }
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static __m256 scale(const std::byte* block, int half) {
    return load_halves(block + 16 * half);
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static __m256 minimum(const std::byte* block, int half) {
    return load_halves(block + 32 + 16 * half);
  }
};

// Four-bit weights with the nibbles apart and the scales widened, so that many rows share that work.
struct alignas(64) UnpackedBlock {
  uint8_t q[8][2][32];
  float d[kPanel];
  float m[kPanel];
};

struct Unpacked {
  static constexpr int64_t kBytes = sizeof(UnpackedBlock);

  template <int R>
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static void set_dots(IntegerDots<R>& sums,
                                                                            const std::byte* block,
                                                                            const ActivationBlock* a, int64_t stride) {
    clear(sums);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) add_nibbles<R>(sums, load(block + 64 * g), load(block + 64 * g + 32), a, stride, 4 * g);
    widen_sums(sums);
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static __m256 scale(const std::byte* block, int half) {
    return _mm256_load_ps(reinterpret_cast<const UnpackedBlock*>(block)->d + 8 * half);
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static __m256 minimum(const std::byte* block, int half) {
    return _mm256_load_ps(reinterpret_cast<const UnpackedBlock*>(block)->m + 8 * half);
  }
};

template <int R>
struct Sums {
  __m256 v[R][2];
};

template <QuantType T, typename Source, int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void add_block(Sums<R>& acc, const std::byte* block,
                                                                           const ActivationBlock* a, int64_t stride) {
  IntegerDots<R> dots;
  Source::template set_dots<R>(dots, block, a, stride);
  const __m256 d[2] = {Source::scale(block, 0), Source::scale(block, 1)};
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    const ActivationBlock& x = a[r * stride];
    const __m256 xd = _mm256_broadcast_ss(&x.d);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      __m256i dot = dots.v[r][h];
      if constexpr (T == QuantType::kQ4_0) dot = _mm256_sub_epi32(dot, _mm256_set1_epi32(x.eight_sums));
      acc.v[r][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_mul_ps(d[h], xd), acc.v[r][h]);
      if constexpr (T == QuantType::kQ4_1) {
        acc.v[r][h] = _mm256_fmadd_ps(Source::minimum(block, h), _mm256_broadcast_ss(&x.t), acc.v[r][h]);
      }
    }
  }
}

template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void clear(Sums<R>& acc) {
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) acc.v[r][0] = acc.v[r][1] = _mm256_setzero_ps();
}

template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void load(Sums<R>& acc, const float* out,
                                                                      int64_t out_stride) {
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    acc.v[r][0] = _mm256_loadu_ps(out + r * out_stride);
    acc.v[r][1] = _mm256_loadu_ps(out + r * out_stride + 8);
  }
}

// acc, plus bias if there is one, into out.
template <int R>
[[gnu::target("avx2,fma,f16c"), gnu::always_inline]] inline void store(Sums<R>& acc, const float* bias, float* out,
                                                                       int64_t out_stride) {
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      if (bias != nullptr) acc.v[r][h] = _mm256_add_ps(acc.v[r][h], _mm256_loadu_ps(bias + 8 * h));
      _mm256_storeu_ps(out + r * out_stride + 8 * h, acc.v[r][h]);
    }
  }
}

enum class Start { kZero, kOut };  // what sums begin with: 0, or what `out` holds

// Panels in Source's form times the first R rows. With S = 1, for one panel, the sums stay in registers.
template <QuantType T, typename Source, int R, int S>
[[gnu::target("avx2,fma,f16c")]] void multiply_tile(const PanelProduct& p, int64_t activation_stride, Start start) {
  const int64_t num_panels = S == 1 ? 1 : p.num_panels;
  Sums<R> acc[S];
  for (int64_t s = 0; s < num_panels; ++s) {
    if (start == Start::kZero) {
      clear(acc[s]);
    } else {
      load(acc[s], p.out + s * p.output_step, p.out_stride);
    }
  }
  for (int64_t b = 0; b < p.num_blocks; ++b) {
    const std::byte* block = p.panels + b * Source::kBytes;
    for (int64_t s = 0; s < num_panels; ++s, block += p.panel_stride) {
      add_block<T, Source, R>(acc[s], block, p.activations + b, activation_stride);
    }
  }
  for (int64_t s = 0; s < num_panels; ++s) {
    const float* bias = p.bias == nullptr ? nullptr : p.bias + s * p.output_step;
    store(acc[s], bias, p.out + s * p.output_step, p.out_stride);
  }
}

template <QuantType T, typename Source, int S>
void multiply_rows(PanelProduct p, int64_t activation_stride, Start start) {
  for (; p.num_rows > 0; p.num_rows -= kTileRows) {
    switch (p.num_rows) {
      case 1:
        multiply_tile<T, Source, 1, S>(p, activation_stride, start);
        break;
      case 2:
        multiply_tile<T, Source, 2, S>(p, activation_stride, start);
        break;
      case 3:
        multiply_tile<T, Source, 3, S>(p, activation_stride, start);
        break;
      default:
        multiply_tile<T, Source, 4, S>(p, activation_stride, start);
        break;
    }
    p.activations += kTileRows * activation_stride;
    p.out += kTileRows * p.out_stride;
  }
}

template <QuantType T>
[[gnu::target("avx2,fma,f16c")]] void unpack(const std::byte* block, UnpackedBlock& out) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const std::byte* quants = block + Packed<T>::kLayout.panel_scale_bytes();
  for (int g = 0; g < 4; ++g) {
    for (int h = 0; h < 2; ++h) {
      const __m256i packed = load(quants + 64 * g + 32 * h);
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.q[g][h]), _mm256_and_si256(packed, nibble));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.q[g + 4][h]),
                         _mm256_and_si256(_mm256_srli_epi16(packed, 4), nibble));
    }
  }
  for (int h = 0; h < 2; ++h) {
    _mm256_store_ps(out.d + 8 * h, Packed<T>::scale(block, h));
    if constexpr (T == QuantType::kQ4_1) _mm256_store_ps(out.m + 8 * h, Packed<T>::minimum(block, h));
  }
}

// One panel times many rows: strip by strip, each unpacked once.
template <QuantType T>
void multiply_unpacked(const PanelProduct& p) {
  UnpackedBlock strip[kStripBlocks];
  for (int64_t row = 0; row < p.num_rows; row += kChunkRows) {
    for (int64_t first = 0; first < p.num_blocks; first += kStripBlocks) {
      PanelProduct part = p;
      part.panels = reinterpret_cast<const std::byte*>(strip);
      part.num_panels = 1;
      part.activations += row * p.num_blocks + first;
      part.num_blocks = std::min(kStripBlocks, p.num_blocks - first);
      part.num_rows = std::min(kChunkRows, p.num_rows - row);
      part.out += row * p.out_stride;
      if (first + part.num_blocks < p.num_blocks) part.bias = nullptr;
      for (int64_t b = 0; b < part.num_blocks; ++b) unpack<T>(p.panels + (first + b) * Packed<T>::kBytes, strip[b]);
      multiply_rows<T, Unpacked, 1>(part, p.num_blocks, first == 0 ? Start::kZero : Start::kOut);
    }
  }
}

template <QuantType T>
void multiply_panels(const PanelProduct& p) {
  if constexpr (T != QuantType::kQ8_0) {
    if (p.num_panels == 1 && p.num_rows > kStreamedRows) return multiply_unpacked<T>(p);
  }
  multiply_rows<T, Packed<T>, kStreams>(p, p.num_blocks, Start::kZero);
}

}  // namespace

void multiply_panels_avx2(QuantType type, const PanelProduct& product) {
  switch (type) {
    case QuantType::kQ4_0:
      return multiply_panels<QuantType::kQ4_0>(product);
    case QuantType::kQ4_1:
      return multiply_panels<QuantType::kQ4_1>(product);
    case QuantType::kQ8_0:
      return multiply_panels<QuantType::kQ8_0>(product);
  }
}

}  // namespace r1::kernels::quant

#endif
