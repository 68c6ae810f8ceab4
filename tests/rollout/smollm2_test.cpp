// A real model against transformers: the published GGUF file, dequantised to float32 on both sides.

#include <filesystem>

#include "core/files.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "model/weights.h"
#include "rollout/engine.h"
#include "tests/support/catch.h"

using namespace r1;

namespace {

const std::string kGguf = std::string(R1_SOURCE_DIR) + "/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const std::string kReference = std::string(R1_FIXTURES) + "/smollm2_real/smollm2_real";

template <typename T>
std::vector<T> values_of(const formats::SafetensorsFile& file, const std::string& name) {
  const auto* view = file.find(name);
  REQUIRE(view);
  const auto* data = reinterpret_cast<const T*>(view->bytes.data());
  return {data, data + view->num_elements()};
}

}  // namespace

TEST_CASE("SmolLM2's greedy text and log-probs are transformers' on the same dequantised weights", "[golden]") {
  if (!std::filesystem::exists(kGguf)) {
    WARN("skipped: " << kGguf << " is not here; scripts/setup.sh fetches it");
    SUCCEED();
    return;
  }
  const auto loaded = model::open_model(kGguf);
  const auto tokenizer = text::Tokenizer::from_file(kGguf);
  ThreadPool pool(2);
  model::Decoder decoder(loaded.config, *loaded.weights, model::WeightFormat::kF32, pool);
  rollout::Engine engine(decoder, tokenizer, {2}, {});
  const formats::SafetensorsFile reference(kReference + ".safetensors");
  const auto cases = json::parse(read_file(kReference + ".json"), kReference + ".json").as_object();
  for (const auto& [key, value] : cases.at("prompts").as_object()) {
    const std::string name(key), prompt_text(value.at("prompt").as_string());
    INFO(name);
    const auto ids = tokenizer.encode(prompt_text, text::Specials::kNone);
    const auto wanted_ids = values_of<int64_t>(reference, name + ".greedy_ids");
    REQUIRE(std::ssize(ids) == value.at("n_prompt").as_int64());
    const Prompt prompts[]{{.id = name, .token_ids = ids}};
    const auto samples = engine.generate(
        prompts, {.temperature = 0, .max_new_tokens = static_cast<int>(wanted_ids.size()), .eos = SamplingParams::Eos::kIgnore},
        {});
    const auto& sample = samples[0][0];
    CHECK(std::vector<int64_t>(sample.token_ids.begin(), sample.token_ids.end()) == wanted_ids);
    CHECK(tokenizer.decode(sample.token_ids, text::SkipSpecial::kNo) == std::string(value.at("greedy_text").as_string()));
  }
}
