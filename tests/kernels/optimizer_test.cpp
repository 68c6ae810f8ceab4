#include "kernels/optimizer.h"

#include <limits>

#include "core/error.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;
using namespace r1::kernels::testing;

namespace {

struct State {
  std::vector<float> weight, m, v;
};

// Several steps under each setting's pool, with a new gradient each.
State run_steps(ThreadPool& pool, AdamWArgs args, int64_t count, int num_steps) {
  State s{random_floats(count, 1), std::vector<float>(count), std::vector<float>(count)};
  for (args.step = 1; args.step <= num_steps; ++args.step) {
    const std::vector<float> grad = random_floats(count, 100 + args.step);
    adamw(pool, args, s.weight.data(), s.m.data(), s.v.data(), grad.data(), count);
  }
  return s;
}

// arXiv:1711.05101, Algorithm 2, in double.
std::vector<double> reference_weights(const AdamWArgs& args, int64_t count, int num_steps) {
  const std::vector<float> start = random_floats(count, 1);
  std::vector<double> w(start.begin(), start.end()), m(count), v(count);
  for (int step = 1; step <= num_steps; ++step) {
    const std::vector<float> grad = random_floats(count, 100 + step);
    for (int64_t i = 0; i < count; ++i) {
      const double g = grad[i] * args.grad_scale;
      m[i] = args.beta1 * m[i] + (1 - args.beta1) * g;
      v[i] = args.beta2 * v[i] + (1 - args.beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(args.beta1, step)), v_hat = v[i] / (1 - std::pow(args.beta2, step));
      w[i] -= args.learning_rate * args.weight_decay * w[i];
      w[i] -= args.learning_rate * m_hat / (std::sqrt(v_hat) + args.eps);
    }
  }
  return w;
}

}  // namespace

TEST_CASE("adamw follows the paper's algorithm over steps, with the same bits in every setting") {
  struct Case {
    const char* why;
    AdamWArgs args;
  };
  const Case cases[] = {
      {"defaults", {.learning_rate = 1e-2}},
      {"decay", {.learning_rate = 1e-2, .weight_decay = 0.1}},
      {"other betas, clipped gradients", {.learning_rate = 3e-3, .beta1 = 0.8, .beta2 = 0.95, .grad_scale = 0.25}},
  };
  for (const Case& c : cases) {
    for (const int64_t count : {1, 16, 1000}) {
      INFO(c.why << ", count " << count);
      ThreadPool reference_pool(1);
      const State first = run_steps(reference_pool, c.args, count, 20);
      const std::vector<double> wanted = reference_weights(c.args, count, 20);
      for (int64_t i = 0; i < count; ++i) REQUIRE(std::abs(first.weight[i] - wanted[i]) < 2e-6);
      for_each_setting([&](ThreadPool& pool, const std::string& setting) {
        INFO(setting);
        const State again = run_steps(pool, c.args, count, 20);
        REQUIRE(first_difference(first.weight, again.weight) == -1);
        REQUIRE(first_difference(first.m, again.m) == -1);
        REQUIRE(first_difference(first.v, again.v) == -1);
      });
    }
  }
}

TEST_CASE("adamw gives what torch.optim.AdamW gives") {
  // torch 2.11.0: lr 0.01, betas (0.9, 0.999), eps 1e-8, weight_decay 0.1; three steps with the gradients below.
  std::vector<float> weight = {1.0f, -2.0f, 0.5f, 0.0f}, m(4), v(4);
  const std::vector<std::vector<float>> grads = {
      {0.1f, -0.2f, 3.0f, 0.0f}, {0.3f, 0.2f, -1.0f, 1e-4f}, {-0.5f, 0.0f, 2.0f, 1e-6f}};
  const std::vector<float> wanted = {0.979463577f, -1.98495877f, 0.478492469f, -0.0132476902f};
  ThreadPool pool(1);
  AdamWArgs args{.learning_rate = 0.01, .weight_decay = 0.1};
  for (const std::vector<float>& grad : grads) {
    adamw(pool, args, weight.data(), m.data(), v.data(), grad.data(), 4);
    ++args.step;
  }
  for (size_t i = 0; i < 4; ++i) {
    INFO("weight " << i);
    CHECK(std::abs(weight[i] - wanted[i]) <= 2e-7f * std::abs(wanted[i]));
  }
}

TEST_CASE("adamw covers counts beyond one piece, and lets a NaN gradient show") {
  const int64_t count = 70001;
  std::vector<float> weight(count, 1.0f), m(count), v(count), grad(count, 1.0f);
  grad[69999] = std::numeric_limits<float>::quiet_NaN();
  ThreadPool pool(3);
  adamw(pool, {.learning_rate = 0.5}, weight.data(), m.data(), v.data(), grad.data(), count);
  for (int64_t i = 0; i < count; ++i) {
    if (i == 69999) {
      CHECK(std::isnan(weight[i]));
    } else {
      REQUIRE(weight[i] == Approx(0.5));
    }
  }
  adamw(pool, {.learning_rate = 0.5}, nullptr, nullptr, nullptr, nullptr, 0);
  CHECK_THROWS_AS(adamw(pool, {.step = 0}, weight.data(), m.data(), v.data(), grad.data(), count), Error);
}

TEST_CASE("sum_of_squares is exact where it can be, and the same in every setting") {
  for (const int64_t count : {0, 1, 15, 17, 1000, 65536, 65537, 200003}) {
    const std::vector<float> x = random_floats(count, 4);
    double expected = 0;
    for (const float value : x) expected += static_cast<double>(value) * value;
    ThreadPool reference_pool(1);
    const double first = sum_of_squares(reference_pool, x.data(), count);
    INFO("count " << count);
    CHECK(first == Approx(expected).epsilon(1e-12));
    for_each_setting([&](ThreadPool& pool, const std::string& setting) {
      INFO(setting);
      REQUIRE(sum_of_squares(pool, x.data(), count) == first);
    });
  }
  ThreadPool pool(2);
  const std::vector<float> threes(100000, 3.0f);
  CHECK(sum_of_squares(pool, threes.data(), 100000) == 900000);
}
