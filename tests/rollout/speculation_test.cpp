// DeepSeek-V3 in the engine, with MTP's guesses and without.

#include <algorithm>
#include <cmath>
#include <map>

#include "rollout/engine.h"
#include "tests/rollout/same_samples.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using rollout::Engine;
using rollout::EngineConfig;
using rollout::testing::check_equal;
using rollout::testing::Samples;

namespace {

std::vector<Prompt> prompts(int count = 5) {
  std::vector<Prompt> out;
  for (int i = 0; i < count; ++i) {
    std::vector<int32_t> ids;
    for (int t = 0; t < 1 + 11 * i + (i == 3 ? -2 : 0); ++t) ids.push_back(20 + (t * 37 + i * (t / 20) * 101) % 1300);
    out.push_back({.id = "p" + std::to_string(i), .token_ids = ids});  // lengths 1, 12, 23, 32 (two whole blocks), 45
  }
  return out;
}

struct Rig {
  model::ModelConfig config = tiny_v3_config();
  std::unique_ptr<model::InitializedWeights> init;
  text::Tokenizer tokenizer = tiny_tokenizer();

  explicit Rig(double std = 0.35) : init(model::random_weights(config, std, 3)) {}

  Samples run(const EngineConfig& engine_config, const SamplingParams& params, rollout::EngineStats* stats = nullptr,
              int threads = 2, const std::vector<Prompt>& asked = prompts()) {
    ThreadPool pool(threads);
    const auto mtp = engine_config.num_draft_tokens > 0 ? model::Mtp::kLoaded : model::Mtp::kLeftOut;
    model::Decoder decoder(config, init->weights, model::WeightFormat::kF32, pool, mtp);
    Engine engine(decoder, tokenizer, {0}, engine_config);
    engine.generate(std::span(asked).last(1), {.num_samples = 1, .max_new_tokens = 3}, {});  // fills the prefix cache
    auto out = engine.generate(asked, params, {});
    if (stats) *stats = engine.stats();
    return out;
  }
};

const SamplingParams kParams{.num_samples = 4, .max_new_tokens = 40, .seed = 11};

}  // namespace

TEST_CASE("DeepSeek-V3's samples do not depend on batch limits, threads, preemption or guesses, bit for bit",
          "[property]") {
  Rig rig;
  const auto reference = rig.run({}, kParams);
  struct Row {
    std::string why;
    EngineConfig config;
    int threads;
  };
  const auto row =
      GENERATE(Row{"one row at a time", {.max_batch_tokens = 1}, 2},
               Row{"odd limits", {.max_batch_tokens = 7, .max_running = 3}, 3},
               Row{"guesses", {.num_draft_tokens = 1}, 2}, Row{"guesses, one thread", {.num_draft_tokens = 1}, 1},
               Row{"guesses, one row at a time", {.max_batch_tokens = 1, .num_draft_tokens = 1}, 2},
               Row{"guesses, odd limits", {.max_batch_tokens = 7, .max_running = 3, .num_draft_tokens = 1}, 2},
               Row{"guesses, one sequence", {.max_running = 1, .num_draft_tokens = 1}, 2});
  INFO(row.why);
  check_equal(reference, rig.run(row.config, kParams, nullptr, row.threads));
}

TEST_CASE("guesses change no token at temperature 0, nor with top-p, stops or a context that ends", "[property]") {
  Rig rig;
  auto greedy = kParams, top_p = kParams, stop_id = kParams, one_token = kParams;
  greedy.temperature = 0;
  top_p.top_p = 0.7;
  stop_id.stop_ids = {rig.run({}, kParams)[2][1].token_ids[9]};
  one_token.max_new_tokens = 1;
  const auto params = GENERATE_COPY(greedy, top_p, stop_id, one_token);
  INFO("temperature " << params.temperature << ", top-p " << params.top_p << ", " << params.stop_ids.size()
                      << " stop ids, at most " << params.max_new_tokens << " tokens");
  for (const int64_t max_context : {0, 60}) {
    rollout::EngineStats stats;
    check_equal(rig.run({.max_context = max_context}, params),
                rig.run({.max_context = max_context, .num_draft_tokens = 1}, params, &stats));
    if (params.max_new_tokens > 1) CHECK(stats.num_drafted > 0);
  }
}

TEST_CASE("guesses survive preemption, and memory that is short", "[property]") {
  Rig rig;
  auto params = kParams;
  params.num_samples = 48;
  params.max_new_tokens = 120;
  rollout::EngineStats stats;
  const auto scarce = rig.run({.kv_cache_mb = 1, .num_draft_tokens = 1}, params, &stats);
  CHECK(stats.num_preemptions > 0);
  CHECK(stats.num_drafted > 0);
  check_equal(rig.run({}, params), scarce);
}

TEST_CASE("guesses that come true save passes") {
  // With weights this small each token predicts itself through the tied embedding; the MTP module does so too once its
  // projection hands the token's embedding on.
  Rig rig(0.02);
  const auto parameters = rig.config.parameters();
  const auto at = std::ranges::find(parameters, "model.layers.2.eh_proj.weight", &model::ModelConfig::Parameter::name);
  auto& projection = rig.init->storage[static_cast<size_t>(at - parameters.begin())];
  const auto d = static_cast<size_t>(rig.config.hidden_size);
  std::ranges::fill(projection, 0.0f);
  for (size_t i = 0; i < d; ++i) projection[i * 2 * d + i] = 1;
  auto params = kParams;
  params.temperature = 0;
  params.num_samples = 1;
  params.eos = SamplingParams::Eos::kIgnore;
  rollout::EngineStats plain, guessed;
  check_equal(rig.run({}, params, &plain), rig.run({.num_draft_tokens = 1}, params, &guessed));
  INFO(guessed.num_accepted << " of " << guessed.num_drafted << ", " << guessed.num_steps << " for "
                            << plain.num_steps);
  CHECK(guessed.num_accepted > 0.9 * static_cast<double>(guessed.num_drafted));
  CHECK(guessed.num_steps < 0.7 * static_cast<double>(plain.num_steps));
}

TEST_CASE("tokens drawn beside guesses have the model's distribution", "[property]") {
  // The third token of 4000 samples after one prompt, against its frequencies without guesses at other seeds.
  Rig rig(0.25);
  auto params = kParams;
  params.num_samples = 4000;
  params.max_new_tokens = 3;
  params.top_k = 8;
  const std::vector<Prompt> one{{.id = "p", .token_ids = {30, 40, 50}}};
  const auto frequencies = [&](int64_t drafts, uint64_t seed) {
    params.seed = seed;
    std::map<int32_t, double> count;
    const auto samples = rig.run({.num_draft_tokens = drafts}, params, nullptr, 2, one);
    for (const auto& s : samples[0]) ++count[s.token_ids.at(1)];
    return count;
  };
  const auto plain = frequencies(0, 1), guessed = frequencies(1, 2);
  double chi_square = 0;
  int cells = 0;
  for (const auto& [token, n] : plain) {
    const double m = guessed.contains(token) ? guessed.at(token) : 0;
    if (n + m < 20) continue;
    chi_square += (n - m) * (n - m) / (n + m);
    ++cells;
  }
  INFO("chi square " << chi_square << " of " << cells << " cells");
  REQUIRE(cells > 3);
  CHECK(chi_square < cells + 4 * std::sqrt(2.0 * cells));  // four standard deviations
}

TEST_CASE("drafts that cannot be are refused by name") {
  Rig rig;
  ThreadPool pool(1);
  model::Decoder plain(rig.config, rig.init->weights, model::WeightFormat::kF32, pool);
  CHECK_THROWS_WITH(Engine(plain, rig.tokenizer, {0}, {.num_draft_tokens = 1}), Catch::Contains("holds no MTP module"));
  CHECK_THROWS_WITH(Engine(plain, rig.tokenizer, {0}, {.num_draft_tokens = 2}),
                    Catch::Contains("must be 0 or 1, got 2"));
  auto config = rig.config;
  config.num_mtp_layers = 0;
  CHECK_THROWS_WITH(model::Decoder(config, rig.init->weights, model::WeightFormat::kF32, pool, model::Mtp::kLoaded),
                    Catch::Contains("no MTP module to draft with"));
}
