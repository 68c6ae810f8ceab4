#pragma once
// GGUF's block types as float32 (facts: ggml's block layouts). Each function turns `num_blocks` blocks at `in` into
// floats at `out`; the arithmetic is gguf-py's, in float32, so the values are equal bit for bit.

#include <cstddef>
#include <cstdint>

#include "formats/tensor_view.h"

namespace r1::formats {

// Null for types that are no block type, and for Q8_K, which no file stores weights in.
using Dequantize = void (*)(const std::byte* in, int64_t num_blocks, float* out);
Dequantize find_dequantize(DType t);

// The K types' part of the above.
void dequantize_q2_k(const std::byte* in, int64_t num_blocks, float* out);
void dequantize_q3_k(const std::byte* in, int64_t num_blocks, float* out);
void dequantize_q4_k(const std::byte* in, int64_t num_blocks, float* out);
void dequantize_q5_k(const std::byte* in, int64_t num_blocks, float* out);
void dequantize_q6_k(const std::byte* in, int64_t num_blocks, float* out);

}  // namespace r1::formats
