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
constexpr float kE4m3Largest = 448;

// To nearest even and, as torch's cast, not saturating: what rounds past 448 becomes NaN.
uint8_t f32_to_e4m3(float value);
float e4m3_to_f32(uint8_t bits);

// kFloat: max(largest |x|, least_amax) / 448. kPowerOfTwo (UE8M0): that, rounded up to a power of two.
enum class Fp8Scale { kFloat, kPowerOfTwo };

// Blocks that share a scale: 1 x 128 for activations (a token's 128 channels), 128 x 1 for them where tokens are summed
// over, 128 x 128 for weights.
struct Fp8BlockShape {
  int64_t rows = kFp8Block, cols = kFp8Block;
};

// As in DeepSeek-V3's act_quant: a block of zeros has a scale too. Gradients are far smaller than activations (a mean
// over a batch's tokens), and want a floor that none of theirs meets.
constexpr float kActivationAmax = 1e-4f;
constexpr float kGradientAmax = 1e-30f;

struct Fp8Rounding {
  Fp8BlockShape block;
  Fp8Scale scale = Fp8Scale::kFloat;
  float least_amax = kActivationAmax;
};

// [rows, cols] float32 with row stride ld (0: cols).
struct FloatMatrix {
  const float* x = nullptr;
  int64_t rows = 0, cols = 0, ld = 0;
};

// x[i, j] is nearly values[i, j] * scales[i / block.rows, j / block.cols]; blocks at the edges may be partial.
struct Fp8Matrix {
  int64_t rows = 0, cols = 0;
  Fp8BlockShape block;
  std::vector<float> values;  // [rows, cols] e4m3 numbers
  std::vector<float> scales;  // [ceil(rows / block.rows), ceil(cols / block.cols)]
  int64_t grid_cols() const { return (cols + block.cols - 1) / block.cols; }
};
Fp8Matrix quantise_fp8(ThreadPool& pool, const FloatMatrix& x, const Fp8Rounding& rounding);
// [rows, cols] float32.
std::vector<float> dequantise_fp8(ThreadPool& pool, const Fp8Matrix& m);
// The values as files hold them, [rows, cols].
std::vector<uint8_t> e4m3_bytes(const Fp8Matrix& m);

enum class Accumulate;
// A factor of a product, stored [its own rows, K], or [K, its own rows] if transposed. Its blocks are 128 long along K.
struct Fp8Factor {
  const Fp8Matrix& matrix;
  bool is_transposed = false;
};
// C[M, N] = A[M, K] B[N, K]^T (+ C): of each block of 128 k one FMA chain over the e4m3 values, times both scales, and
// the blocks added in float32 in their order, as the paper promotes partial sums to float32 registers every 128
// (section 3.3.2). Hopper's tensor cores keep about 14 bits within a block; here it is all of float32.
void fp8_gemm(ThreadPool& pool, const Fp8Factor& a, const Fp8Factor& b, float* c, int64_t ldc, Accumulate accumulate);

}  // namespace r1::kernels
