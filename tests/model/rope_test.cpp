// tests/fixtures/real_shapes/rope.safetensors: inv_freq of real models as transformers 5.23.0 computes it.

#include <cmath>

#include "formats/safetensors.h"
#include "model/config.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;

namespace {

ModelConfig with_heads(double theta) {
  return {.vocab_size = 8,
          .hidden_size = 256,
          .intermediate_size = 8,
          .num_layers = 1,
          .num_heads = 2,
          .num_kv_heads = 1,
          .head_dim = 128,
          .max_position = 131072,
          .rope_theta = theta};
}

}  // namespace

TEST_CASE("Rotary frequencies are those of transformers", "[golden]") {
  const formats::SafetensorsFile file(std::string(R1_FIXTURES) + "/real_shapes/rope.safetensors");
  ModelConfig llama = with_heads(500000);
  llama.rope_scaling = Llama3RopeScaling{};
  const struct {
    const char* tensor;
    ModelConfig config;
  } cases[] = {
      {"qwen2_5.inv_freq(dim128,theta1e6)", with_heads(1e6)},
      {"r1_distill_qwen_1_5b_7b.inv_freq(dim128,theta1e4)", with_heads(1e4)},
      {"llama3_1.inv_freq(dim128)", llama},
  };
  for (const auto& c : cases) {
    INFO(c.tensor);
    REQUIRE(file.find(c.tensor) != nullptr);
    const auto wanted = to_float32(*file.find(c.tensor));
    const auto got = rope_frequencies(c.config);
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (size_t j = 0; j < got.size(); ++j) worst = std::max(worst, std::abs(got[j] / wanted[j] - 1));
    CHECK(worst < 2.5e-7);  // two units in float32's last place
  }
}

TEST_CASE("GGUF's factors divide the frequencies as Llama 3's scaling does", "[golden]") {
  const formats::SafetensorsFile file(std::string(R1_FIXTURES) + "/real_shapes/rope.safetensors");
  ModelConfig scaled = with_heads(500000), divided = with_heads(500000);
  scaled.rope_scaling = Llama3RopeScaling{};
  divided.rope_factors = to_float32(*file.find("llama3_1.gguf_rope_freqs(base/inv_freq)"));
  const auto a = rope_frequencies(scaled), b = rope_frequencies(divided);
  REQUIRE(a.size() == b.size());
  for (size_t j = 0; j < a.size(); ++j) CHECK(a[j] == Approx(b[j]).epsilon(1e-6));
}

TEST_CASE("Rotary tables hold cosine and sine of position times frequency") {
  const ModelConfig c = with_heads(10000);
  const RopeTables tables = make_rope_tables(c, 5);
  REQUIRE(tables.num_positions == 5);
  REQUIRE(tables.half_dim == 64);
  REQUIRE(tables.cos.size() == 320);
  const auto frequencies = rope_frequencies(c);
  for (int64_t position = 0; position < 5; ++position) {
    for (size_t j = 0; j < 64; ++j) {
      const double angle = static_cast<double>(position) * frequencies[j];
      REQUIRE(tables.cos[static_cast<size_t>(position) * 64 + j] == Approx(std::cos(angle)).margin(1e-6));
      REQUIRE(tables.sin[static_cast<size_t>(position) * 64 + j] == Approx(std::sin(angle)).margin(1e-6));
    }
  }
  CHECK(tables.cos[64] == std::cos(1.0f));
  CHECK(make_rope_tables(c, 0).cos.empty());
  CHECK_THROWS_WITH(make_rope_tables(c, -1), Catch::Contains("-1 positions"));
}
