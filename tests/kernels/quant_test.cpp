// QuantMatrix against a scalar reference that follows kernels/quant.h's arithmetic straight from the GGUF blocks, and
// against vectors made with gguf-py (fixtures/gguf).

#include "kernels/quant.h"

#include <cstring>
#include <fstream>
#include <limits>
#include <thread>

#include "core/error.h"
#include "kernels/quant_panels.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

namespace r1::kernels {
namespace {

using testing::first_difference;
using testing::for_each_setting;
using testing::random_floats;
using testing::same_bits;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr QuantType kTypes[] = {QuantType::kQ4_0, QuantType::kQ4_1, QuantType::kQ8_0};

const char* name_of(QuantType type) {
  return type == QuantType::kQ4_0 ? "Q4_0" : type == QuantType::kQ4_1 ? "Q4_1" : "Q8_0";
}

// The value of a half, by its definition.
float half_value(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction ? kNan : sign * kInf;
  return sign * std::ldexp(static_cast<float>(exponent ? fraction + 1024 : fraction), std::max(exponent, 1) - 25);
}

// GGUF blocks, N rows of K / 32.
struct Weight {
  QuantType type;
  int64_t n, k;
  std::vector<uint8_t> bytes;

  static int64_t block_bytes(QuantType type) {
    return type == QuantType::kQ4_0 ? 18 : type == QuantType::kQ4_1 ? 20 : 34;
  }
  const uint8_t* block(int64_t row, int64_t b) const { return bytes.data() + (row * (k / 32) + b) * block_bytes(type); }
  float scale(const uint8_t* block, int index) const {
    return half_value(static_cast<uint16_t>(block[2 * index] | block[2 * index + 1] << 8));
  }
  int integer(const uint8_t* block, int j) const {
    if (type == QuantType::kQ8_0) return static_cast<int8_t>(block[2 + j]);
    const int byte = block[(type == QuantType::kQ4_0 ? 2 : 4) + j % 16], nibble = j < 16 ? byte & 15 : byte >> 4;
    return type == QuantType::kQ4_0 ? nibble - 8 : nibble;
  }
  float value(int64_t row, int64_t col) const {
    const uint8_t* at = block(row, col / 32);
    const float product = scale(at, 0) * static_cast<float>(integer(at, static_cast<int>(col % 32)));
    return type == QuantType::kQ4_1 ? product + scale(at, 1) : product;
  }
};

// Any integers, and scales of both signs from subnormal halves to about 2.
Weight random_weight(QuantType type, int64_t n, int64_t k, uint64_t seed) {
  Weight weight{type, n, k, std::vector<uint8_t>(static_cast<size_t>(n * (k / 32) * Weight::block_bytes(type)))};
  RandomStream stream(seed, 1);
  for (uint8_t& byte : weight.bytes) byte = static_cast<uint8_t>(256 * stream.uniform());
  for (int64_t at = 0; at < std::ssize(weight.bytes); at += Weight::block_bytes(type)) {
    for (const int high : {1, 3}) {
      if (high == 1 || type == QuantType::kQ4_1) weight.bytes[static_cast<size_t>(at + high)] &= 0xbf;
    }
  }
  return weight;
}

QuantMatrix make(ThreadPool& pool, const Weight& w) { return QuantMatrix(pool, w.type, w.bytes.data(), w.n, w.k); }

struct QuantisedBlock {
  int q[32] = {};
  float d = 0, t = 0;
};

QuantisedBlock quantise(const float* x) {
  QuantisedBlock block;
  float amax = 0;
  for (int j = 0; j < 32; ++j) {
    if (!std::isfinite(x[j])) return {.d = kNan, .t = kNan};
    amax = std::max(amax, std::abs(x[j]));
  }
  if (amax < std::ldexp(1.0f, -100)) return block;
  const float inverse = 127.0f / amax;
  int sum = 0;
  for (int j = 0; j < 32; ++j) sum += block.q[j] = static_cast<int>(std::nearbyint(x[j] * inverse));
  block.d = amax / 127.0f;
  block.t = block.d * static_cast<float>(sum);
  return block;
}

float reference(const Weight& w, const float* x, int64_t row, const float* bias) {
  float acc = 0;
  for (int64_t b = 0; b < w.k / 32; ++b) {
    const QuantisedBlock a = quantise(x + b * 32);
    const uint8_t* block = w.block(row, b);
    int dot = 0;
    for (int j = 0; j < 32; ++j) dot += w.integer(block, j) * a.q[j];
    acc = std::fma(static_cast<float>(dot), w.scale(block, 0) * a.d, acc);
    if (w.type == QuantType::kQ4_1) acc = std::fma(w.scale(block, 1), a.t, acc);
  }
  return bias == nullptr ? acc : acc + bias[row];
}

std::vector<float> reference(const Weight& w, const std::vector<float>& x, int64_t m, const float* bias) {
  std::vector<float> y;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t row = 0; row < w.n; ++row) y.push_back(reference(w, x.data() + r * w.k, row, bias));
  }
  return y;
}

std::vector<float> product(ThreadPool& pool, const QuantMatrix& matrix, const std::vector<float>& x, int64_t m,
                           const float* bias = nullptr) {
  std::vector<float> y(static_cast<size_t>(m * matrix.rows()), 7.0f);
  matrix.multiply(pool, x.data(), m, matrix.cols(), bias, y.data(), matrix.rows());
  return y;
}

struct ShapeCase {
  int64_t m, n, k;
  const char* why;
};

TEST_CASE("a quantised product follows the stated arithmetic bit for bit") {
  const ShapeCase cases[] = {
      {1, 1, 32, "the least"},
      {1, 160, 96, "ten panels in streams of 3, 3, 3 and 1"},
      {2, 17, 64, "two rows; one output in the last panel"},
      {3, 15, 64, "three rows; no full panel"},
      {4, 64, 800, "a full tile of rows, four panels"},
      {5, 100, 32, "a tile and a row"},
      {16, 48, 64, "the most rows that are streamed; fewer panels than streams"},
      {17, 33, 96, "the fewest rows that use unpacked weights"},
      {70, 24, 800, "more rows than a chunk, more blocks than a strip"},
      {259, 18, 32, "more rows than a slab"},
  };
  for (const QuantType type : kTypes) {
    for (const auto& c : cases) {
      const Weight weight = random_weight(type, c.n, c.k, 11);
      const auto x = random_floats(c.m * c.k, 12), bias = random_floats(c.n, 13);
      const auto expected = reference(weight, x, c.m, nullptr), with_bias = reference(weight, x, c.m, bias.data());
      for_each_setting([&](ThreadPool& pool, const std::string& setting) {
        INFO(name_of(type) << ": " << c.why << "; " << setting);
        const QuantMatrix matrix = make(pool, weight);
        CHECK(first_difference(product(pool, matrix, x, c.m), expected) == -1);
        CHECK(first_difference(product(pool, matrix, x, c.m, bias.data()), with_bias) == -1);
      });
    }
  }
}

TEST_CASE("a row's product does not depend on the rows beside it") {
  constexpr int64_t kRows = 67;
  for (const QuantType type : kTypes) {
    const Weight weight = random_weight(type, 83, 864, 21);
    const auto x = random_floats(kRows * weight.k, 22);
    for_each_setting([&](ThreadPool& pool, const std::string& setting) {
      INFO(name_of(type) << ", " << setting);
      const QuantMatrix matrix = make(pool, weight);
      const auto together = product(pool, matrix, x, kRows);
      std::vector<float> apart(together.size());
      for (int64_t r = 0, count = 1; r < kRows; r += count, count = count % 5 + 1) {
        count = std::min(count, kRows - r);
        matrix.multiply(pool, x.data() + r * weight.k, count, weight.k, nullptr, apart.data() + r * weight.n, weight.n);
      }
      CHECK(first_difference(apart, together) == -1);
    });
  }
}

TEST_CASE("a quantised product keeps to the strides it is given") {
  constexpr int64_t kRows = 6, kLdx = 70, kLdy = 40;
  const Weight weight = random_weight(QuantType::kQ4_1, 37, 64, 31);
  const auto x = random_floats(kRows * kLdx, 32);
  for_each_setting([&](ThreadPool& pool, const std::string& setting) {
    INFO(setting);
    std::vector<float> y(kRows * kLdy, 7.0f);
    make(pool, weight).multiply(pool, x.data(), kRows, kLdx, nullptr, y.data(), kLdy);
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t i = 0; i < kLdy; ++i) {
        const float expected = i < weight.n ? reference(weight, x.data() + r * kLdx, i, nullptr) : 7.0f;
        REQUIRE(same_bits(y[static_cast<size_t>(r * kLdy + i)], expected));
      }
    }
  });
}

TEST_CASE("a quantised product differs from the float product by the rounding of activations only") {
  constexpr int64_t kRows = 5;
  for (const QuantType type : kTypes) {
    const Weight weight = random_weight(type, 40, 576, 41);
    const auto x = random_floats(kRows * weight.k, 42);
    ThreadPool pool(2);
    const auto y = product(pool, make(pool, weight), x, kRows);
    for (int64_t i = 0; i < kRows * weight.n; ++i) {
      double exact = 0, allowed = 0;
      for (int64_t j = 0; j < weight.k; ++j) {
        const float* row = x.data() + i / weight.n * weight.k;
        const double w = weight.value(i % weight.n, j);
        exact += w * row[j];
        // Half a step per activation; the rest is for float32 sums.
        allowed += std::abs(w) * 0.5 * quantise(row + j / 32 * 32).d + 1e-5 * std::abs(w * row[j]);
      }
      INFO(name_of(type) << ", output " << i << ", exact " << exact);
      CHECK(std::abs(y[static_cast<size_t>(i)] - exact) <= allowed);
    }
  }
}

TEST_CASE("the largest integers do not overflow") {
  struct Case {
    QuantType type;
    uint8_t byte;
    const char* why;
  };
  const Case cases[] = {{QuantType::kQ4_0, 0x00, "all -8"},
                        {QuantType::kQ4_0, 0xff, "all 7"},
                        {QuantType::kQ4_1, 0xff, "all 15"},
                        {QuantType::kQ8_0, 0x80, "all -128, which no writer makes but a file may hold"},
                        {QuantType::kQ8_0, 0x7f, "all 127"}};
  for (const auto& c : cases) {
    Weight weight = random_weight(c.type, 20, 64, 51);
    const int64_t scales = c.type == QuantType::kQ4_1 ? 4 : 2;
    for (int64_t i = 0; i < std::ssize(weight.bytes); ++i) {
      if (i % Weight::block_bytes(c.type) >= scales) weight.bytes[static_cast<size_t>(i)] = c.byte;
    }
    for (const float value : {1.5f, -1.5f}) {
      for (const int64_t m : {1, 4, 20}) {
        const std::vector<float> x(static_cast<size_t>(m * weight.k), value);
        for_each_setting([&](ThreadPool& pool, const std::string& setting) {
          INFO(c.why << ", activations " << value << ", " << m << " rows, " << setting);
          CHECK(first_difference(product(pool, make(pool, weight), x, m), reference(weight, x, m, nullptr)) == -1);
        });
      }
    }
  }
}

TEST_CASE("extreme activations stay within their row") {
  struct Case {
    const char* why;
    float fill, one;  // the row's values, and the one at column 40
    bool is_nan;      // what every output of the row must be
  };
  const Case cases[] = {{"all zeros", 0.0f, 0.0f, false},
                        {"too small to scale", 1e-38f, -1e-40f, false},
                        {"the smallest that is scaled", 0x1p-100f, 0x1p-101f, false},
                        {"large", 1e33f, 3e34f, false},
                        {"an infinity", 0.5f, kInf, true},
                        {"a negative infinity", 0.5f, -kInf, true},
                        {"a NaN", 0.5f, kNan, true},
                        {"a NaN among zeros", 0.0f, kNan, true}};
  for (const QuantType type : kTypes) {
    const Weight weight = random_weight(type, 35, 96, 61);
    for (const auto& c : cases) {
      for (const int64_t m : {1, 3, 21}) {
        auto x = random_floats(m * weight.k, 62);
        const int64_t row = m / 2;
        std::fill_n(x.begin() + row * weight.k, weight.k, c.fill);
        x[static_cast<size_t>(row * weight.k + 40)] = c.one;
        const auto expected = reference(weight, x, m, nullptr);
        for (int64_t i = 0; i < weight.n; ++i) {
          REQUIRE(std::isnan(expected[static_cast<size_t>(row * weight.n + i)]) == c.is_nan);
        }
        for_each_setting([&](ThreadPool& pool, const std::string& setting) {
          INFO(name_of(type) << ": " << c.why << ", " << m << " rows, " << setting);
          CHECK(first_difference(product(pool, make(pool, weight), x, m), expected) == -1);
        });
      }
    }
  }
}

TEST_CASE("activations of zero give the bias, or zero") {
  for (const QuantType type : kTypes) {
    const Weight weight = random_weight(type, 20, 64, 71);
    const auto bias = random_floats(weight.n, 72);
    const std::vector<float> x(64, 0.0f);
    ThreadPool pool(1);
    const QuantMatrix matrix = make(pool, weight);
    CHECK(product(pool, matrix, x, 1) == std::vector<float>(20, 0.0f));
    CHECK(product(pool, matrix, x, 1, bias.data()) == bias);
  }
}

TEST_CASE("threads may share a matrix and a pool") {
  const Weight weight = random_weight(QuantType::kQ4_1, 200, 256, 81);
  const auto x = random_floats(3 * weight.k, 82);
  ThreadPool pool(2);
  const QuantMatrix matrix = make(pool, weight);
  const auto expected = product(pool, matrix, x, 3);
  std::vector<float> results[4];
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) result = product(pool, matrix, x, 3);
      });
    }
  }
  for (const auto& result : results) CHECK(first_difference(result, expected) == -1);
}

// One tensor of the fixture, a safetensors file: length of a JSON header, the header, data.
template <typename T>
std::vector<T> fixture(const std::string& name) {
  std::ifstream file(R1_FIXTURES "/gguf/quant_vectors.safetensors", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  uint64_t header_bytes = 0;
  REQUIRE(all.size() > sizeof(header_bytes));
  std::memcpy(&header_bytes, all.data(), sizeof(header_bytes));
  const size_t entry = all.find("\"" + name + "\""), offsets = all.find("data_offsets", entry);
  REQUIRE(entry != std::string::npos);
  size_t begin = 0, end = 0;
  REQUIRE(std::sscanf(all.c_str() + offsets, "data_offsets\": [%zu, %zu]", &begin, &end) == 2);
  std::vector<T> values((end - begin) / sizeof(T));
  std::memcpy(values.data(), all.data() + sizeof(header_bytes) + header_bytes + begin, end - begin);
  return values;
}

TEST_CASE("weights are quantised and dequantised as gguf-py does", "[golden]") {
  constexpr int64_t kRows = 8, kCols = 64;
  for (const QuantType type : kTypes) {
    const std::string name = name_of(type);
    INFO(name);
    const auto source = fixture<float>(name + ".src"), expected = fixture<float>(name + ".dequant");
    const auto bytes = fixture<uint8_t>(name + ".bytes");
    REQUIRE(std::ssize(source) == kRows * kCols);
    std::vector<uint8_t> quantised(bytes.size());
    for (int64_t b = 0; b < kRows * kCols / 32; ++b) {
      quant::quantize_gguf_block(type, source.data() + 32 * b,
                                 reinterpret_cast<std::byte*>(quantised.data()) + b * Weight::block_bytes(type));
    }
    CHECK(quantised == bytes);

    ThreadPool pool(2);
    const QuantMatrix from_floats = QuantMatrix::quantize(pool, type, source.data(), kRows, kCols);
    const QuantMatrix from_blocks(pool, type, bytes.data(), kRows, kCols);
    for (const QuantMatrix* matrix : {&from_floats, &from_blocks}) {
      std::vector<float> values(kRows * kCols);
      for (int64_t row = 0; row < kRows; ++row) matrix->dequantize_row(row, values.data() + row * kCols);
      CHECK(first_difference(values, expected) == -1);
    }
  }
}

TEST_CASE("every row can be looked up") {
  for (const QuantType type : kTypes) {
    const Weight weight = random_weight(type, 37, 96, 91);
    ThreadPool pool(1);
    const QuantMatrix matrix = make(pool, weight);
    CHECK(matrix.rows() == 37);
    CHECK(matrix.cols() == 96);
    CHECK(matrix.bytes() == static_cast<size_t>(48 * 3 * Weight::block_bytes(type)));
    for (int64_t row = 0; row < weight.n; ++row) {
      std::vector<float> values(96), expected(96);
      matrix.dequantize_row(row, values.data());
      for (int64_t j = 0; j < weight.k; ++j) expected[static_cast<size_t>(j)] = weight.value(row, j);
      INFO(name_of(type) << ", row " << row);
      REQUIRE(first_difference(values, expected) == -1);
    }
  }
}

TEST_CASE("weights that cannot be quantised are refused") {
  ThreadPool pool(2);
  std::vector<float> weights(64, 1.0f);
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{0, 32}, {-1, 32}, {2, 0}, {2, 33}, {2, -32}}) {
    INFO(n << " by " << k);
    CHECK_THROWS_AS(QuantMatrix::quantize(pool, QuantType::kQ8_0, weights.data(), n, k), Error);
    CHECK_THROWS_AS(QuantMatrix(pool, QuantType::kQ8_0, weights.data(), n, k), Error);
  }
  for (const float bad : {kNan, kInf, -kInf}) {
    weights[40] = bad;
    CHECK_THROWS_WITH(QuantMatrix::quantize(pool, QuantType::kQ4_1, weights.data(), 2, 32),
                      Catch::Contains("row 1") && Catch::Contains("not finite"));
  }
}

TEST_CASE("blocks that hold one value quantise to it") {
  for (const QuantType type : kTypes) {
    for (const float value : {0.0f, 1.0f, -0.5f, 1e-30f, 1e-42f}) {
      const std::vector<float> weights(32, value);
      ThreadPool pool(1);
      std::vector<float> out(32);
      QuantMatrix::quantize(pool, type, weights.data(), 1, 32).dequantize_row(0, out.data());
      INFO(name_of(type) << " of " << value);
      for (const float got : out) CHECK(got == Approx(value).margin(1e-7).epsilon(1e-3));
    }
  }
}

TEST_CASE("halves widen exactly and floats round to the nearest half") {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<uint16_t>(h);
    const float value = quant::widen_half(half);
    if (!same_bits(value, half_value(half))) FAIL("half " << h << " widens to " << value);
    if (!std::isnan(value) && quant::round_to_half(value) != half) FAIL("half " << h << " does not come back");
  }
  for (uint16_t low = 0; low < 0x7bff; ++low) {  // between neighbours: halfway goes to the even one
    const float middle = (half_value(low) + half_value(low + 1)) / 2;
    const uint16_t even = low % 2 == 0 ? low : low + 1;
    if (quant::round_to_half(middle) != even || quant::round_to_half(-middle) != (even | 0x8000) ||
        quant::round_to_half(std::nextafter(middle, 0.0f)) != low ||
        quant::round_to_half(std::nextafter(middle, kInf)) != low + 1) {
      FAIL("around " << middle);
    }
  }
  CHECK(quant::round_to_half(65519.0f) == 0x7bff);
  CHECK(quant::round_to_half(65520.0f) == 0x7c00);
  CHECK(quant::round_to_half(-3e38f) == 0xfc00);
  CHECK(std::isnan(quant::widen_half(quant::round_to_half(kNan))));
}

}  // namespace
}  // namespace r1::kernels
