#include "formats/tensor_view.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <typename T>
TensorView view_of(const std::vector<T>& values, DType dtype) {
  return {"t", dtype, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

}  // namespace

TEST_CASE("Every half that is no NaN comes back from float32 as it was") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      const bool is_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0;
      wrong += !is_nan || !std::isnan(f16_to_f32(f32_to_f16(value)));
    } else {
      wrong += f32_to_f16(value) != bits;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("float32 rounds to the nearest half, ties to even") {
  const struct {
    float value;
    uint16_t bits;
    const char* why;
  } cases[] = {
      {1.0f, 0x3c00, "one"},
      {-2.0f, 0xc000, "sign"},
      {65504.0f, 0x7bff, "the largest"},
      {65519.0f, 0x7bff, "rounds down to the largest"},
      {65520.0f, 0x7c00, "a tie with 65536, which is infinity"},
      {1e30f, 0x7c00, "far too large"},
      {-kInfinity, 0xfc00, "infinity"},
      {1.0f + 0x1p-11f, 0x3c00, "a tie goes to the even neighbour below"},
      {1.0f + 3 * 0x1p-11f, 0x3c02, "a tie goes to the even neighbour above"},
      {1.0f + 0x1.1p-11f, 0x3c01, "just above a tie"},
      {0x1p-14f, 0x0400, "the smallest normal"},
      {0x1p-24f, 0x0001, "the smallest subnormal"},
      {0x1p-25f, 0x0000, "a tie with zero"},
      {0x1.8p-25f, 0x0001, "above the tie with zero"},
      {-0.0f, 0x8000, "minus zero"},
      {1e-30f, 0x0000, "far too small"},
      {0x1.ff8p-15f, 0x03ff, "the largest subnormal"},
      {0x1.ffcp-15f, 0x0400, "a subnormal that rounds up to a normal"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK(f32_to_f16(c.value) == c.bits);
  }
  CHECK(std::isnan(f16_to_f32(f32_to_f16(kNaN))));
}

TEST_CASE("float32 rounds to the nearest bfloat16, ties to even, and NaN stays NaN") {
  const struct {
    uint32_t bits;
    uint16_t rounded;
    const char* why;
  } cases[] = {
      {0x3f800000, 0x3f80, "one"},
      {0x3f808000, 0x3f80, "a tie goes to the even neighbour below"},
      {0x3f818000, 0x3f82, "a tie goes to the even neighbour above"},
      {0x3f808001, 0x3f81, "just above a tie"},
      {0x3f807fff, 0x3f80, "just below a tie"},
      {0x7f7fffff, 0x7f80, "the largest float rounds to infinity"},
      {0xff800000, 0xff80, "minus infinity"},
      {0x7f800001, 0x7fc0, "a NaN whose high bits alone would be infinity"},
      {0xffffffff, 0xffff, "a NaN whose rounding would wrap to zero"},
      {0x80000000, 0x8000, "minus zero"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK(f32_to_bf16(std::bit_cast<float>(c.bits)) == c.rounded);
    const float value = std::bit_cast<float>(c.bits);
    uint16_t stored = 0;
    from_float32({&value, 1}, DType::kBF16, std::as_writable_bytes(std::span(&stored, 1)));
    CHECK(stored == c.rounded);
  }
  CHECK(bf16_to_f32(0x4049) == 3.140625f);
}

TEST_CASE("Every stored number type is read as float32") {
  const std::vector<float> wanted = {0, 1, 7, 100};
  const auto check = [&]<typename T>(T, DType dtype) {
    INFO(to_string(dtype));
    const std::vector<T> stored = {T(0), T(1), T(7), T(100)};
    CHECK(to_float32(view_of(stored, dtype)) == wanted);
  };
  check(float{}, DType::kF32);
  check(double{}, DType::kF64);
  check(uint8_t{}, DType::kU8);
  check(int8_t{}, DType::kI8);
  check(int16_t{}, DType::kI16);
  check(uint16_t{}, DType::kU16);
  check(int32_t{}, DType::kI32);
  check(uint32_t{}, DType::kU32);
  check(int64_t{}, DType::kI64);
  check(uint64_t{}, DType::kU64);
  CHECK(to_float32(view_of(std::vector<uint8_t>{0, 1}, DType::kBool)) == std::vector<float>{0, 1});
}

TEST_CASE("The 8-bit floats of the OCP are read as their bits say") {
  // E4M3: bias 7, 448 the largest, 0x7f NaN. E5M2: a half's top byte.
  const std::vector<uint8_t> e4m3 = {0x00, 0x01, 0x08, 0x38, 0x3c, 0x7e, 0xb8, 0x80};
  CHECK(to_float32(view_of(e4m3, DType::kF8E4M3)) == std::vector<float>{0, 0x1p-9f, 0x1p-6f, 1, 1.5f, 448, -1, -0.0f});
  const std::vector<uint8_t> e5m2 = {0x00, 0x01, 0x3c, 0x3e, 0x7b, 0xbc, 0x7c};
  CHECK(to_float32(view_of(e5m2, DType::kF8E5M2)) == std::vector<float>{0, 0x1p-16f, 1, 1.5f, 57344, -1, kInfinity});
  CHECK(std::isnan(to_float32(view_of(std::vector<uint8_t>{0x7f}, DType::kF8E4M3))[0]));
  CHECK(std::isnan(to_float32(view_of(std::vector<uint8_t>{0xff}, DType::kF8E4M3))[0]));
}

TEST_CASE("Halves in bulk equal halves one by one, at any length and place in memory") {
  std::vector<std::byte> bytes(2 * 0x10000 + 1);
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    std::memcpy(bytes.data() + 1 + 2 * i, &bits, 2);  // odd addresses: safetensors promises no alignment
  }
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const TensorView t{"t", dtype, {0x10000 - 3}, std::span(bytes).subspan(1, 2 * (0x10000 - 3))};
    const std::vector<float> bulk = to_float32(t);
    int different = 0;
    for (uint32_t i = 0; i < bulk.size(); ++i) {
      const float one =
          dtype == DType::kF16 ? f16_to_f32(static_cast<uint16_t>(i)) : bf16_to_f32(static_cast<uint16_t>(i));
      different += std::bit_cast<uint32_t>(one) != std::bit_cast<uint32_t>(bulk[i]);
    }
    INFO(to_string(dtype));
    CHECK(different == 0);
  }
}

TEST_CASE("A slice holds its elements and its bytes, and is cut at whole blocks only") {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  const TensorView t = view_of(values, DType::kF32);
  CHECK(to_float32(slice(t, 2, 3)) == std::vector<float>{2, 3, 4});
  CHECK(to_float32(slice(t, 6, 0)).empty());
  CHECK_THROWS_WITH(slice(t, 2, 5), Catch::Contains("slice of tensor 't'") && Catch::Contains("of 6 F32"));
  CHECK_THROWS_WITH(slice(t, -1, 2), Catch::Contains("slice of tensor 't'"));
  const std::vector<std::byte> blocks(2 * 34);
  const TensorView q{"q", DType::kQ8_0, {64}, blocks};
  CHECK(slice(q, 32, 32).bytes.data() == blocks.data() + 34);
  CHECK_THROWS_WITH(slice(q, 16, 32), Catch::Contains("multiples of 32 elements"));
}

TEST_CASE("A conversion that cannot be done names the tensor") {
  std::vector<float> out(2);
  const std::vector<std::byte> bytes(292);
  CHECK_THROWS_WITH(to_float32(TensorView{"w", DType::kQ8_K, {256}, bytes}),
                    Catch::Contains("tensor 'w'") && Catch::Contains("Q8_K"));
  CHECK_THROWS_WITH(to_float32(TensorView{"w", DType::kC64, {1}, std::span(bytes).first(8)}), Catch::Contains("C64"));
  CHECK_THROWS_WITH(to_float32(TensorView{"w", DType::kF32, {3}, std::span(bytes).first(12)}, out),
                    Catch::Contains("for 2 floats"));
  CHECK_THROWS_WITH(to_float32(TensorView{"w", DType::kF32, {2}, std::span(bytes).first(7)}, out),
                    Catch::Contains("in 7 bytes"));
  CHECK_THROWS_WITH(to_float32(TensorView{"w", DType::kF32, {int64_t{1} << 40}, std::span(bytes).first(8)}),
                    Catch::Contains("tensor 'w'"));
  CHECK_THROWS_WITH(from_float32(out, DType::kI8, {}), Catch::Contains("2 floats to I8"));
}
