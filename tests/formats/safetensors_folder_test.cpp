#include "core/error.h"
#include "formats/safetensors.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;

namespace {

namespace fs = std::filesystem;

const fs::path kSharded = std::string(R1_FIXTURES) + "/llama_sharded";

void copy_shards(const TempFolder& to) {
  for (const auto& entry : fs::directory_iterator(kSharded))
    fs::copy(entry.path(), to / entry.path().filename().string());
}

void replace_in_index(const TempFolder& folder, const std::string& old_text, const std::string& new_text) {
  std::string index = slurp(folder / "model.safetensors.index.json");
  const size_t at = index.find(old_text);
  REQUIRE(at != std::string::npos);
  put(folder / "model.safetensors.index.json", index.replace(at, old_text.size(), new_text));
}

}  // namespace

TEST_CASE("Four shards hold what the one file holds", "[golden]") {
  const SafetensorsFolder sharded(kSharded), single(std::string(R1_FIXTURES) + "/llama");
  CHECK(sharded.names() == single.names());
  CHECK(sharded.names().size() == 30);
  for (const std::string& name : single.names()) {
    INFO(name);
    const TensorView *a = sharded.find(name), *b = single.find(name);
    REQUIRE(a != nullptr);
    CHECK(a->shape == b->shape);
    CHECK(std::equal(a->bytes.begin(), a->bytes.end(), b->bytes.begin(), b->bytes.end()));
  }
  CHECK(sharded.find("model.layers.9.input_layernorm.weight") == nullptr);
}

TEST_CASE("An index that its shards do not fulfil is refused, naming weight and shard") {
  const std::string second = "model-00002-of-00004.safetensors";
  SECTION("a shard is not there") {
    const TempFolder folder;
    copy_shards(folder);
    fs::remove(folder / second);
    CHECK_THROWS_WITH(SafetensorsFolder(folder.path()),
                      Catch::Contains("'" + second + "', which is not there") && Catch::Contains("index.json"));
  }
  SECTION("a shard lacks a weight") {
    const TempFolder folder;
    copy_shards(folder);
    replace_in_index(folder, "\"model.norm.weight\"", "\"model.norm.wait\"");
    CHECK_THROWS_WITH(SafetensorsFolder(folder.path()),
                      Catch::Contains("tensor 'model.norm.wait' is promised in 'model-00003-of-00004.safetensors'"));
  }
  SECTION("a shard is cut short") {
    const TempFolder folder;
    copy_shards(folder);
    fs::resize_file(folder / second, fs::file_size(folder / second) - 1);
    CHECK_THROWS_WITH(SafetensorsFolder(folder.path()), Catch::Contains((folder / second).string()));
  }
  SECTION("a shard lies elsewhere") {
    for (const char* place : {"../"
                              "model-00004-of-00004.safetensors",
                              "/etc/passwd", ".."}) {
      const TempFolder folder;
      copy_shards(folder);
      replace_in_index(folder, "model-00004-of-00004.safetensors", place);
      INFO(place);
      CHECK_THROWS_WITH(SafetensorsFolder(folder.path()),
                        Catch::Contains("'lm_head.weight': not the name of a file in this folder"));
    }
  }
}

TEST_CASE("An index that says nothing is refused") {
  const struct {
    const char* text;
    const char* fragment;
  } cases[] = {
      {"[]", "not a JSON object"},
      {"{}", "'weight_map'"},
      {R"({"weight_map": {}})", "weight_map is empty"},
      {R"({"weight_map": {"a": 3}})", "'a': not the name of a file"},
      {R"({"weight_map": 3})", "'weight_map'"},
      {R"({"weight_map": )", "model.safetensors.index.json"},
  };
  const TempFolder folder;
  for (const auto& c : cases) {
    INFO(c.text);
    put(folder / "model.safetensors.index.json", c.text);
    CHECK_THROWS_WITH(SafetensorsFolder(folder.path()), Catch::Contains(c.fragment));
  }
}

TEST_CASE("A folder without safetensors is refused, and what else lies there is told") {
  const TempFolder folder;
  CHECK_THROWS_WITH(SafetensorsFolder(folder.path()), Catch::Contains("neither model.safetensors nor"));
  put(folder / "pytorch_model.bin", "x");
  CHECK_THROWS_WITH(SafetensorsFolder(folder.path()),
                    Catch::Contains("there is pytorch_model.bin, whose format can run code"));
  CHECK_THROWS_AS(SafetensorsFolder(folder / "nowhere"), Error);
}
