#include "kernels/moe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "core/thread_pool.h"
#include "formats/safetensors.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;

namespace {

std::vector<float> random_floats(size_t count, uint64_t stream, float spread = 1) {
  RandomStream random(9, stream);
  std::vector<float> out(count);
  for (auto& x : out) x = (static_cast<float>(random.below(20001)) / 10000 - 1) * spread;
  return out;
}

struct Routed {
  std::vector<float> scores, weights;
  std::vector<int32_t> experts;
};

Routed run_route(const RouterShape& shape, const std::vector<float>& logits, const std::vector<float>& bias) {
  ThreadPool pool(2);
  const auto t = static_cast<int64_t>(logits.size()) / shape.num_experts;
  Routed r{.scores = std::vector<float>(logits.size()),
           .weights = std::vector<float>(t * shape.top_k),
           .experts = std::vector<int32_t>(t * shape.top_k)};
  route(pool, shape, logits.data(), bias.data(), t, r.scores.data(), r.experts.data(), r.weights.data());
  return r;
}

}  // namespace

TEST_CASE("experts and weights are transformers'", "[golden]") {
  const std::string folder = std::string(R1_FIXTURES) + "/deepseek_v3";
  const formats::SafetensorsFile reference(folder + "/reference.safetensors"), model(folder + "/model.safetensors");
  for (const std::string layer : {"2", "3"}) {
    const auto logits = to_float32(*reference.find("route." + layer + ".logits"));
    const auto bias = to_float32(*model.find("model.layers." + layer + ".mlp.gate.e_score_correction_bias"));
    const auto r =
        run_route({.num_experts = 16, .top_k = 4, .num_groups = 4, .top_groups = 2, .scaling = 2.5f}, logits, bias);
    const auto wanted = to_float32(*reference.find("route." + layer + ".indices"));
    CHECK(std::equal(wanted.begin(), wanted.end(), r.experts.begin(), r.experts.end()));
    const auto weights = to_float32(*reference.find("route." + layer + ".weights"));
    for (size_t i = 0; i < weights.size(); ++i) CHECK(r.weights[i] == Approx(weights[i]).epsilon(1e-5));
  }
}

TEST_CASE("the bias chooses and does not weigh; groups are kept by the sum of their best two") {
  // Groups {0,1}, {2,3}, {4,5}: best pairs 1.1, 1.0, 0.9 without bias.
  const std::vector<float> p{0.9f, 0.2f, 0.5f, 0.5f, 0.8f, 0.1f};
  std::vector<float> logits;
  for (const float x : p) logits.push_back(std::log(x / (1 - x)));
  RouterShape shape{.num_experts = 6, .top_k = 2, .num_groups = 3, .top_groups = 1, .normalises = false, .scaling = 2};
  const auto plain = run_route(shape, logits, std::vector<float>(6));
  CHECK(plain.experts == std::vector<int32_t>{0, 1});
  CHECK(plain.weights[0] == Approx(1.8));
  const auto biased = run_route(shape, logits, {0, 0, 0, 0, 0, 0.5f});
  CHECK(biased.experts == std::vector<int32_t>{4, 5});
  CHECK(biased.weights[1] == Approx(0.2));
  shape.top_groups = 2;
  CHECK(run_route(shape, logits, std::vector<float>(6)).experts ==
        std::vector<int32_t>{0, 2});  // ties: the lower index
  const auto negative =
      run_route(shape, logits, std::vector<float>(6, -5));  // dropped groups stay dropped: -inf, not 0
  CHECK(negative.experts == std::vector<int32_t>{0, 2});
}

TEST_CASE("the gate's gradient is that of differences") {
  ThreadPool pool(1);
  const auto d_weights = random_floats(4 * 3, 4);
  const auto bias = random_floats(8, 2, 0.1f);
  for (const bool normalises : {true, false}) {
    const RouterShape shape{
        .num_experts = 8, .top_k = 3, .num_groups = 2, .top_groups = 2, .normalises = normalises, .scaling = 1.7f};
    auto logits = random_floats(4 * 8, 1, 2);
    const auto r = run_route(shape, logits, bias);
    std::vector<float> d_logits(logits.size());
    route_backward(pool, shape, r.scores.data(), r.experts.data(), d_weights.data(), 4, d_logits.data());
    for (size_t i = 0; i < logits.size(); ++i) {
      const auto loss = [&](float shift) {
        auto moved = logits;
        moved[i] += shift;
        const auto m = run_route(shape, moved, bias);
        REQUIRE(m.experts == r.experts);
        return std::inner_product(m.weights.begin(), m.weights.end(), d_weights.begin(), 0.0);
      };
      CHECK(d_logits[i] == Approx((loss(1e-3f) - loss(-1e-3f)) / 2e-3).margin(2e-3));
    }
  }
}

TEST_CASE("the plan holds each choice once, sorted by expert and token, and no expert without tokens") {
  const std::vector<int32_t> experts{1, 5, 1, 7, 5, 7};  // 3 tokens, 2 each
  const auto plan = plan_experts(experts, 2, 9);
  CHECK(plan.active == std::vector<int32_t>{1, 5, 7});
  CHECK(plan.offsets == std::vector<int64_t>{0, 2, 4, 6});
  CHECK(plan.tokens == std::vector<int32_t>{0, 1, 0, 2, 1, 2});
  CHECK(plan.slots == std::vector<int32_t>{0, 2, 1, 4, 3, 5});
  ThreadPool pool(2);
  std::vector<int32_t> seen(9);
  for_each_expert(pool, plan, [&](int32_t e, int64_t, int64_t count) { seen[e] += static_cast<int32_t>(count); });
  CHECK(seen == std::vector<int32_t>{0, 2, 0, 0, 0, 2, 0, 2, 0});
}

TEST_CASE("rows are combined by their weights, and the backward pass is the transpose") {
  ThreadPool pool(2);
  const std::vector<int32_t> experts{0, 2, 1, 2};
  const auto plan = plan_experts(experts, 2, 3);
  const auto rows = random_floats(4 * 20, 1), weights = random_floats(4, 2), d_y = random_floats(2 * 20, 3);
  std::vector<float> y(40), d_rows(80), d_weights(4), gathered(80);
  combine_rows(pool, rows.data(), 20, plan, 2, weights.data(), y.data());
  for (int i = 0; i < 20; ++i) {
    CHECK(y[i] ==
          Approx(weights[0] * rows[plan.slots[0] * 20 + i] + weights[1] * rows[plan.slots[1] * 20 + i]).margin(1e-6));
  }
  combine_rows_backward(pool, rows.data(), 20, plan, 2, weights.data(), d_y.data(), d_rows.data(), d_weights.data());
  const double forward = std::inner_product(y.begin(), y.end(), d_y.begin(), 0.0);
  CHECK(std::inner_product(rows.begin(), rows.end(), d_rows.begin(), 0.0) == Approx(forward).epsilon(1e-5));
  CHECK(std::inner_product(weights.begin(), weights.end(), d_weights.begin(), 0.0) == Approx(forward).epsilon(1e-5));
  gather_rows(pool, d_y.data(), 20, plan.tokens, gathered.data());
  CHECK(std::equal(gathered.begin(), gathered.begin() + 20, d_y.begin()));
}

TEST_CASE("the balance loss is 1 for even scores, more for skewed ones, and its gradient that of differences") {
  ThreadPool pool(2);
  const std::vector<int32_t> offsets{0, 3, 3, 10};
  std::vector<float> losses(3);
  balance_losses(pool, std::vector<float>(10 * 4, 0.5f).data(), 4, 4, offsets, losses.data());
  CHECK(losses[0] == Approx(1));
  CHECK(losses[1] == 0);  // an empty segment
  std::vector<float> logits = random_floats(10 * 4, 1, 2), scores(40);
  logits[3 * 4] = 4;
  const auto loss_of = [&](const std::vector<float>& x) {
    const auto r = run_route({.num_experts = 4, .top_k = 2}, x, std::vector<float>(4));
    std::vector<float> l(3);
    balance_losses(pool, r.scores.data(), 4, 2, offsets, l.data());
    scores = r.scores;
    return 0.5 * l[0] + 2.0 * l[2];
  };
  const std::vector<float> d_losses{0.5f, 7, 2};
  loss_of(logits);
  std::vector<float> d_logits(40);
  add_balance_gradient(pool, scores.data(), 4, 2, offsets, d_losses.data(), d_logits.data());
  for (size_t i = 0; i < 40; ++i) {
    auto up = logits, down = logits;
    up[i] += 1e-3f, down[i] -= 1e-3f;
    CHECK(d_logits[i] == Approx((loss_of(up) - loss_of(down)) / 2e-3).margin(3e-3));
  }
}
