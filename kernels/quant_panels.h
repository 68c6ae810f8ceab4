#pragma once
// How QuantMatrix keeps weights and activations in memory, and the implementations of its product. Internal to
// kernels/.
//
// Sixteen consecutive weight rows make a panel, [K / 32] panel blocks; outputs are the vector lanes. A panel block is
//   f16 d[16] | f16 m[16] (Q4_1 only) | quants
// Its quants are 4 (Q4) or 8 (Q8) groups of two 32-byte vectors, rows 0-7 and rows 8-15: lane i of group g holds the
// four bytes 4g .. 4g + 3 of row i's GGUF block. A Q8 group is therefore k = 4g .. 4g + 3; a Q4 group has these in its
// low nibbles and k = 16 + 4g .. 16 + 4g + 3 in its high ones. The size per weight is GGUF's.

#include <cstddef>
#include <cstdint>

#include "kernels/quant.h"

namespace r1::kernels::quant {

inline constexpr int64_t kBlock = 32;  // weights or activations that share a scale
inline constexpr int64_t kPanel = 16;  // outputs per panel

// Sizes of one type's blocks in bytes.
struct Layout {
  int64_t scale_bytes;  // of a GGUF block: d, and m if there is one, as f16
  int64_t quant_bytes;  // of a GGUF block
  constexpr int64_t gguf_bytes() const { return scale_bytes + quant_bytes; }
  constexpr int64_t panel_bytes() const { return kPanel * gguf_bytes(); }
  constexpr int64_t panel_scale_bytes() const { return kPanel * scale_bytes; }
};
constexpr Layout layout_of(QuantType type) {
  return {.scale_bytes = type == QuantType::kQ4_1 ? 4 : 2, .quant_bytes = type == QuantType::kQ8_0 ? 32 : 16};
}

// A block of one quantised activation row, in quant.h's letters.
struct ActivationBlock {
  int8_t q[kBlock];
  float d;
  float t;             // d * sum of q
  int32_t eight_sums;  // 8 * sum of q: what Q4_0's offset of 8 takes from the integer product
};

// Up to kStreams panels times some activation rows. One core reads several streams of memory faster than one, so
// products with few rows, which wait for memory, walk several panels at a time that lie far apart.
inline constexpr int kStreams = 4;
inline constexpr int64_t kStreamedRows = 16;  // more rows than this have no time to wait for memory
struct PanelProduct {
  const std::byte* panels;             // the first one: num_blocks panel blocks
  int64_t num_panels, panel_stride;    // in bytes
  const ActivationBlock* activations;  // [num_rows][num_blocks]
  int64_t num_blocks, num_rows;
  const float* bias;  // of the first panel's 16 outputs, or null
  float* out;         // row r's 16 outputs of panel p begin at out + r * out_stride + p * output_step
  int64_t out_stride, output_step;
};

// x [num_blocks * 32] -> out [num_blocks].
void quantize_activations_portable(const float* x, int64_t num_blocks, ActivationBlock* out);
void multiply_panels_portable(QuantType type, const PanelProduct& product);
#if defined(__x86_64__)
void quantize_activations_avx2(const float* x, int64_t num_blocks, ActivationBlock* out);
void multiply_panels_avx2(QuantType type, const PanelProduct& product);
void multiply_panels_vnni(QuantType type, const PanelProduct& product);  // on AVX-512 processors with VNNI
#endif

// IEEE half precision. Widening is exact; narrowing rounds to nearest even, and to infinity from 65520 on.
float widen_half(uint16_t half);
uint16_t round_to_half(float value);

// Scale `index` of a panel block: lanes 0-15 are d, then m's if the type has any.
float half_at(const std::byte* block, int64_t index);
// The integer of weight k of output `lane`, as stored: 0-15 for Q4.
int quant_at(QuantType type, const std::byte* quants, int64_t lane, int64_t k);

// One block of 32 finite weights by GGUF's rule for `type`, into layout_of(type).gguf_bytes() bytes.
void quantize_gguf_block(QuantType type, const float* weights, std::byte* out);

}  // namespace r1::kernels::quant
