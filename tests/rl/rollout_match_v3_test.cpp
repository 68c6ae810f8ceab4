// DeepSeek-V3: what the engine writes down, with MTP speculation and without, is what training computes.

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "model/decoder.h"
#include "rl/policy_batch.h"
#include "rollout/engine.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;

namespace {

std::vector<Prompt> prompts() {
  std::vector<Prompt> out;
  for (int i = 0; i < 4; ++i) {
    std::vector<int32_t> ids;
    for (int t = 0; t < 5 + 13 * i; ++t) ids.push_back(20 + (t * 37 + i * 101) % 230);
    out.push_back({.id = "p" + std::to_string(i), .token_ids = ids});
  }
  return out;
}

}  // namespace

TEST_CASE("DeepSeek-V3's log-probs of sampled tokens are training's to 1e-5, with guesses and without", "[property]") {
  const int64_t num_drafts = GENERATE(0, 1);
  INFO(num_drafts << " drafts");
  const auto config = tiny_v3_config();
  const auto weights = tiny_weights(config);
  const auto tokenizer = tiny_tokenizer();
  nn::CausalLm policy(config, weights->weights, {});
  model::Decoder decoder(config, policy.parameters().source(), model::WeightFormat::kF32, compute_pool(),
                         num_drafts > 0 ? model::Mtp::kLoaded : model::Mtp::kLeftOut);
  rollout::Engine engine(decoder, tokenizer, {1}, {.num_draft_tokens = num_drafts});
  const auto asked = prompts();
  const auto samples =
      engine.generate(asked, {.num_samples = 5, .temperature = 0.8, .max_new_tokens = 40, .seed = 3}, {});
  CHECK((engine.stats().num_drafted > 0) == (num_drafts > 0));

  std::vector<rl::Experience> experiences;
  for (size_t p = 0; p < asked.size(); ++p) {
    for (const auto& sample : samples[p]) experiences.push_back({.prompt = &asked[p], .sample = &sample});
  }
  double worst = 0;  // of log-probs beyond -1 as a share: float32 at 16 has steps of 1e-6
  int64_t num_tokens = 0;
  for (const auto& batch : rl::make_micro_batches(experiences, 512)) {
    const auto got = rl::completion_log_probs(policy, batch, 0.8).log_probs.detach().contiguous();
    for (size_t i = 0; i < batch.members.size(); ++i) {
      const auto& wanted = experiences[batch.members[i]].sample->logprobs;
      REQUIRE(batch.offsets[i + 1] - batch.offsets[i] == std::ssize(wanted));
      for (size_t t = 0; t < wanted.size(); ++t) {
        const auto gap = got.const_data_ptr<float>()[static_cast<size_t>(batch.offsets[i]) + t] - wanted[t];
        worst = std::max(worst, static_cast<double>(std::abs(gap) / std::max(1.0f, std::abs(wanted[t]))));
        ++num_tokens;
      }
    }
  }
  CHECK(num_tokens > 200);
  CHECK(worst < 1e-5);
}
