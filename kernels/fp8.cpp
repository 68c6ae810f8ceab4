#include "kernels/fp8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/gemm.h"

namespace r1::kernels {
namespace {

constexpr float kLargest = 448;
constexpr float kLeastAmax = 1e-4f;  // as in DeepSeek-V3's act_quant: a block of zeros has a scale too

std::array<float, 256> make_table() {
  std::array<float, 256> table;
  for (int bits = 0; bits < 256; ++bits) {
    const int exponent = bits >> 3 & 15, mantissa = bits & 7;
    const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                          : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
    const float value = (bits & 0x7f) == 0x7f ? std::nanf("") : magnitude;
    table[static_cast<size_t>(bits)] = (bits & 0x80) != 0 ? -value : value;
  }
  return table;
}

float scale_of(float amax, Fp8Scale kind) {
  const float scale = std::max(amax, kLeastAmax) / kLargest;
  return kind == Fp8Scale::kFloat ? scale : std::exp2(std::ceil(std::log2(scale)));
}

}  // namespace

uint8_t f32_to_e4m3(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  const float magnitude = std::abs(value);
  if (!(magnitude < 480)) return sign | 0x7f;                                // NaN, infinity, and what lies far beyond
  if (magnitude < 0x1p-6f) {                                                 // denormals: steps of 2^-9
    return sign | static_cast<uint8_t>(std::nearbyint(magnitude * 0x1p9f));  // 8 steps are the least normal number
  }
  const uint32_t m = bits & 0x7fffffffu;
  const uint32_t rounded = (m + 0x7ffffu + (m >> 20 & 1u)) >> 20;  // to 3 bits of mantissa, nearest even
  const uint32_t e4m3 = rounded - (120u << 3);                     // exponents: 127 - 7
  return sign | static_cast<uint8_t>(std::min(e4m3, 0x7fu));
}

float e4m3_to_f32(uint8_t bits) {
  static const std::array<float, 256> kTable = make_table();
  return kTable[bits];
}

Fp8Matrix quantise_fp8(ThreadPool& pool, const float* x, int64_t rows, int64_t cols, Fp8BlockShape block,
                       Fp8Scale scale, int64_t ld) {
  if (ld == 0) ld = cols;
  Fp8Matrix q{.rows = rows, .cols = cols, .block = block, .values = std::vector<uint8_t>(rows * cols)};
  const int64_t grid_rows = (rows + block.rows - 1) / block.rows, grid_cols = q.grid_cols();
  q.scales.resize(grid_rows * grid_cols);
  pool.parallel_for(grid_rows, std::max<int64_t>(1, 64 / block.rows), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * grid_cols; i < end * grid_cols; ++i) {
      const int64_t first_row = i / grid_cols * block.rows, last_row = std::min(rows, first_row + block.rows);
      const int64_t first_col = i % grid_cols * block.cols, last_col = std::min(cols, first_col + block.cols);
      float amax = 0;
      for (int64_t r = first_row; r < last_row; ++r) {
        for (int64_t c = first_col; c < last_col; ++c) amax = std::max(amax, std::abs(x[r * ld + c]));
      }
      const float s = q.scales[i] = scale_of(amax, scale);
      for (int64_t r = first_row; r < last_row; ++r) {
        for (int64_t c = first_col; c < last_col; ++c) q.values[r * cols + c] = f32_to_e4m3(x[r * ld + c] / s);
      }
    }
  });
  return q;
}

Fp8Matrix transpose(const Fp8Matrix& m) {
  Fp8Matrix t{.rows = m.cols, .cols = m.rows, .block = {m.block.cols, m.block.rows}};
  t.values.resize(m.values.size());
  t.scales.resize(m.scales.size());
  for (int64_t r = 0; r < m.rows; ++r) {
    for (int64_t c = 0; c < m.cols; ++c) t.values[c * m.rows + r] = m.values[r * m.cols + c];
  }
  const int64_t grid_cols = m.grid_cols(), grid_rows = t.grid_cols();
  for (int64_t r = 0; r < grid_rows; ++r) {
    for (int64_t c = 0; c < grid_cols; ++c) t.scales[c * grid_rows + r] = m.scales[r * grid_cols + c];
  }
  return t;
}

std::vector<float> dequantise_fp8(ThreadPool& pool, const Fp8Matrix& m) {
  std::vector<float> out(m.values.size());
  pool.parallel_for(m.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * m.cols; i < end * m.cols; ++i) {
      const int64_t block = i / m.cols / m.block.rows * m.grid_cols() + i % m.cols / m.block.cols;
      out[i] = e4m3_to_f32(m.values[i]) * m.scales[block];
    }
  });
  return out;
}

void fp8_gemm(ThreadPool& pool, const Fp8Matrix& a, const Fp8Matrix& b, float* c, int64_t ldc, Accumulate accumulate) {
  if (a.cols != b.cols || a.block.cols != kFp8Block || b.block.cols != kFp8Block) {
    throw Error(
        "fp8_gemm",
        fmt::format("K is {} in blocks of {} and {} in blocks of {}", a.cols, a.block.cols, b.cols, b.block.cols),
        "quantise both along K in blocks of 128");
  }
  const auto widen = [&](const Fp8Matrix& m) {
    std::vector<float> out(m.values.size());
    pool.parallel_for(m.rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * m.cols; i < end * m.cols; ++i) out[i] = e4m3_to_f32(m.values[i]);
    });
    return out;
  };
  const auto a_values = widen(a), b_values = widen(b);
  std::vector<float> partial(static_cast<size_t>(a.rows * b.rows));
  for (int64_t k = 0; k < a.cols; k += kFp8Block) {
    gemm(pool, {.transpose_b = Transpose::kYes,
                .m = a.rows,
                .n = b.rows,
                .k = std::min(kFp8Block, a.cols - k),
                .a = a_values.data() + k,
                .lda = a.cols,
                .b = b_values.data() + k,
                .ldb = b.cols,
                .c = partial.data(),
                .ldc = b.rows});
    const bool adds = k > 0 || accumulate == Accumulate::kYes;
    pool.parallel_for(a.rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        const float a_scale = a.scales[m / a.block.rows * a.grid_cols() + k / kFp8Block];
        for (int64_t n = 0; n < b.rows; ++n) {
          const float term =
              partial[m * b.rows + n] * (a_scale * b.scales[n / b.block.rows * b.grid_cols() + k / kFp8Block]);
          c[m * ldc + n] = adds ? c[m * ldc + n] + term : term;
        }
      }
    });
  }
}

}  // namespace r1::kernels
