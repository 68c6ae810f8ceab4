#pragma once
// FP8 (e4m3) with block scales as DeepSeek-V3 trains with it (arXiv:2412.19437v1 section 3.3), emulated in float32: the
// values are those that tensor cores see. e4m3 is OCP's: bias 7, largest 448, no infinity, NaN = 0x7f or 0xff.

#include <cstdint>
#include <vector>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

constexpr int64_t kFp8Block = 128;

// To nearest even and, as torch's cast, not saturating: what rounds past 448 becomes NaN.
uint8_t f32_to_e4m3(float value);
float e4m3_to_f32(uint8_t bits);

// kFloat: max(largest |x|, 1e-4) / 448. kPowerOfTwo (UE8M0): that, rounded up to a power of two.
enum class Fp8Scale { kFloat, kPowerOfTwo };

// Blocks that share a scale: 1 x 128 for activations (a token's 128 channels), 128 x 128 for weights.
struct Fp8BlockShape {
  int64_t rows = kFp8Block, cols = kFp8Block;
};

// x[i, j] is nearly e4m3(values[i, j]) * scales[i / block.rows, j / block.cols]; blocks at the edges may be partial.
struct Fp8Matrix {
  int64_t rows = 0, cols = 0;
  Fp8BlockShape block;
  std::vector<uint8_t> values;  // [rows, cols]
  std::vector<float> scales;    // [ceil(rows / block.rows), ceil(cols / block.cols)]
  int64_t grid_cols() const { return (cols + block.cols - 1) / block.cols; }
};
// x [rows, cols] with row stride ld (0: cols).
Fp8Matrix quantise_fp8(ThreadPool& pool, const float* x, int64_t rows, int64_t cols, Fp8BlockShape block,
                       Fp8Scale scale, int64_t ld = 0);
Fp8Matrix transpose(const Fp8Matrix& m);
// [rows, cols] float32.
std::vector<float> dequantise_fp8(ThreadPool& pool, const Fp8Matrix& m);

enum class Accumulate;
// C[M, N] = A[M, K] B[N, K]^T (+ C): of each block of 128 k one FMA chain over the e4m3 values, times both scales, and
// the blocks added in float32 in their order, as the paper promotes partial sums to float32 registers every 128
// (section 3.3.2). Hopper's tensor cores keep about 14 bits within a block; here it is all of float32. Both matrices'
// blocks must be 128 wide along K.
void fp8_gemm(ThreadPool& pool, const Fp8Matrix& a, const Fp8Matrix& b, float* c, int64_t ldc, Accumulate accumulate);

}  // namespace r1::kernels
