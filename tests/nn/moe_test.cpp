// Balancing without an auxiliary loss (arXiv:2412.19437v1 section 2.1.2), and that experts cost what their tokens cost.

#include "nn/moe.h"

#include <fmt/format.h>
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

// A gate that prefers low experts, whatever the token says.
void skew(CausalLm& model) {
  at::NoGradGuard no_grad;
  for (int64_t l = 0; l < model.num_moe_layers(); ++l) {
    const auto bias = model.parameters()
                          .get(fmt::format("model.layers.{}.mlp.gate.e_score_correction_bias", model.moe_layer(l)))
                          .weight;
    bias.copy_(torch::linspace(0.5, -0.5, bias.numel()));
  }
}

}  // namespace

TEST_CASE("a skewed router is brought into balance by its bias alone") {
  const auto config = config_with(8);
  const auto weights = tiny_weights(config);
  CausalLm model(config, weights->weights, {.gradients = Gradients::kNone});
  skew(model);
  std::vector<int32_t> ids;
  const auto tokens = tokens_of(200, config.vocab_size, ids);
  at::NoGradGuard no_grad;
  std::vector<double> curve;
  for (int step = 0; step < 200; ++step) {
    RouterReport report;
    model.mtp(tokens, model.forward(tokens, &report), &report);
    curve.push_back(max_violation(report.loads).max().item<double>());
    model.update_router_bias(report.loads, 0.01);
  }
  INFO("max violation " << curve.front() << " -> " << curve.back());
  CHECK(curve.front() > 1.5);
  CHECK(curve.back() < 0.3);
}

TEST_CASE("the bias moves by its speed, against the load, and is no gradient") {
  const auto config = config_with(4);
  const auto weights = tiny_weights(config);
  CausalLm model(config, weights->weights, {});
  const auto name = fmt::format("model.layers.{}.mlp.gate.e_score_correction_bias", model.moe_layer(0));
  auto loads = torch::zeros({model.num_moe_layers(), 4}, at::kLong);
  loads[0] = torch::tensor({10, 2, 6, 6}, at::kLong);
  model.update_router_bias(loads, 0.25);
  const auto bias = model.parameters().get(name);
  CHECK(bias.weight.equal(torch::tensor({-0.25f, 0.25f, 0.0f, 0.0f})));
  CHECK_FALSE(bias.grad.defined());
  CHECK(std::ranges::count(model.parameters().names(), name) == 0);
  const auto untouched = fmt::format("model.layers.{}.mlp.gate.e_score_correction_bias", model.moe_layer(1));
  CHECK(model.parameters().get(untouched).weight.abs().max().item<float>() == 0);  // a layer that did not run
}

TEST_CASE("the balance loss goes through the gate, on both backends and with recomputation alike") {
  const auto config = config_with(8);
  const auto weights = tiny_weights(config);
  std::vector<int32_t> ids;
  const auto tokens = tokens_of(60, config.vocab_size, ids);
  const auto gradient = [&](Backend backend, Recompute recompute) {
    CausalLm model(config, weights->weights, {.recompute = recompute, .backend = backend});
    RouterReport report;
    model.forward(tokens, &report);
    report.balance.backward();
    return model.parameters().grads().clone();
  };
  const auto wanted = gradient(Backend::kKernels, Recompute::kNothing);
  CHECK(wanted.norm().item<double>() > 1e-3);
  CHECK(gradient(Backend::kKernels, Recompute::kLayers).equal(wanted));
  CHECK((gradient(Backend::kAten, Recompute::kNothing) - wanted).abs().max().item<double>() <
        1e-3 * wanted.abs().max().item<double>());
}

TEST_CASE("an expert without tokens gets no gradient, and loads add up to the choices") {
  const auto config = config_with(32);
  const auto weights = tiny_weights(config);
  CausalLm model(config, weights->weights, {});
  std::vector<int32_t> ids;
  const auto tokens = tokens_of(4, config.vocab_size, ids);
  RouterReport report;
  model.forward(tokens, &report).sum().backward();
  CHECK(report.loads[0].sum().item<int64_t>() == 4 * config.moe->top_k);
  for (int64_t e = 0; e < 32; ++e) {
    const auto grad = model.parameters()
                          .get(fmt::format("model.layers.{}.mlp.experts.{}.up_proj.weight", model.moe_layer(0), e))
                          .grad;
    CHECK((grad.abs().max().item<float>() > 0) == (report.loads[0][e].item<int64_t>() > 0));
  }
}

TEST_CASE("MTP of depth 2 predicts from shortened segments, and segments too short for a depth are left out") {
  auto config = config_with(8);
  config.num_mtp_layers = 2;
  const auto weights = tiny_weights(config);
  CausalLm model(config, weights->weights, {});
  const std::vector<int32_t> a{1, 2, 3, 4}, b{5}, c{6, 7};
  const std::vector<std::span<const int32_t>> views{a, b, c};
  const auto tokens = pack(views);
  const auto depths = model.mtp(tokens, model.forward(tokens));
  REQUIRE(depths.size() == 2);
  CHECK(depths[0].rows == std::vector<int64_t>{0, 1, 2, 5});
  CHECK(depths[1].rows == std::vector<int64_t>{0, 1});
  CHECK(depths[1].hidden.sizes() == at::IntArrayRef({2, config.hidden_size}));
  const std::vector<std::span<const int32_t>> alone{c};
  const auto one = model.mtp(pack(alone), model.forward(pack(alone)));
  REQUIRE(one.size() == 1);  // no token for depth 2
  CHECK(one[0].hidden.equal(depths[0].hidden.narrow(0, 3, 1)));
}
