// The property everything rests on: the log-probs that the engine wrote down are the trainer's, bit for bit.

#include <torch/torch.h>

#include <cstring>

#include "core/thread_pool.h"
#include "model/decoder.h"
#include "rl/policy_batch.h"
#include "rollout/engine.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;

namespace {

struct Row {
  std::string why;
  nn::Precision precision;
  model::WeightFormat format;
  int64_t micro_batch_tokens;
  int64_t max_batch_tokens;
  bool is_v3 = false;
};

}  // namespace

TEST_CASE("the trainer's log-probs of the engine's samples are the engine's, bit for bit, however either batches them",
          "[property]") {
  const auto row = GENERATE(
      Row{"float32", nn::Precision::kF32, model::WeightFormat::kF32, 4096, 512},
      Row{"float32, small batches", nn::Precision::kF32, model::WeightFormat::kF32, 64, 7},
      Row{"bfloat16", nn::Precision::kBF16, model::WeightFormat::kBF16, 4096, 512},
      Row{"bfloat16, small batches", nn::Precision::kBF16, model::WeightFormat::kBF16, 64, 7},
      Row{"DeepSeek-V3, float32", nn::Precision::kF32, model::WeightFormat::kF32, 4096, 512, true},
      Row{"DeepSeek-V3, float32, small batches", nn::Precision::kF32, model::WeightFormat::kF32, 64, 7, true},
      Row{"DeepSeek-V3, bfloat16", nn::Precision::kBF16, model::WeightFormat::kBF16, 4096, 512, true},
      Row{"DeepSeek-V3, bfloat16, small batches", nn::Precision::kBF16, model::WeightFormat::kBF16, 64, 7, true});
  INFO(row.why);
  const auto config = row.is_v3 ? tiny_v3_config() : tiny_config();
  const auto init = tiny_weights(config);
  const auto tokenizer = tiny_tokenizer();
  nn::CausalLm policy(config, init->weights,
                      {.precision = row.precision, .latent_attention = nn::LatentAttention::kAbsorbed});
  model::Decoder decoder(config, policy.parameters().source(), row.format, compute_pool());
  rollout::Engine engine(decoder, tokenizer, {0}, {.max_batch_tokens = row.max_batch_tokens});
  std::vector<Prompt> prompts;
  for (int i = 0; i < 4; ++i) {
    std::vector<int32_t> ids;
    for (int t = 0; t < 5 + 13 * i; ++t) ids.push_back(20 + (t * 37 + i * 101) % 1300);
    prompts.push_back({.id = "p" + std::to_string(i), .token_ids = ids});
  }
  const auto samples =
      engine.generate(prompts, {.num_samples = 5, .temperature = 0.8, .max_new_tokens = 40, .seed = 3}, {});

  std::vector<rl::Experience> experiences;
  for (size_t p = 0; p < prompts.size(); ++p) {
    for (const auto& sample : samples[p]) experiences.push_back({.prompt = &prompts[p], .sample = &sample});
  }
  int64_t num_tokens = 0;
  for (const auto& batch : rl::make_micro_batches(experiences, row.micro_batch_tokens)) {
    const auto got = rl::completion_log_probs(policy, batch, 0.8).log_probs.detach().contiguous();
    for (size_t i = 0; i < batch.members.size(); ++i) {
      const auto& wanted = experiences[batch.members[i]].sample->logprobs;
      num_tokens += std::ssize(wanted);
      REQUIRE(batch.offsets[i + 1] - batch.offsets[i] == std::ssize(wanted));
      CHECK(std::memcmp(got.const_data_ptr<float>() + batch.offsets[i], wanted.data(), wanted.size() * sizeof(float)) ==
            0);
    }
  }
  CHECK(num_tokens > 200);
}
