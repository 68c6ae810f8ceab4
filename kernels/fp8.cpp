#include "kernels/fp8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/gemm.h"

namespace r1::kernels {
namespace {

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

float scale_of(float amax, const Fp8Rounding& rounding) {
  const float scale = std::max(amax, rounding.least_amax) / kE4m3Largest;
  return rounding.scale == Fp8Scale::kFloat ? scale : std::exp2(std::ceil(std::log2(scale)));
}

// e4m3_to_f32(f32_to_e4m3(x)) without a branch, so that the compiler makes vectors of it.
inline float nearest_e4m3(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  const int32_t magnitude = bits & 0x7fffffff;
  const int32_t normal = (magnitude + 0x7ffff + (magnitude >> 20 & 1)) & 0x7ff00000;
  constexpr float kShift = 0x1.8p14f;  // one unit in its last place is a denormal's step, 2^-9
  const float denormal = (std::bit_cast<float>(magnitude) + kShift) - kShift;
  const int32_t rounded = magnitude < std::bit_cast<int32_t>(0x1p-6f) ? std::bit_cast<int32_t>(denormal) : normal;
  const int32_t kept = magnitude > std::bit_cast<int32_t>(464.0f) ? 0x7fc00000 : rounded;  // past 448: NaN
  return std::bit_cast<float>(kept | (bits & std::numeric_limits<int32_t>::min()));
}

// The bits of |x| order as the numbers do, and NaN lies above all.
[[gnu::optimize("O3")]] void take_larger(const float* x, int64_t count, int32_t* largest) {
  for (int64_t i = 0; i < count; ++i) largest[i] = std::max(largest[i], std::bit_cast<int32_t>(x[i]) & 0x7fffffff);
}
[[gnu::optimize("O3")]] float largest_of(const int32_t* magnitudes, int64_t count) {
  int32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, magnitudes[i]);
  return std::bit_cast<float>(largest);
}
[[gnu::optimize("O3")]] void round_row(const float* x, const float* scales, int64_t count, float* values) {
  for (int64_t i = 0; i < count; ++i) values[i] = nearest_e4m3(x[i] / scales[i]);
}
[[gnu::optimize("O3")]] void scale_row(const float* values, const float* scales, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = values[i] * scales[i];
}
[[gnu::optimize("O3")]] void set_terms(const float* sums, float scale, const float* scales, int64_t count, float* c) {
  for (int64_t i = 0; i < count; ++i) c[i] = sums[i] * (scale * scales[i]);
}
[[gnu::optimize("O3")]] void add_terms(const float* sums, float scale, const float* scales, int64_t count, float* c) {
  for (int64_t i = 0; i < count; ++i) c[i] += sums[i] * (scale * scales[i]);
}

// Scales of blocks, one for each element along the blocks' row.
void spread(const float* scales, int64_t width, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += width) std::fill(out + i, out + std::min(count, i + width), scales[i / width]);
}

// A factor's scales with its own rows and blocks of K as indices.
struct FactorScales {
  const Fp8Matrix& m;
  bool is_transposed;
  explicit FactorScales(const Fp8Factor& f) : m(f.matrix), is_transposed(f.is_transposed) {}
  int64_t rows() const { return is_transposed ? m.cols : m.rows; }
  int64_t depth() const { return is_transposed ? m.rows : m.cols; }
  int64_t depth_block() const { return is_transposed ? m.block.rows : m.block.cols; }
  int64_t row_block() const { return is_transposed ? m.block.cols : m.block.rows; }
  float at(int64_t row, int64_t block) const {
    row /= row_block();
    return is_transposed ? m.scales[block * m.grid_cols() + row] : m.scales[row * m.grid_cols() + block];
  }
  const float* values(int64_t k) const { return m.values.data() + (is_transposed ? k * m.cols : k); }
};

void check(const FactorScales& a, const FactorScales& b) {
  if (a.depth() == b.depth() && a.depth_block() == kFp8Block && b.depth_block() == kFp8Block) return;
  throw Error("fp8_gemm",
              fmt::format("K is {} in blocks of {} and {} in blocks of {}", a.depth(), a.depth_block(), b.depth(),
                          b.depth_block()),
              "quantise both along K in blocks of 128");
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

Fp8Matrix quantise_fp8(ThreadPool& pool, const FloatMatrix& x, const Fp8Rounding& rounding) {
  const auto block = rounding.block;
  const int64_t ld = x.ld == 0 ? x.cols : x.ld;
  Fp8Matrix q{.rows = x.rows, .cols = x.cols, .block = block};
  q.values.resize(static_cast<size_t>(x.rows * x.cols));
  const int64_t grid_rows = (x.rows + block.rows - 1) / block.rows, grid_cols = q.grid_cols();
  q.scales.resize(static_cast<size_t>(grid_rows * grid_cols));
  pool.parallel_for(grid_rows, std::max<int64_t>(1, 64 / block.rows), [&](int64_t begin, int64_t end) {
    std::vector<int32_t> largest(static_cast<size_t>(x.cols));
    std::vector<float> spread_scales(static_cast<size_t>(x.cols));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * block.rows, last = std::min(x.rows, first + block.rows);
      std::ranges::fill(largest, 0);
      for (int64_t r = first; r < last; ++r) take_larger(x.x + r * ld, x.cols, largest.data());
      float* const scales = q.scales.data() + i * grid_cols;
      for (int64_t g = 0; g < grid_cols; ++g) {
        const int64_t col = g * block.cols, width = std::min(block.cols, x.cols - col);
        scales[g] = scale_of(largest_of(largest.data() + col, width), rounding);
      }
      spread(scales, block.cols, x.cols, spread_scales.data());
      for (int64_t r = first; r < last; ++r) {
        round_row(x.x + r * ld, spread_scales.data(), x.cols, q.values.data() + r * x.cols);
      }
    }
  });
  return q;
}

std::vector<float> dequantise_fp8(ThreadPool& pool, const Fp8Matrix& m) {
  std::vector<float> out(m.values.size());
  pool.parallel_for(m.rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> scales(static_cast<size_t>(m.cols));
    for (int64_t r = begin; r < end; ++r) {
      if (r == begin || r % m.block.rows == 0) {
        spread(m.scales.data() + r / m.block.rows * m.grid_cols(), m.block.cols, m.cols, scales.data());
      }
      scale_row(m.values.data() + r * m.cols, scales.data(), m.cols, out.data() + r * m.cols);
    }
  });
  return out;
}

std::vector<uint8_t> e4m3_bytes(const Fp8Matrix& m) {
  std::vector<uint8_t> bytes(m.values.size());
  std::ranges::transform(m.values, bytes.begin(), f32_to_e4m3);
  return bytes;
}

void fp8_gemm(ThreadPool& pool, const Fp8Factor& a_factor, const Fp8Factor& b_factor, float* c, int64_t ldc,
              Accumulate accumulate) {
  const FactorScales a(a_factor), b(b_factor);
  check(a, b);
  const int64_t rows = a.rows(), n = b.rows(), depth = a.depth();
  std::vector<float> sums(static_cast<size_t>(rows * n)), b_scales(static_cast<size_t>(n));
  for (int64_t k = 0; k < depth; k += kFp8Block) {
    const int64_t block = k / kFp8Block;
    gemm(pool, {.transpose_a = a.is_transposed ? Transpose::kYes : Transpose::kNo,
                .transpose_b = b.is_transposed ? Transpose::kNo : Transpose::kYes,
                .m = rows,
                .n = n,
                .k = std::min(kFp8Block, depth - k),
                .a = a.values(k),
                .lda = a.m.cols,
                .b = b.values(k),
                .ldb = b.m.cols,
                .c = sums.data(),
                .ldc = n});
    for (int64_t i = 0; i < n; ++i) b_scales[static_cast<size_t>(i)] = b.at(i, block);
    const auto take = k > 0 || accumulate == Accumulate::kYes ? add_terms : set_terms;
    pool.parallel_for(rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) take(sums.data() + m * n, a.at(m, block), b_scales.data(), n, c + m * ldc);
    });
  }
}

}  // namespace r1::kernels
