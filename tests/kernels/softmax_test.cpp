#include "kernels/softmax.h"

#include <limits>

#include "core/error.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;
using namespace r1::kernels::testing;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// log softmax of one row, in double.
std::vector<double> log_softmax(std::span<const double> logits, double inv_temperature) {
  double max = -kInf, sum = 0;
  for (const double x : logits) max = std::max(max, x * inv_temperature);
  for (const double x : logits) sum += std::exp(x * inv_temperature - max);
  std::vector<double> result;
  for (const double x : logits) result.push_back(x * inv_temperature - max - std::log(sum));
  return result;
}

double entropy(const std::vector<double>& log_p) {
  double sum = 0;
  for (const double l : log_p) sum -= std::isinf(l) ? 0 : std::exp(l) * l;
  return sum;
}

std::vector<float> random_logits(int64_t count, uint64_t seed) {
  std::vector<float> logits = random_floats(count, seed);
  for (float& x : logits) x *= 8;
  return logits;
}

// Rows of `v` logits `ld` apart, with a target each.
struct Rows {
  int64_t r, v, ld;
  std::vector<float> logits;
  std::vector<int32_t> targets;

  Rows(int64_t r, int64_t v, int64_t ld) : r(r), v(v), ld(ld), logits(random_logits(r * ld, 1)) {
    for (int64_t row = 0; row < r; ++row) targets.push_back(static_cast<int32_t>(row * 5 % v));
  }
  std::vector<double> row(int64_t index) const {
    return {logits.begin() + index * ld, logits.begin() + index * ld + v};
  }
};

struct TokenStats {
  std::vector<float> log_probs, entropies;
};

TokenStats run(ThreadPool& pool, const Rows& rows, float inv_temperature) {
  TokenStats stats{std::vector<float>(rows.r), std::vector<float>(rows.r)};
  token_log_probs(pool, rows.logits.data(), rows.r, rows.v, rows.ld, inv_temperature, rows.targets,
                  stats.log_probs.data(), stats.entropies.data());
  return stats;
}

}  // namespace

TEST_CASE("token_log_probs gives the log-softmax of the targets and the entropies, the same in every setting") {
  for (const int64_t v : {1, 2, 15, 16, 17, 31, 300, 4099}) {
    for (const float inv_temperature : {1.0f, 0.7f, 2.5f}) {
      const Rows rows(7, v, v + 3);
      ThreadPool reference_pool(1);
      const TokenStats first = run(reference_pool, rows, inv_temperature);
      for (int64_t row = 0; row < rows.r; ++row) {
        const std::vector<double> log_p = log_softmax(rows.row(row), inv_temperature);
        INFO("v " << v << ", inv_temperature " << inv_temperature << ", row " << row);
        CHECK(first.log_probs[row] == Approx(log_p[rows.targets[row]]).epsilon(1e-6).margin(2e-6));
        CHECK(first.entropies[row] == Approx(entropy(log_p)).epsilon(1e-5).margin(3e-6));
      }
      for_each_setting([&](ThreadPool& pool, const std::string& setting) {
        INFO(setting << ", v " << v);
        const TokenStats again = run(pool, rows, inv_temperature);
        REQUIRE(first_difference(first.log_probs, again.log_probs) == -1);
        REQUIRE(first_difference(first.entropies, again.entropies) == -1);
      });
    }
  }
}

TEST_CASE(
    "log_sum_exp gives the sampler the same bits as token_log_probs gives the trainer, with entropies or without") {
  const Rows rows(3, 1000, 1000);
  ThreadPool pool(2);
  const TokenStats stats = run(pool, rows, 1.25f);
  std::vector<float> without(rows.r);
  token_log_probs(pool, rows.logits.data(), rows.r, rows.v, rows.ld, 1.25f, rows.targets, without.data(), nullptr);
  for (int64_t row = 0; row < rows.r; ++row) {
    const float* x = rows.logits.data() + row * rows.ld;
    const LogSumExp lse = log_sum_exp(x, rows.v, 1.25f);
    CHECK(same_bits(lse.log_prob(x[rows.targets[row]] * 1.25f), stats.log_probs[row]));
    CHECK(same_bits(without[row], stats.log_probs[row]));
  }
}

TEST_CASE("log_sum_exp is right at the edges") {
  struct Case {
    const char* why;
    std::vector<float> logits;
    float max, log_sum;
  };
  const Case cases[] = {
      {"one logit", {3.0f}, 3.0f, 0.0f},
      {"masked logits count nothing", {-kInf, 2.0f, -kInf}, 2.0f, 0.0f},
      {"large logits do not overflow", {3e38f, 3e38f}, 3e38f, std::log(2.0f)},
      {"far ones vanish", {0.0f, -1000.0f}, 0.0f, 0.0f},
      {"a NaN shows", {1.0f, kNaN, 2.0f}, 2.0f, kNaN},
      {"all masked", {-kInf, -kInf}, -kInf, kNaN},
  };
  for (const Case& c : cases) {
    for_each_setting([&](ThreadPool&, const std::string& setting) {
      INFO(c.why << ", " << setting);
      const LogSumExp lse = log_sum_exp(c.logits.data(), static_cast<int64_t>(c.logits.size()), 1.0f);
      CHECK(same_bits(lse.log_sum, c.log_sum));
      CHECK((std::isnan(c.log_sum) || lse.max == c.max));
    });
  }
}

TEST_CASE("a NaN anywhere in a long row makes its log-prob NaN and leaves the other rows alone") {
  for (int64_t place = 0; place < 50; ++place) {
    Rows rows(3, 50, 50);
    ThreadPool pool(1);
    const TokenStats clean = run(pool, rows, 1.0f);
    rows.logits[50 + place] = kNaN;
    for_each_setting([&](ThreadPool& p, const std::string& setting) {
      INFO(setting << ", place " << place);
      const TokenStats stats = run(p, rows, 1.0f);
      REQUIRE(std::isnan(stats.log_probs[1]));
      REQUIRE(std::isnan(stats.entropies[1]));
      REQUIRE(same_bits(stats.log_probs[0], clean.log_probs[0]));
      REQUIRE(same_bits(stats.log_probs[2], clean.log_probs[2]));
    });
  }
}

namespace {

std::vector<float> run_backward(ThreadPool& pool, const Rows& rows, float inv_temperature,
                                const std::vector<float>& d_log_probs, const std::vector<float>& d_entropies) {
  const TokenStats stats = run(pool, rows, inv_temperature);
  std::vector<float> gradient = rows.logits;
  token_log_probs_backward(pool, gradient.data(), rows.r, rows.v, rows.ld, inv_temperature, rows.targets,
                           d_entropies.empty() ? nullptr : stats.entropies.data(), d_log_probs.data(),
                           d_entropies.empty() ? nullptr : d_entropies.data());
  return gradient;
}

// d/dx_j of (d_log_prob log_prob + d_entropy entropy) of one row, by central differences in double.
double numeric_derivative(const Rows& rows, int64_t row, int64_t j, double inv_temperature, double d_log_prob,
                          double d_entropy) {
  constexpr double kStep = 1e-5;
  double loss[2];
  for (const int side : {0, 1}) {
    std::vector<double> x = rows.row(row);
    x[j] += side == 0 ? -kStep : kStep;
    const std::vector<double> log_p = log_softmax(x, inv_temperature);
    loss[side] = d_log_prob * log_p[rows.targets[row]] + d_entropy * entropy(log_p);
  }
  return (loss[1] - loss[0]) / (2 * kStep);
}

}  // namespace

TEST_CASE("token_log_probs_backward is the derivative of log-probs and entropies, the same in every setting") {
  const std::vector<float> d_log_probs = random_floats(4, 2), d_entropies = random_floats(4, 3);
  for (const std::vector<float>& d_h : {std::vector<float>{}, d_entropies}) {
    for (const int64_t v : {1, 5, 16, 37}) {
      const Rows rows(4, v, v + 2);
      ThreadPool reference_pool(1);
      const std::vector<float> first = run_backward(reference_pool, rows, 0.8f, d_log_probs, d_h);
      for (int64_t row = 0; row < rows.r; ++row) {
        for (int64_t j = 0; j < v; ++j) {
          INFO("v " << v << ", row " << row << ", logit " << j << ", entropies " << !d_h.empty());
          const double wanted = numeric_derivative(rows, row, j, 0.8f, d_log_probs[row], d_h.empty() ? 0 : d_h[row]);
          REQUIRE(first[row * rows.ld + j] == Approx(wanted).margin(2e-6).epsilon(1e-5));
        }
        for (int64_t j = v; j < rows.ld; ++j)
          CHECK(same_bits(first[row * rows.ld + j], rows.logits[row * rows.ld + j]));
      }
      for_each_setting([&](ThreadPool& pool, const std::string& setting) {
        INFO(setting << ", v " << v);
        REQUIRE(first_difference(first, run_backward(pool, rows, 0.8f, d_log_probs, d_h)) == -1);
      });
    }
  }
}

TEST_CASE("masked logits get no gradient, with entropies too") {
  Rows rows(1, 20, 20);
  rows.logits[3] = rows.logits[18] = -kInf;
  ThreadPool pool(1);
  const TokenStats stats = run(pool, rows, 1.0f);
  CHECK(std::isfinite(stats.entropies[0]));
  const std::vector<float> gradient = run_backward(pool, rows, 1.0f, {1.0f}, {1.0f});
  CHECK(gradient[3] == 0);
  CHECK(gradient[18] == 0);
  for (const float g : gradient) CHECK(std::isfinite(g));
}

TEST_CASE("a target outside the vocabulary and a missing target are refused") {
  ThreadPool pool(1);
  Rows rows(2, 10, 10);
  std::vector<float> log_probs(2), d(2, 1.0f);
  for (const int32_t bad : {-1, 10}) {
    rows.targets[1] = bad;
    CHECK_THROWS_WITH(run(pool, rows, 1.0f), Catch::Contains("allowed are 0 to 9"));
    CHECK_THROWS_AS(
        token_log_probs_backward(pool, rows.logits.data(), 2, 10, 10, 1.0f, rows.targets, nullptr, d.data(), nullptr),
        Error);
  }
  rows.targets.pop_back();
  CHECK_THROWS_AS(run(pool, rows, 1.0f), Error);
}
