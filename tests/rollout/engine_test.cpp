#include "rollout/engine.h"

#include <cstring>

#include "tests/rollout/same_samples.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using rollout::Engine;
using rollout::EngineConfig;
using rollout::testing::check_equal;
using rollout::testing::Samples;

namespace {

std::vector<Prompt> prompts() {
  std::vector<Prompt> out;
  for (int i = 0; i < 5; ++i) {
    std::vector<int32_t> ids;
    for (int t = 0; t < 7 + 11 * i; ++t) ids.push_back(20 + (t * 37 + i * (t / 20) * 101) % 1300);  // heads are shared
    out.push_back({.id = "p" + std::to_string(i), .token_ids = ids});
  }
  return out;
}

struct Rig {
  model::ModelConfig config = tiny_config();
  std::unique_ptr<model::InitializedWeights> init = tiny_weights(config);
  text::Tokenizer tokenizer = tiny_tokenizer();

  Samples run(const EngineConfig& engine_config, const SamplingParams& params, int threads = 2,
              rollout::EngineStats* stats = nullptr) {
    ThreadPool pool(threads);
    model::Decoder decoder(config, init->weights, model::WeightFormat::kF32, pool);
    Engine engine(decoder, tokenizer, {0}, engine_config);
    auto out = engine.generate(prompts(), params, {});
    if (stats) *stats = engine.stats();
    return out;
  }
};

const SamplingParams kParams{.num_samples = 4, .max_new_tokens = 40, .seed = 11};

}  // namespace

TEST_CASE("samples do not depend on batch limits, threads or preemption, bit for bit", "[property]") {
  Rig rig;
  const auto reference = rig.run({}, kParams);
  struct Row {
    std::string why;
    EngineConfig config;
    int threads;
  };
  const auto row = GENERATE(Row{"one row at a time", {.max_batch_tokens = 1}, 2},
                            Row{"one sequence at a time", {.max_running = 1}, 2},
                            Row{"odd limits", {.max_batch_tokens = 7, .max_running = 3}, 3}, Row{"one thread", {}, 1});
  INFO(row.why);
  check_equal(reference, rig.run(row.config, kParams, row.threads));
}

TEST_CASE("a cache too small for everything preempts and computes again, with the same samples", "[property]") {
  Rig rig;
  const auto reference = rig.run({}, kParams);
  // One MiB holds 256 blocks of this model; a longer context and more samples make them scarce.
  auto params = kParams;
  params.num_samples = 64;
  params.max_new_tokens = 120;
  rollout::EngineStats stats;
  const auto scarce = rig.run({.kv_cache_mb = 1}, params, 2, &stats);
  CHECK(stats.num_preemptions > 0);
  check_equal(rig.run({}, params), scarce);
  CHECK(reference[0].size() == 4);
}

TEST_CASE("a group shares one prefill of its prompt") {
  Rig rig;
  rollout::EngineStats one, many;
  auto params = kParams;
  params.num_samples = 1;
  rig.run({}, params, 2, &one);
  params.num_samples = 16;
  rig.run({}, params, 2, &many);
  CHECK(many.num_prompt_tokens == one.num_prompt_tokens);
}

TEST_CASE("each sample of a group is its own: indices differ, and a larger group begins with the smaller one") {
  Rig rig;
  auto params = kParams;
  const auto four = rig.run({}, params);
  params.num_samples = 6;
  const auto six = rig.run({}, params);
  for (size_t p = 0; p < four.size(); ++p) {
    for (int s = 0; s < 4; ++s) CHECK(four[p][s].token_ids == six[p][s].token_ids);
    CHECK(six[p][4].token_ids != six[p][5].token_ids);
    CHECK(six[p][5].index == 5);
  }
}

TEST_CASE("a completion ends before a stop string, at a stop id, or at its limit") {
  Rig rig;
  auto params = kParams;
  params.num_samples = 1;
  const auto free = rig.run({}, params)[0][0];
  REQUIRE(free.token_ids.size() > 6);
  SECTION("stop string: the text ends before it") {
    params.stop = {free.text.substr(4, 3)};
    const auto s = rig.run({}, params)[0][0];
    CHECK(s.finish == FinishReason::kStop);
    CHECK(s.text == free.text.substr(0, free.text.find(params.stop[0])));
    CHECK(s.token_ids.size() < free.token_ids.size());
  }
  SECTION("a kept stop string ends the text") {
    params.stop = {free.text.substr(4, 3)};
    params.stop_text = SamplingParams::StopText::kInclude;
    CHECK(rig.run({}, params)[0][0].text.ends_with(params.stop[0]));
  }
  SECTION("stop id: the ids include it") {
    params.stop_ids = {free.token_ids[5]};
    const auto s = rig.run({}, params)[0][0];
    CHECK(s.finish == FinishReason::kStop);
    CHECK(s.token_ids.back() == free.token_ids[5]);
    CHECK(s.token_ids.size() <= 6);
  }
  SECTION("limit") {
    params.max_new_tokens = 3;
    const auto s = rig.run({}, params)[0][0];
    CHECK(s.finish == FinishReason::kLength);
    CHECK(s.token_ids.size() == 3);
  }
  SECTION("the end of the context is a limit too") {
    const auto s = rig.run({.max_context = 60}, params)[4][0];
    CHECK(s.token_ids.size() + prompts()[4].token_ids.size() <= 60);
  }
}

TEST_CASE("greedy decoding takes the largest logit of the full forward pass at every position") {
  Rig rig;
  auto params = kParams;
  params.num_samples = 1;
  params.temperature = 0;
  params.eos = SamplingParams::Eos::kIgnore;
  const auto sample = rig.run({}, params)[2][0];
  auto prompt = prompts()[2];
  // Every prefix again as a prompt of its own: prefill instead of decode.
  ThreadPool pool(2);
  model::Decoder decoder(rig.config, rig.init->weights, model::WeightFormat::kF32, pool);
  Engine engine(decoder, rig.tokenizer, {0}, {});
  params.max_new_tokens = 1;
  for (size_t t = 0; t < sample.token_ids.size(); ++t) {
    const auto next = engine.generate(std::span(&prompt, 1), params, {})[0][0];
    REQUIRE(next.token_ids[0] == sample.token_ids[t]);
    CHECK(next.logprobs[0] == sample.logprobs[t]);
    prompt.token_ids.push_back(sample.token_ids[t]);
  }
}

TEST_CASE("tokens say which weights made them, and a reload makes other samples") {
  Rig rig;
  ThreadPool pool(2);
  model::Decoder decoder(rig.config, rig.init->weights, model::WeightFormat::kF32, pool);
  Engine engine(decoder, rig.tokenizer, {0}, {});
  engine.weights_changed({.number = 7, .hash = 1});
  const auto before = engine.generate(prompts(), kParams, {});
  CHECK(before[0][0].weights_versions == std::vector<uint32_t>(before[0][0].token_ids.size(), 7));
  const auto other = tiny_weights(rig.config, 99);
  decoder.reload(other->weights);
  engine.weights_changed({.number = 8, .hash = 2});
  const auto after = engine.generate(prompts(), kParams, {});
  CHECK(after[0][0].weights_versions.at(0) == 8);
  CHECK(after[0][0].token_ids != before[0][0].token_ids);
}

TEST_CASE("prompts and settings that cannot work are refused by name, and the engine goes on") {
  Rig rig;
  ThreadPool pool(1);
  model::Decoder decoder(rig.config, rig.init->weights, model::WeightFormat::kF32, pool);
  Engine engine(decoder, rig.tokenizer, {0}, {});
  const auto refuse = [&](Prompt prompt, const SamplingParams& params, const std::string& text) {
    CHECK_THROWS_WITH(engine.generate(std::span(&prompt, 1), params, {}), Catch::Contains(text));
  };
  refuse({.id = "empty"}, kParams, "prompt 'empty': it has no tokens");
  refuse({.id = "long", .token_ids = std::vector<int32_t>(256, 5)}, kParams, "prompt 'long': 256 tokens");
  refuse({.id = "alien", .token_ids = {1408}}, kParams, "token id 1408 is outside the vocabulary of 1408");
  refuse({.id = "p", .token_ids = {1}}, {.temperature = -1}, "temperature");
  CHECK_THROWS_WITH(rig.run({.max_batch_tokens = 0}, kParams), Catch::Contains("engine.max_batch_tokens"));
  CHECK(engine.generate(prompts(), kParams, {}).size() == 5);
}
