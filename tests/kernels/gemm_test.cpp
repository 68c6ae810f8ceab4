#include "kernels/gemm.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "kernels/bf16.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;
using namespace r1::kernels::testing;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kSentinel = 12345.0f;

// What a product of Element::kBF16 makes of values below the least normal number.
float flushed(float x) { return std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }

float bf16_of(float x) { return flushed(from_bf16(to_bf16(x))); }

// The matrices of one product, with rows a little longer than they need be.
struct Product {
  GemmArgs args;
  std::vector<float> a, b, c;

  Product(int64_t m, int64_t n, int64_t k, Transpose ta, Transpose tb, Accumulate accumulate,
          Element element = Element::kF32) {
    const bool is_a_transposed = ta == Transpose::kYes, is_b_transposed = tb == Transpose::kYes;
    const int64_t lda = (is_a_transposed ? m : k) + 3, ldb = (is_b_transposed ? k : n) + 1, ldc = n + 2;
    a = random_floats((is_a_transposed ? k : m) * lda, 1);
    b = random_floats((is_b_transposed ? n : k) * ldb, 2);
    c = random_floats(m * ldc, 3);
    for (int64_t row = 0; row < m; ++row) std::fill_n(c.begin() + row * ldc + n, ldc - n, kSentinel);
    args = {.transpose_a = ta, .transpose_b = tb, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc};
    args.accumulate = accumulate;
    args.element = element;
  }

  bool is_bf16() const { return args.element == Element::kBF16; }
  float operand(float x) const { return is_bf16() ? bf16_of(x) : x; }
  float a_at(int64_t i, int64_t k) const {
    return operand(args.transpose_a == Transpose::kYes ? a[k * args.lda + i] : a[i * args.lda + k]);
  }
  float b_at(int64_t k, int64_t j) const {
    return operand(args.transpose_b == Transpose::kYes ? b[j * args.ldb + k] : b[k * args.ldb + j]);
  }

  std::vector<float> expected() const {
    std::vector<float> result = c;
    for (int64_t i = 0; i < args.m; ++i) {
      for (int64_t j = 0; j < args.n; ++j) {
        float sum = args.accumulate == Accumulate::kYes ? c[i * args.ldc + j] : 0.0f;
        if (is_bf16()) sum = flushed(sum);
        for (int64_t k = 0; k < args.k; ++k) {
          sum = std::fma(a_at(i, k), b_at(k, j), sum);
          if (is_bf16()) sum = flushed(sum);
        }
        result[i * args.ldc + j] = sum;
      }
    }
    return result;
  }

  std::vector<float> run(ThreadPool& pool) const {
    std::vector<float> result = c;
    GemmArgs call = args;
    call.a = a.data();
    call.b = b.data();
    call.c = result.data();
    gemm(pool, call);
    return result;
  }
};

void check_all_forms(int64_t m, int64_t n, int64_t k) {
  for (const Transpose ta : {Transpose::kNo, Transpose::kYes}) {
    for (const Transpose tb : {Transpose::kNo, Transpose::kYes}) {
      for (const Accumulate accumulate : {Accumulate::kNo, Accumulate::kYes}) {
        for (const Element element : {Element::kF32, Element::kBF16}) {
          const Product product(m, n, k, ta, tb, accumulate, element);
          const std::vector<float> expected = product.expected();
          for_each_setting([&](ThreadPool& pool, const std::string& setting) {
            INFO(setting << ", m " << m << ", n " << n << ", k " << k << ", transposes " << int(ta) << int(tb)
                         << ", accumulate " << int(accumulate) << ", bf16 " << product.is_bf16());
            REQUIRE(first_difference(product.run(pool), expected) == -1);
          });
        }
      }
    }
  }
}

std::vector<float> multiply(ThreadPool& pool, const PackedMatrix& w, const std::vector<float>& x, int64_t m,
                            const std::vector<float>& bias = {}) {
  std::vector<float> y(m * w.rows(), kSentinel);
  w.multiply(pool, x.data(), m, w.cols(), bias.empty() ? nullptr : bias.data(), y.data(), w.rows());
  return y;
}

std::vector<float> gemm_xwt(ThreadPool& pool, const std::vector<float>& x, const std::vector<float>& w, int64_t m,
                            int64_t n, int64_t k, Element element = Element::kF32) {
  std::vector<float> y(m * n);
  gemm(pool, {.transpose_b = Transpose::kYes,
              .m = m,
              .n = n,
              .k = k,
              .a = x.data(),
              .lda = k,
              .b = w.data(),
              .ldb = k,
              .c = y.data(),
              .ldc = n,
              .element = element});
  return y;
}

}  // namespace

TEST_CASE("each gemm output is one FMA chain over k, for every size near the tiles, transposition and thread count") {
  constexpr int64_t kDepths[] = {1, 3, 5, 7, 9, 15, 17, 23, 31, 33};
  for (int64_t size = 1; size <= 40; ++size) {
    check_all_forms(size, size * 7 % 40 + 1, kDepths[size % 10]);
  }
}

TEST_CASE("each gemm output is one FMA chain across the blocks of rows, columns and k") {
  struct Case {
    const char* why;
    int64_t m, n, k;
  };
  const Case cases[] = {
      {"several blocks of k in one task", 13, 20, 701}, {"several pieces of k, C carried between them", 7, 18, 4099},
      {"several blocks of rows", 207, 17, 9},           {"several pieces of columns", 3, 1100, 2049},
      {"one row and many panels", 1, 333, 65},
  };
  for (const Case& c : cases) {
    INFO(c.why);
    check_all_forms(c.m, c.n, c.k);
  }
}

TEST_CASE("gemm with an empty dimension writes what the sum over nothing is") {
  ThreadPool pool(2);
  for (const auto& [m, n, k] : {std::tuple{0, 5, 5}, {5, 0, 5}, {0, 0, 0}, {5, 5, 0}}) {
    for (const Accumulate accumulate : {Accumulate::kNo, Accumulate::kYes}) {
      const Product product(m, n, k, Transpose::kNo, Transpose::kNo, accumulate);
      CHECK(first_difference(product.run(pool), product.expected()) == -1);
    }
  }
}

TEST_CASE("gemm refuses strides shorter than its rows") {
  ThreadPool pool(1);
  std::vector<float> data(100);
  const GemmArgs good{
      .m = 2, .n = 3, .k = 4, .a = data.data(), .lda = 4, .b = data.data(), .ldb = 3, .c = data.data(), .ldc = 3};
  GemmArgs short_a = good, short_b = good, short_c = good, negative = good;
  short_a.lda = 3;
  short_b.ldb = 2;
  short_c.ldc = 2;
  negative.m = -1;
  for (const GemmArgs& bad : {short_a, short_b, short_c, negative}) CHECK_THROWS_AS(gemm(pool, bad), Error);
  short_b.transpose_b = Transpose::kYes;  // B is stored [n, k]: 4 floats a row
  short_b.ldb = 3;
  CHECK_THROWS_AS(gemm(pool, short_b), Error);
}

TEST_CASE("a packed product equals gemm bit for bit for any number of rows") {
  constexpr int64_t kShapes[][2] = {{1, 1}, {15, 7}, {16, 33}, {17, 64}, {40, 321}, {70, 96}, {160, 645}};
  for (const auto& [n, k] : kShapes) {
    const std::vector<float> w = random_floats(n * k, 4), x = random_floats(130 * k, 5), bias = random_floats(n, 6);
    ThreadPool reference_pool(1);
    const std::vector<float> expected = gemm_xwt(reference_pool, x, w, 130, n, k);
    std::vector<float> biased = expected;
    for (size_t i = 0; i < biased.size(); ++i) biased[i] += bias[i % n];
    for_each_setting([&](ThreadPool& pool, const std::string& setting) {
      const PackedMatrix packed(pool, w.data(), n, k, Element::kF32);
      for (const int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 24, 31, 64, 97, 130}) {
        INFO(setting << ", m " << m << ", n " << n << ", k " << k);
        const size_t size = m * n;
        REQUIRE(first_difference(multiply(pool, packed, x, m), std::span(expected).first(size)) == -1);
        REQUIRE(first_difference(multiply(pool, packed, x, m, bias), std::span(biased).first(size)) == -1);
      }
    });
  }
}

TEST_CASE("a bf16 product equals the float32 one on rounded operands, packed or not") {
  const int64_t n = 75, k = 345, m = 100;
  const std::vector<float> w = random_floats(n * k, 7), x = random_floats(m * k, 8);
  const auto rounded = [](std::vector<float> values) {
    for (float& v : values) v = bf16_of(v);
    return values;
  };
  REQUIRE(first_difference(w, rounded(w)) != -1);
  ThreadPool reference_pool(1);
  const std::vector<float> expected = gemm_xwt(reference_pool, rounded(x), rounded(w), m, n, k);
  for_each_setting([&](ThreadPool& pool, const std::string& setting) {
    const PackedMatrix packed(pool, w.data(), n, k, Element::kBF16);
    CHECK(packed.bytes() == 80 * (k + 1) * 2);
    CHECK(first_difference(gemm_xwt(pool, x, w, m, n, k, Element::kBF16), expected) == -1);
    for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7, 13, 100}) {
      INFO(setting << ", m " << rows);
      REQUIRE(first_difference(multiply(pool, packed, x, rows), std::span(expected).first(rows * n)) == -1);
    }
  });
}

TEST_CASE("bf16 products count values below the least normal number as 0, on every instruction set") {
  constexpr float kLeast = std::numeric_limits<float>::min();
  struct Case {
    const char* why;
    float x[3], w[3], result;
  };
  const Case cases[] = {
      {"an operand below it", {kLeast / 2, 1, 0}, {1, 0x1p-100f, 0}, 0x1p-100f},
      {"a product below it", {0x1p-80f, 0, 0}, {0x1p-60f, 0, 0}, 0},
      {"a sum that passes below it", {kLeast, kLeast, kLeast}, {1.5f, -1, 1}, kLeast},
      {"rounded up to it", {std::nextafter(kLeast, 0.0f), 0, 0}, {1, 0, 0}, kLeast},
      {"negative", {-kLeast / 4, 0, 0}, {1, 0, 0}, 0},
  };
  for (const Case& c : cases) {
    const std::vector<float> x(c.x, c.x + 3), w(c.w, c.w + 3);
    for_each_setting([&](ThreadPool& pool, const std::string& setting) {
      INFO(c.why << ", " << setting);
      CHECK(gemm_xwt(pool, x, w, 1, 1, 3, Element::kBF16)[0] == c.result);
    });
  }
}

TEST_CASE("bf16 rounds to nearest even and keeps infinities and NaN") {
  struct Case {
    const char* why;
    uint32_t in;
    uint16_t out;
  };
  const Case cases[] = {
      {"exact", 0x3F800000, 0x3F80},
      {"below half", 0x3F807FFF, 0x3F80},
      {"half, to even below", 0x3F808000, 0x3F80},
      {"half, to even above", 0x3F818000, 0x3F82},
      {"above half", 0x3F808001, 0x3F81},
      {"largest overflows", 0x7F7FFFFF, 0x7F80},
      {"infinity", 0xFF800000, 0xFF80},
      {"a NaN with low bits alone", 0x7F800001, 0x7FC0},
  };
  for (const Case& c : cases) {
    INFO(c.why);
    CHECK(to_bf16(std::bit_cast<float>(c.in)) == c.out);
  }
}

TEST_CASE("repack replaces the weights and keeps the shape") {
  ThreadPool pool(2);
  const std::vector<float> first = random_floats(33 * 20, 9), second = random_floats(33 * 20, 10);
  const std::vector<float> x = random_floats(5 * 20, 11);
  PackedMatrix packed(pool, first.data(), 33, 20, Element::kF32);
  packed.repack(pool, second.data());
  CHECK(packed.rows() == 33);
  CHECK(packed.cols() == 20);
  CHECK(first_difference(multiply(pool, packed, x, 5), gemm_xwt(pool, x, second, 5, 33, 20)) == -1);
}

TEST_CASE("a NaN or infinity reaches its own row and column of a product and no other") {
  const int64_t m = 9, n = 21, k = 40;
  std::vector<float> x = random_floats(m * k, 12), w = random_floats(n * k, 13);
  ThreadPool reference_pool(1);
  const std::vector<float> clean = gemm_xwt(reference_pool, x, w, m, n, k);
  x[4 * k + 7] = kNaN;
  w[20 * k + 3] = std::numeric_limits<float>::infinity();
  for_each_setting([&](ThreadPool& pool, const std::string& setting) {
    const PackedMatrix packed(pool, w.data(), n, k, Element::kF32);
    for (const std::vector<float>& y : {gemm_xwt(pool, x, w, m, n, k), multiply(pool, packed, x, m)}) {
      for (int64_t i = 0; i < m * n; ++i) {
        INFO(setting << ", row " << i / n << ", column " << i % n);
        if (i / n == 4) {
          REQUIRE(std::isnan(y[i]));
        } else if (i % n == 20) {
          REQUIRE(std::isinf(y[i]));
        } else {
          REQUIRE(same_bits(y[i], clean[i]));
        }
      }
    }
  });
}

TEST_CASE("a packed matrix refuses a shape that cannot be and strides shorter than its rows") {
  ThreadPool pool(1);
  const std::vector<float> w(12), x(8);
  std::vector<float> y(6);
  CHECK_THROWS_AS(PackedMatrix(pool, w.data(), -1, 4, Element::kF32), Error);
  CHECK_THROWS_AS(PackedMatrix(pool, w.data(), int64_t{1} << 40, int64_t{1} << 40, Element::kF32), Error);
  const PackedMatrix packed(pool, w.data(), 3, 4, Element::kF32);
  CHECK_THROWS_AS(packed.multiply(pool, x.data(), 2, 3, nullptr, y.data(), 3), Error);
  CHECK_THROWS_AS(packed.multiply(pool, x.data(), 2, 4, nullptr, y.data(), 2), Error);
}
