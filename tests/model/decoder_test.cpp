#include "model/decoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "formats/safetensors.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;

namespace {

// Logits of every position of one sequence, prefilled in chunks of `chunk` rows.
std::vector<float> logits_of(const LoadedModel& loaded, WeightFormat format, const std::vector<int32_t>& ids,
                             int chunk) {
  ThreadPool pool(2);
  Decoder decoder(loaded.config, *loaded.weights, format, pool);
  KvCache cache(loaded.config, 16);
  std::vector<int32_t> table;
  for (size_t i = 0; i < ids.size(); i += 16) table.push_back(15 - static_cast<int32_t>(i / 16));
  std::vector<float> out;
  for (size_t begin = 0; begin < ids.size(); begin += chunk) {
    const auto count = std::min<size_t>(chunk, ids.size() - begin);
    std::vector<int32_t> positions(count), rows(count);
    std::vector<int64_t> slots;
    std::vector<kernels::PagedRow> paged;
    std::iota(positions.begin(), positions.end(), static_cast<int32_t>(begin));
    std::iota(rows.begin(), rows.end(), 0);
    for (const auto p : positions) {
      slots.push_back(int64_t{table[p / 16]} * 16 + p % 16);
      paged.push_back({.block_table = table.data(), .context = p + 1});
    }
    const auto logits = decoder.forward({.token_ids = std::span(ids).subspan(begin, count),
                                         .positions = positions,
                                         .slots = slots,
                                         .rows = paged,
                                         .logit_rows = rows},
                                        cache);
    out.insert(out.end(), logits.begin(), logits.end());
  }
  return out;
}

std::vector<int32_t> first_ids(const formats::SafetensorsFile& file) {
  const auto* view = file.find("input_ids");
  const auto* ids = reinterpret_cast<const int64_t*>(view->bytes.data());
  return {ids, ids + view->shape[1]};
}

double largest_difference(const std::vector<float>& a, std::span<const float> b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  return worst;
}

}  // namespace

TEST_CASE("prefill in any chunks and decode, from keys and values or from latents, give transformers' logits",
          "[golden]") {
  const auto name = GENERATE(std::string("llama"), std::string("qwen2"), std::string("smollm2_tied_bf16"),
                             std::string("deepseek_v3"));
  INFO(name);
  const std::string folder = std::string(R1_FIXTURES) + "/" + name;
  const formats::SafetensorsFile reference(folder + "/reference.safetensors");
  const auto expected = formats::to_float32(*reference.find("logits"));
  const auto ids = first_ids(reference);
  const auto loaded = open_model(folder);
  const auto whole = logits_of(loaded, WeightFormat::kF32, ids, 64);
  CHECK(largest_difference(whole, expected) < 1e-4);
  CHECK(logits_of(loaded, WeightFormat::kF32, ids, 1) == whole);  // decode, bit for bit
  CHECK(logits_of(loaded, WeightFormat::kF32, ids, 7) == whole);
}

TEST_CASE("DeepSeek-V3's FP8 weights decode to the reference's logits", "[golden]") {
  const std::string folder = std::string(R1_FIXTURES) + "/deepseek_v3_fp8";
  const formats::SafetensorsFile reference(folder + "/reference.safetensors");
  const auto expected = formats::to_float32(*reference.find("logits_weight_dequant_fp32"));
  CHECK(largest_difference(logits_of(open_model(folder), WeightFormat::kF32, first_ids(reference), 16), expected) <
        1e-4);
}

TEST_CASE(
    "the cache of MLA holds latents: its memory is kv_lora_rank + rope floats a token a layer, and blocks can be "
    "copied") {
  const auto config = open_model(std::string(R1_FIXTURES) + "/deepseek_v3").config;
  CHECK(KvCache::bytes_per_block(config) == size_t{16} * 4 * (16 + 16) * sizeof(float));
  auto one_head = config;  // latents larger than the keys that they stand for
  one_head.num_heads = one_head.num_kv_heads = 1;
  for (const auto& c : {config, one_head}) {
    KvCache cache(c, 4);
    const int64_t floats = c.kv_floats_per_layer() * 16;
    for (int64_t layer = 0; layer < c.num_layers; ++layer) {
      for (int64_t i = 0; i < 4 * floats; ++i) cache.latents(layer)[i] = static_cast<float>(i + layer);
    }
    cache.copy(1, 3);
    bool is_right = true;
    for (int64_t layer = 0; layer < c.num_layers; ++layer) {
      for (int64_t i = 0; i < 4 * floats; ++i) {
        const int64_t source = i < 3 * floats ? i : i - 2 * floats;
        is_right &= cache.latents(layer)[i] == static_cast<float>(source + layer);
      }
    }
    CHECK(is_right);
  }
}

TEST_CASE("weights used as their GGUF blocks give nearly the logits of the dequantised ones") {
  const auto name = GENERATE(std::string("q4_0"), std::string("q4_1"), std::string("q8_0"));
  INFO(name);
  const auto loaded = open_model(std::string(R1_FIXTURES) + "/gguf/tiny-llama-" + name + ".gguf");
  std::vector<int32_t> ids;
  for (int i = 0; i < 40; ++i) ids.push_back((i * 37 + 5) % static_cast<int>(loaded.config.vocab_size));
  const auto exact = logits_of(loaded, WeightFormat::kF32, ids, 64);
  const auto native = logits_of(loaded, WeightFormat::kNative, ids, 64);
  double dot = 0, norm_a = 0, norm_b = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    dot += exact[i] * native[i];
    norm_a += exact[i] * exact[i];
    norm_b += native[i] * native[i];
  }
  CHECK(dot / std::sqrt(norm_a * norm_b) > 0.99);  // int8 activations cost a little, an error of layout everything
  CHECK(logits_of(loaded, WeightFormat::kNative, ids, 1) == native);
}
