// tests/fixtures/fp8: vectors made with torch by the formulas of DeepSeek-V3's inference/kernel.py (its README.json).

#include "kernels/fp8.h"

#include <bit>
#include <cmath>

#include "core/thread_pool.h"
#include "formats/safetensors.h"
#include "kernels/gemm.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;

namespace {

formats::SafetensorsFile fixture() {
  return formats::SafetensorsFile(std::string(R1_FIXTURES) + "/fp8/fp8.safetensors");
}

std::vector<uint8_t> bytes_of(const formats::TensorView& t) {
  const auto* data = reinterpret_cast<const uint8_t*>(t.bytes.data());
  return {data, data + t.bytes.size()};
}

}  // namespace

TEST_CASE("e4m3 is decoded and rounded as torch does, without saturating", "[golden]") {
  const auto file = fixture();
  const auto all = bytes_of(*file.find("e4m3_all_bytes"));
  const auto values = to_float32(*file.find("e4m3_all_values"));
  for (size_t i = 0; i < all.size(); ++i) {
    const float got = e4m3_to_f32(all[i]);
    INFO(int{all[i]});
    CHECK((got == values[i] || (std::isnan(got) && std::isnan(values[i]))));
    if (!std::isnan(got)) CHECK(f32_to_e4m3(got) == all[i]);
  }
  const auto source = to_float32(*file.find("cast_src"));
  const auto cast = bytes_of(*file.find("cast_e4m3_bytes"));
  REQUIRE(source.size() == cast.size());
  for (size_t i = 0; i < source.size(); ++i) {
    INFO(source[i]);
    if (std::isnan(source[i]))
      CHECK((f32_to_e4m3(source[i]) & 0x7f) == 0x7f);
    else
      CHECK(int{f32_to_e4m3(source[i])} == int{cast[i]});
  }
}

TEST_CASE("blocks and tiles are quantised to the reference's bytes and scales", "[golden]") {
  const auto file = fixture();
  ThreadPool pool(2);
  const struct {
    std::string source, values, scales;
    Fp8BlockShape block;
  } cases[] = {{"weight", "weight_fp8", "weight_scale_inv", {128, 128}}, {"x", "x_fp8", "x_scale", {1, 128}}};
  for (const auto& c : cases) {
    for (const auto kind : {Fp8Scale::kFloat, Fp8Scale::kPowerOfTwo}) {
      const std::string suffix = kind == Fp8Scale::kPowerOfTwo ? ".ue8m0" : "";
      INFO(c.source << suffix);
      const auto* view = file.find(c.source);
      const auto source = to_float32(*view);
      const auto q =
          quantise_fp8(pool, {source.data(), view->shape[0], view->shape[1]}, {.block = c.block, .scale = kind});
      CHECK(q.scales == to_float32(*file.find(c.scales + suffix)));
      CHECK(e4m3_bytes(q) == bytes_of(*file.find(c.values + suffix)));
    }
  }
}

TEST_CASE("every value is rounded to the e4m3 number of its byte") {
  ThreadPool pool(1);
  std::vector<float> x;
  for (uint32_t bits = 0; bits < 0x43f80000u; bits += 0x3133) x.push_back(std::bit_cast<float>(bits));  // up to 496
  for (const float edge : {0x1p-10f, 0x1.8p-9f, 0x1.fp-7f, 464.0f, std::nextafter(464.0f, 500.0f), 448.0f})
    x.push_back(edge);
  const auto count = static_cast<int64_t>(x.size());
  for (int64_t i = 0; i < count; ++i) x.push_back(-x[static_cast<size_t>(i)]);
  x.push_back(448);  // the largest, so that the scale is 1
  for (auto& v : x) {
    if (std::abs(v) > 448) v = 448;
  }
  const auto q = quantise_fp8(pool, {x.data(), 1, std::ssize(x)}, {.block = {1, std::ssize(x)}});
  REQUIRE(q.scales == std::vector<float>{1});
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) wrong += q.values[i] != e4m3_to_f32(f32_to_e4m3(x[i]));
  CHECK(wrong == 0);
}

TEST_CASE("an element that is not a number spoils its block and no other") {
  ThreadPool pool(1);
  std::vector<float> x(2 * 256, 0.5f);
  x[130] = std::nanf("");
  const auto q = quantise_fp8(pool, {x.data(), 2, 256}, {.block = {1, 128}});
  const auto back = dequantise_fp8(pool, q);
  for (size_t i = 0; i < x.size(); ++i) {
    INFO(i);
    CHECK(std::isnan(back[i]) == (i >= 128 && i < 256));
  }
}

TEST_CASE("the FP8 product is the reference's, however its factors are stored", "[golden]") {
  const auto file = fixture();
  ThreadPool pool(2);
  for (const auto kind : {Fp8Scale::kFloat, Fp8Scale::kPowerOfTwo}) {
    const std::string suffix = kind == Fp8Scale::kPowerOfTwo ? ".ue8m0" : "";
    const auto x = to_float32(*file.find("x")), w = to_float32(*file.find("weight"));
    const auto a = quantise_fp8(pool, {x.data(), 5, 384}, {.block = {1, 128}, .scale = kind}),
               b = quantise_fp8(pool, {w.data(), 200, 384}, {.block = {128, 128}, .scale = kind});
    std::vector<float> y(5 * 203, 1);
    fp8_gemm(pool, {a}, {b}, y.data(), 203, Accumulate::kNo);
    const auto wanted = to_float32(*file.find("y_fp8_gemm" + suffix));
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < 5 * 200; ++i) {
      worst = std::max<double>(worst, std::abs(y[i / 200 * 203 + i % 200] - wanted[i]));
      largest = std::max<double>(largest, std::abs(wanted[i]));
    }
    CHECK(worst < 1e-6 * largest * 10);
    CHECK(y[200] == 1);  // between the rows
    CHECK(dequantise_fp8(pool, b) == to_float32(*file.find("weight_dequant" + suffix)));
    // The same numbers, stored the other way round.
    const auto turned = [](const Fp8Matrix& m) {
      Fp8Matrix t{.rows = m.cols, .cols = m.rows, .block = {m.block.cols, m.block.rows}};
      for (int64_t c = 0; c < m.cols; ++c) {
        for (int64_t r = 0; r < m.rows; ++r) t.values.push_back(m.values[r * m.cols + c]);
      }
      const int64_t grid_cols = m.grid_cols(), grid_rows = std::ssize(m.scales) / grid_cols;
      for (int64_t c = 0; c < grid_cols; ++c) {
        for (int64_t r = 0; r < grid_rows; ++r) t.scales.push_back(m.scales[r * grid_cols + c]);
      }
      return t;
    };
    const auto a_turned = turned(a), b_turned = turned(b);
    std::vector<float> again(5 * 203, 1);
    fp8_gemm(pool, {a_turned, true}, {b_turned, true}, again.data(), 203, Accumulate::kNo);
    CHECK(again == y);
  }
}
