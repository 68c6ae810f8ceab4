// DeepSeek-V3's files: names, FP8 with scales, MTP's copies (tests/fixtures/deepseek_v3, deepseek_v3_fp8).

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "model/weights.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::model;
using formats::DType;
using formats::TensorView;

namespace {

namespace fs = std::filesystem;

const std::string kFixtures = R1_FIXTURES;

// A copy of the FP8 fixture in which `change` may alter, drop or add tensors.
template <typename F>
void write_changed(const fs::path& folder, F change) {
  const formats::SafetensorsFile file(kFixtures + "/deepseek_v3_fp8/model.safetensors");
  std::vector<TensorView> tensors(file.tensors());
  change(tensors);
  formats::write_safetensors(folder / "model.safetensors", tensors);
  put(folder / "config.json", slurp(kFixtures + "/deepseek_v3_fp8/config.json"));
}

TensorView& named(std::vector<TensorView>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
}

constexpr const char* kMatrix = "model.layers.2.mlp.experts.3.up_proj.weight";
constexpr const char* kScales = "model.layers.2.mlp.experts.3.up_proj.weight_scale_inv";

}  // namespace

TEST_CASE("A DeepSeek-V3 that is saved and opened again is the same, with the tensors of its source", "[property]") {
  const TempFolder folder;
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3");
  check_finite(model);
  save_model(folder.path(), model.config, *model.weights, {});
  const LoadedModel saved = open_model(folder.path());
  check_finite(saved);
  CHECK(hash_weights(saved.config, *saved.weights) == hash_weights(model.config, *model.weights));
  const formats::SafetensorsFile before(kFixtures + "/deepseek_v3/model.safetensors"),
      after(folder / "model.safetensors");
  REQUIRE(before.tensors().size() == after.tensors().size());
  for (const auto& t : before.tensors()) {
    INFO(t.name);
    REQUIRE(after.find(t.name) != nullptr);
    CHECK(after.find(t.name)->dtype == t.dtype);
    CHECK(std::ranges::equal(after.find(t.name)->bytes, t.bytes));
  }
}

TEST_CASE("DeepSeek-V3 in shards: experts may lie anywhere, and one that lies nowhere is named") {
  const TempFolder folder;
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3");
  save_model(folder.path(), model.config, *model.weights, {.max_shard_bytes = 100000});
  CHECK(hash_weights(model.config, *open_model(folder.path()).weights) == hash_weights(model.config, *model.weights));
  const auto index = folder / "model.safetensors.index.json";
  auto o = json::parse_file(index).as_object();
  o.at("weight_map").as_object().erase("model.layers.3.mlp.experts.7.down_proj.weight");
  write_file_atomic(index, json::dump(o));
  CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains("model.layers.3.mlp.experts.7.down_proj.weight"));
}

TEST_CASE("An expert that its shard lacks although the index says otherwise is named together with the shard") {
  const TempFolder folder;
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3");
  save_model(folder.path(), model.config, *model.weights, {.max_shard_bytes = 100000});
  constexpr const char* kExpert = "model.layers.2.mlp.experts.11.gate_proj.weight";
  const auto index = json::parse_file(folder / "model.safetensors.index.json");
  const std::string shard = index.at("weight_map").at(kExpert).as_string().c_str();
  const TempFolder other;  // the shard is mapped while it is copied
  {
    const formats::SafetensorsFile file(folder / shard);
    std::vector<TensorView> tensors(file.tensors());
    std::erase_if(tensors, [](const auto& t) { return t.name == kExpert; });
    formats::write_safetensors(other / shard, tensors);
  }
  fs::rename(other / shard, folder / shard);
  CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains(kExpert) && Catch::Contains(shard));
}

TEST_CASE("A model that transformers saved without its MTP module opens without; one with half a module is refused") {
  const auto drop = [&](const fs::path& folder, const std::string& prefix) {
    const formats::SafetensorsFile file(kFixtures + "/deepseek_v3/model.safetensors");
    std::vector<TensorView> tensors(file.tensors());
    std::erase_if(tensors, [&](const auto& t) { return t.name.starts_with(prefix); });
    formats::write_safetensors(folder / "model.safetensors", tensors);
    put(folder / "config.json", slurp(kFixtures + "/deepseek_v3/config.json"));
  };
  const TempFolder whole, half;
  drop(whole.path(), "model.layers.4.");
  CHECK(open_model(whole.path()).config.num_mtp_layers == 0);
  drop(half.path(), "model.layers.4.mlp.");
  CHECK_THROWS_WITH(open_model(half.path()), Catch::Contains("'model.layers.4.mlp.gate.weight' is missing"));
}

TEST_CASE("A config with more or fewer experts than the files have is refused by the first expert that differs") {
  const struct {
    int64_t num_experts;
    std::string fragment;
  } cases[] = {{20, "'model.layers.2.mlp.gate.weight' has shape [16, 48]; the config wants [20, 48]"},
               {12, "'model.layers.2.mlp.gate.weight' has shape [16, 48]; the config wants [12, 48]"}};
  for (const auto& c : cases) {
    const TempFolder folder;
    auto o = json::parse_file(kFixtures + "/deepseek_v3/config.json").as_object();
    o["n_routed_experts"] = c.num_experts;
    put(folder / "config.json", json::dump(o));
    fs::copy_file(kFixtures + "/deepseek_v3/model.safetensors", folder / "model.safetensors");
    CHECK_THROWS_WITH(open_model(folder.path()), Catch::Contains(c.fragment));
  }
}

TEST_CASE("FP8 matrices are their values times their block's scale", "[golden]") {
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3_fp8");
  check_finite(model);
  REQUIRE(model.config.fp8.value().block_rows == 32);
  const auto view = model.weights->get("model.layers.0.mlp.down_proj.weight");  // [48, 80]: partial blocks both ways
  const auto scales = to_float32(model.weights->get("model.layers.0.mlp.down_proj.weight_scale_inv"));
  auto plain = view;
  plain.scales.reset();
  const auto got = to_float32(view), values = to_float32(plain);
  int wrong = 0;
  for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != values[i] * scales[i / 80 / 32 * 3 + i % 80 / 32];
  CHECK(wrong == 0);
  std::vector<float> part(95);
  to_float32(slice(view, 33, 95), part);
  CHECK(std::equal(part.begin(), part.end(), got.begin() + 33));
}

TEST_CASE("An FP8 model is saved as FP8 bit for bit, and as float32 by its values") {
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3_fp8");
  const TempFolder fp8, f32;
  save_model(fp8.path(), model.config, *model.weights, {.dtype = DType::kF8E4M3});
  const formats::SafetensorsFile before(kFixtures + "/deepseek_v3_fp8/model.safetensors"),
      after(fp8 / "model.safetensors");
  REQUIRE(before.tensors().size() == after.tensors().size());
  for (const auto& t : before.tensors()) {
    INFO(t.name);
    REQUIRE(after.find(t.name) != nullptr);
    CHECK(after.find(t.name)->dtype == t.dtype);
    CHECK(std::ranges::equal(after.find(t.name)->bytes, t.bytes));
  }
  save_model(f32.path(), model.config, *model.weights, {});
  const auto widened = open_model(f32.path());
  CHECK_FALSE(widened.config.fp8.has_value());
  CHECK(hash_weights(widened.config, *widened.weights) == hash_weights(model.config, *model.weights));
}

TEST_CASE("A float32 model saved as FP8 keeps its matrices to e4m3's precision and the gate's bias exactly") {
  const TempFolder folder;
  const LoadedModel model = open_model(kFixtures + "/deepseek_v3");
  save_model(folder.path(), model.config, *model.weights, {.dtype = DType::kF8E4M3});
  const LoadedModel saved = open_model(folder.path());
  REQUIRE(saved.config.fp8.value().block_rows == 128);
  for (const auto& p : model.config.parameters()) {
    const auto wanted = to_float32(model.weights->get(p.name)), got = to_float32(saved.weights->get(p.name));
    float amax = 0;
    for (const float w : wanted) amax = std::max(amax, std::abs(w));
    const float step = p.is_buffer ? 0 : p.is_quantised ? 0x1p-4f : 0x1p-8f;  // half a step of the mantissa
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i)
      worst = std::max<double>(worst, std::abs(got[i] - wanted[i]) - step * std::abs(wanted[i]));
    INFO(p.name);
    CHECK(worst <= (p.is_quantised ? amax / 448 * 0x1p-9 : 0));
  }
  const TempFolder other;
  const LoadedModel llama = open_model(kFixtures + "/llama");
  CHECK_THROWS_WITH(save_model(other.path(), llama.config, *llama.weights, {.dtype = DType::kF8E4M3}),
                    Catch::Contains("F8_E4M3 for a llama model"));
}

TEST_CASE("Scales that are missing, misshapen or not finite are refused by name before anything is copied") {
  const float bad[] = {1, std::numeric_limits<float>::quiet_NaN()},
              infinite[] = {std::numeric_limits<float>::infinity(), 1}, negative[] = {1, -0.5f};
  const float three[] = {1, 1, 1};
  const struct {
    const char* why;
    std::function<void(std::vector<TensorView>&)> change;
    std::string fragment;
  } cases[] = {
      {"missing", [](auto& t) { std::erase_if(t, [](const auto& v) { return v.name == kScales; }); }, "is missing"},
      {"NaN", [&](auto& t) { named(t, kScales).bytes = std::as_bytes(std::span(bad)); }, "holds nan at element 1"},
      {"infinite", [&](auto& t) { named(t, kScales).bytes = std::as_bytes(std::span(infinite)); },
       "holds inf at element 0"},
      {"negative", [&](auto& t) { named(t, kScales).bytes = std::as_bytes(std::span(negative)); },
       "holds -0.5 at element 1"},
      {"type",
       [&](auto& t) {
         named(t, kScales).dtype = DType::kBF16;
         named(t, kScales).bytes = named(t, kScales).bytes.first(4);
       },
       "is stored as BF16"},
      {"shape",
       [&](auto& t) {
         named(t, kScales).shape = {1, 3};
         named(t, kScales).bytes = std::as_bytes(std::span(three));
       },
       "has shape [1, 3]; blocks of 32 x 32 want [1, 2]"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const TempFolder folder;
    write_changed(folder.path(), c.change);
    CHECK_THROWS_WITH(open_model(folder.path()),
                      Catch::Contains(std::string("'") + kScales + "'") && Catch::Contains(c.fragment));
  }
  const TempFolder folder;
  write_changed(folder.path(), [](auto&) {});
  put(folder / "config.json", slurp(kFixtures + "/deepseek_v3/config.json"));  // without quantization_config
  CHECK_THROWS_WITH(open_model(folder.path()),
                    Catch::Contains("stored as F8_E4M3") && Catch::Contains("quantization_config"));
}

TEST_CASE("NaN among FP8 values, and a copy that differs from its source, are found by check_finite") {
  const TempFolder nan, copy;
  std::vector<std::byte> bytes(16 * 48, std::byte{0x38});
  bytes[100] = std::byte{0xff};
  write_changed(nan.path(), [&](auto& t) { named(t, kMatrix).bytes = bytes; });
  CHECK_THROWS_WITH(check_finite(open_model(nan.path())), Catch::Contains(kMatrix) && Catch::Contains("element 100"));
  std::vector<std::byte> head(256 * 48 * 2, std::byte{0x20});
  write_changed(copy.path(), [&](auto& t) { named(t, "model.layers.4.shared_head.head.weight").bytes = head; });
  CHECK_THROWS_WITH(check_finite(open_model(copy.path())),
                    Catch::Contains("'model.layers.4.shared_head.head.weight' differs"));
}

TEST_CASE("Random DeepSeek-V3 weights begin with a gate that favours nobody") {
  const auto config = open_model(kFixtures + "/deepseek_v3").config;
  const auto made = random_weights(config, 0.02, 1);
  for (const float b : to_float32(made->weights.get("model.layers.2.mlp.gate.e_score_correction_bias"))) CHECK(b == 0);
}
