// tests/fixtures/gguf/quant_vectors.safetensors: blocks and their values as gguf-py 0.19.0 gives them.

#include "formats/dequantize.h"

#include <bit>

#include "formats/safetensors.h"
#include "tests/support/catch.h"

using namespace r1::formats;

TEST_CASE("Blocks have the values that gguf-py gives them, bit for bit", "[golden]") {
  const SafetensorsFile file(std::string(R1_FIXTURES) + "/gguf/quant_vectors.safetensors");
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                            DType::kQ8_0, DType::kQ2_K, DType::kQ3_K, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
    INFO(to_string(dtype));
    const TensorView* stored = file.find(std::string(to_string(dtype)) + ".bytes");
    const TensorView* wanted = file.find(std::string(to_string(dtype)) + ".dequant");
    REQUIRE(stored != nullptr);
    REQUIRE(wanted != nullptr);
    const std::vector<float> expected = to_float32(*wanted);
    const std::vector<float> values = to_float32({"t", dtype, wanted->shape, stored->bytes});
    REQUIRE(values.size() == expected.size());
    int different = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      different += std::bit_cast<uint32_t>(values[i]) != std::bit_cast<uint32_t>(expected[i]);
    }
    CHECK(different == 0);
  }
}

TEST_CASE("A block with a subnormal, infinite or NaN scale gives what its scale says") {
  const auto first_value = [](uint16_t scale) {
    std::vector<std::byte> block(34, std::byte{1});  // Q8_0: every q is 1
    block[0] = static_cast<std::byte>(scale & 0xff);
    block[1] = static_cast<std::byte>(scale >> 8);
    return to_float32(TensorView{"t", DType::kQ8_0, {32}, block})[0];
  };
  CHECK(first_value(0x0001) == 0x1p-24f);
  CHECK(first_value(0x8000) == 0.0f);
  CHECK(first_value(0xbc00) == -1.0f);
  CHECK(std::isinf(first_value(0x7c00)));
  CHECK(std::isnan(first_value(0x7e00)));
}
