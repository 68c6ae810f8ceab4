// The AVX-512 VNNI form of quant.h's product: vpdpbusd multiplies four unsigned by four signed bytes and adds the
// products to 32 bits, which is exact. A panel's 16 outputs are the lanes of one register.

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/quant_panels.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni")

namespace r1::kernels::quant {
namespace {

constexpr int kTileRows = 8;  // rows that share one pass over the weights in registers
// Lets conversions leave no lane undefined: g++ 12 warns of the forms without a mask.
constexpr __mmask16 kAll = 0xFFFF;

[[gnu::always_inline]] inline __m512i load(const void* p) { return _mm512_loadu_si512(p); }

[[gnu::always_inline]] inline __m512 load_halves(const std::byte* p) {
  return _mm512_maskz_cvtph_ps(kAll, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

// dots[r] += one group of four k of unsigned weights.
template <int R>
[[gnu::always_inline]] inline void add_group(__m512i* dots, __m512i weights, const ActivationBlock* a, int64_t stride,
                                             int k) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    int32_t four;
    std::memcpy(&four, a[r * stride].q + k, sizeof(four));
    dots[r] = _mm512_dpbusd_epi32(dots[r], weights, _mm512_set1_epi32(four));
  }
}

// The integer products of one block: weights as stored (Q4_1), or larger by 8 (Q4_0) or 128 (Q8_0).
template <QuantType T, int R>
[[gnu::always_inline]] inline void set_dots(__m512i* dots, const std::byte* quants, const ActivationBlock* a,
                                            int64_t stride) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) dots[r] = _mm512_setzero_si512();
  if constexpr (T == QuantType::kQ8_0) {
    const __m512i sign = _mm512_set1_epi8(-128);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) add_group<R>(dots, _mm512_xor_si512(load(quants + 64 * g), sign), a, stride, 4 * g);
  } else {
    const __m512i nibble = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) {
      const __m512i packed = load(quants + 64 * g);
      add_group<R>(dots, _mm512_and_si512(packed, nibble), a, stride, 4 * g);
      add_group<R>(dots, _mm512_and_si512(_mm512_srli_epi16(packed, 4), nibble), a, stride, 16 + 4 * g);
    }
  }
}

template <QuantType T, int R>
[[gnu::always_inline]] inline void add_block(__m512* sums, const std::byte* block, const ActivationBlock* a,
                                             int64_t stride) {
  constexpr Layout kLayout = layout_of(T);
  __m512i dots[R];
  set_dots<T, R>(dots, block + kLayout.panel_scale_bytes(), a, stride);
  const __m512 d = load_halves(block);
  [[maybe_unused]] const __m512 m = load_halves(block + (T == QuantType::kQ4_1 ? 2 * kPanel : 0));
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const ActivationBlock& x = a[r * stride];
    __m512i dot = dots[r];
    if constexpr (T == QuantType::kQ4_0) dot = _mm512_sub_epi32(dot, _mm512_set1_epi32(x.eight_sums));
    if constexpr (T == QuantType::kQ8_0) dot = _mm512_sub_epi32(dot, _mm512_set1_epi32(16 * x.eight_sums));
    sums[r] = _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(kAll, dot), _mm512_mul_ps(d, _mm512_set1_ps(x.d)), sums[r]);
    if constexpr (T == QuantType::kQ4_1) sums[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(x.t), sums[r]);
  }
}

// The first R rows of p.num_panels panels, at most S. With S = 1 the sums stay in registers.
template <QuantType T, int R, int S>
void multiply_tile(const PanelProduct& p) {
  const int64_t num_panels = S == 1 ? 1 : p.num_panels;
  __m512 sums[S][R];
  for (auto& panel : sums) std::fill_n(panel, R, _mm512_setzero_ps());
  for (int64_t b = 0; b < p.num_blocks; ++b) {
    const std::byte* block = p.panels + b * layout_of(T).panel_bytes();
    for (int64_t s = 0; s < num_panels; ++s, block += p.panel_stride) {
      add_block<T, R>(sums[s], block, p.activations + b, p.num_blocks);
    }
  }
  for (int64_t s = 0; s < num_panels; ++s) {
    for (int r = 0; r < R; ++r) {
      __m512 y = sums[s][r];
      if (p.bias != nullptr) y = _mm512_add_ps(y, _mm512_loadu_ps(p.bias + s * p.output_step));
      _mm512_storeu_ps(p.out + s * p.output_step + r * p.out_stride, y);
    }
  }
}

template <QuantType T, int S, int... kRows>
void multiply_rows(PanelProduct p, std::integer_sequence<int, kRows...>) {
  using Tile = void (*)(const PanelProduct&);
  constexpr Tile kTiles[] = {multiply_tile<T, kRows + 1, S>...};
  for (; p.num_rows > 0; p.num_rows -= kTileRows) {
    kTiles[std::min<int64_t>(kTileRows, p.num_rows) - 1](p);
    p.activations += kTileRows * p.num_blocks;
    p.out += kTileRows * p.out_stride;
  }
}

template <QuantType T>
void multiply_panels(const PanelProduct& p) {
  constexpr auto kRows = std::make_integer_sequence<int, kTileRows>();
  p.num_panels == 1 ? multiply_rows<T, 1>(p, kRows) : multiply_rows<T, kStreams>(p, kRows);
}

}  // namespace

void multiply_panels_vnni(QuantType type, const PanelProduct& product) {
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

#pragma GCC pop_options

#endif
