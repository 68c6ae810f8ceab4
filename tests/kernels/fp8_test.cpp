// tests/fixtures/fp8: vectors made with torch by the formulas of DeepSeek-V3's inference/kernel.py (its README.json).

#include "kernels/fp8.h"

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
      const auto q = quantise_fp8(pool, source.data(), view->shape[0], view->shape[1], c.block, kind);
      CHECK(q.scales == to_float32(*file.find(c.scales + suffix)));
      CHECK(q.values == bytes_of(*file.find(c.values + suffix)));
    }
  }
}

TEST_CASE("the FP8 product is the reference's, and its transposes are those of its values", "[golden]") {
  const auto file = fixture();
  ThreadPool pool(2);
  for (const auto kind : {Fp8Scale::kFloat, Fp8Scale::kPowerOfTwo}) {
    const std::string suffix = kind == Fp8Scale::kPowerOfTwo ? ".ue8m0" : "";
    const auto x = to_float32(*file.find("x")), w = to_float32(*file.find("weight"));
    const auto a = quantise_fp8(pool, x.data(), 5, 384, {1, 128}, kind),
               b = quantise_fp8(pool, w.data(), 200, 384, {128, 128}, kind);
    std::vector<float> y(5 * 203, 1);
    fp8_gemm(pool, a, b, y.data(), 203, Accumulate::kNo);
    const auto wanted = to_float32(*file.find("y_fp8_gemm" + suffix));
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < 5 * 200; ++i) {
      worst = std::max<double>(worst, std::abs(y[i / 200 * 203 + i % 200] - wanted[i]));
      largest = std::max<double>(largest, std::abs(wanted[i]));
    }
    CHECK(worst < 1e-6 * largest * 10);
    CHECK(y[200] == 1);  // between the rows
    CHECK(dequantise_fp8(pool, b) == to_float32(*file.find("weight_dequant" + suffix)));
    const auto back = transpose(transpose(b));
    CHECK(back.values == b.values);
    CHECK(back.scales == b.scales);
    const auto straight = dequantise_fp8(pool, b), turned = dequantise_fp8(pool, transpose(b));
    CHECK(turned[7 * 200 + 150] == straight[150 * 384 + 7]);
  }
}
