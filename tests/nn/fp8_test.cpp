// Training through FP8 (arXiv:2412.19437v1 section 3.3) against float32.

#include <torch/torch.h>

#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using namespace r1::nn;

namespace {

model::ModelConfig config_with(int64_t num_experts) {
  auto c = tiny_v3_config(64);
  c.moe->num_experts = num_experts;
  c.moe->num_groups = c.moe->top_groups = 1;
  return c;
}

PackedTokens tokens_of(int64_t count, int64_t vocab, std::vector<int32_t>& ids) {
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>((i * 29 + i / 7) % vocab));
  const std::vector<std::span<const int32_t>> views{ids};
  return pack(views);
}

}  // namespace

TEST_CASE("FP8 products train: loss and gradients stay near those of float32, and weights are not rounded in place") {
  auto config = config_with(8);
  config.moe->top_k = 8;  // no choice: a token that FP8's error routes elsewhere would hide everything else
  const auto weights = tiny_weights(config);
  std::vector<int32_t> ids;
  const auto tokens = tokens_of(80, config.vocab_size, ids);
  const auto run = [&](Precision precision) {
    CausalLm model(config, weights->weights, {.precision = precision});
    const auto before = model.parameters().weights().clone();
    const auto hidden = model.forward(tokens);
    (hidden * torch::linspace(-1, 1, hidden.numel()).view_as(hidden))
        .sum()
        .backward();  // a sum of squares would be the norm's
    CHECK(model.parameters().weights().equal(before));
    return std::pair(hidden.detach(), model.parameters().grads().clone());
  };
  const auto [hidden, grads] = run(Precision::kF32);
  const auto [fp8_hidden, fp8_grads] = run(Precision::kFp8);
  const auto near = [](const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); };
  CHECK(near(fp8_hidden, hidden) > 1e-4);  // it is FP8
  CHECK(near(fp8_hidden, hidden) < 0.15);
  CHECK(at::cosine_similarity(fp8_grads, grads, 0).item<double>() > 0.9);
  auto dense = tiny_config(64);
  const auto dense_weights = tiny_weights(dense);
  CHECK_THROWS_WITH(CausalLm(dense, dense_weights->weights, {.precision = Precision::kFp8}),
                    Catch::Contains("fp8 is for DeepSeek-V3"));
}
