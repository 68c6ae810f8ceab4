#include "kernels/elementwise.h"

#include <functional>
#include <limits>

#include "core/error.h"
#include "kernels/vector_math.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;
using namespace r1::kernels::testing;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Runs `kernel` under every setting, requires the same bits of all, and returns them.
std::vector<float> same_everywhere(const std::function<std::vector<float>(ThreadPool&)>& kernel) {
  std::vector<float> first;
  for_each_setting([&](ThreadPool& pool, const std::string& setting) {
    const std::vector<float> result = kernel(pool);
    if (first.empty()) first = result;
    INFO(setting);
    REQUIRE(first_difference(first, result) == -1);
  });
  return first;
}

void require_close(std::span<const float> got, std::span<const double> wanted, double tolerance) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i << ": " << got[i] << ", wanted " << wanted[i]);
    REQUIRE(std::abs(got[i] - wanted[i]) <= tolerance * (1 + std::abs(wanted[i])));
  }
}

// Derivative of sum_i d_y[i] f(x)[i] with respect to each x, by central differences in double.
std::vector<double> numeric_gradient(const std::function<std::vector<double>(const std::vector<double>&)>& f,
                                     const std::vector<float>& x, const std::vector<float>& d_y) {
  const auto loss = [&](const std::vector<double>& at) {
    const std::vector<double> y = f(at);
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * d_y[i];
    return sum;
  };
  std::vector<double> at(x.begin(), x.end()), gradient(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    constexpr double kStep = 1e-5;
    const double middle = at[i];
    at[i] = middle + kStep;
    const double above = loss(at);
    at[i] = middle - kStep;
    gradient[i] = (above - loss(at)) / (2 * kStep);
    at[i] = middle;
  }
  return gradient;
}

// x [T, D] then weight [D].
std::vector<double> rms_norm_reference(const std::vector<double>& x_and_weight, int64_t t, int64_t d, double eps) {
  const double* weight = x_and_weight.data() + t * d;
  std::vector<double> y(t * d);
  for (int64_t row = 0; row < t; ++row) {
    double squares = 0;
    for (int64_t j = 0; j < d; ++j) squares += x_and_weight[row * d + j] * x_and_weight[row * d + j];
    for (int64_t j = 0; j < d; ++j) {
      y[row * d + j] = x_and_weight[row * d + j] / std::sqrt(squares / d + eps) * weight[j];
    }
  }
  return y;
}

std::vector<double> swiglu_reference(const std::vector<double>& gate_up, int64_t t, int64_t f) {
  std::vector<double> y(t * f);
  for (int64_t row = 0; row < t; ++row) {
    for (int64_t j = 0; j < f; ++j) {
      const double gate = gate_up[row * 2 * f + j];
      y[row * f + j] = gate / (1 + std::exp(-gate)) * gate_up[row * 2 * f + f + j];
    }
  }
  return y;
}

std::vector<double> to_double(const std::vector<float>& x) { return {x.begin(), x.end()}; }

std::vector<float> join(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

float ulp_distance(float got, double wanted) {
  const float nearest = static_cast<float>(wanted);
  const double ulp = std::max(std::nextafter(nearest, kInf) - static_cast<double>(nearest), 0x1p-149);
  return static_cast<float>(std::abs(got - wanted) / ulp);
}

}  // namespace

TEST_CASE("vector_exp is within 2 ulp, the same at every place in a vector, and total") {
  std::vector<float> x;
  for (float v = -104.5f; v < 89.5f; v += 0.0173f) x.push_back(v);
  const std::vector<float> special = {0.0f, -0.0f, -kInf, kInf, kNaN, -1e30f, 1e30f, 0x1p-149f, -103.9f, 88.722f};
  x.insert(x.end(), special.begin(), special.end());
  x.push_back(1.0f);
  REQUIRE(x.size() % 16 != 0);
  const std::vector<float> y = same_everywhere([&](ThreadPool&) {
    std::vector<float> result(x.size());
    vector_exp(x.data(), result.data(), static_cast<int64_t>(x.size()));
    return result;
  });
  for (size_t i = 0; i < x.size(); ++i) {
    INFO("exp(" << x[i] << ") = " << y[i]);
    CHECK(same_bits(y[i], simd::exp1(x[i])));
    const double exact = std::exp(static_cast<double>(x[i]));
    if (std::isnan(x[i])) {
      CHECK(std::isnan(y[i]));
    } else if (exact > std::numeric_limits<float>::max()) {
      CHECK(y[i] == kInf);
    } else {
      CHECK(ulp_distance(y[i], exact) <= 2);
    }
  }
  std::vector<float> in_place(x.begin(), x.begin() + 37);
  vector_exp(in_place.data(), in_place.data(), 37);
  CHECK(first_difference(in_place, std::span(y).first(37)) == -1);
}

TEST_CASE("log1 is rounded from the true logarithm") {
  for (float x = 1e-42f; x < 1e38f; x *= 1.0173f) {
    INFO("log(" << x << ") = " << simd::log1(x));
    REQUIRE(ulp_distance(simd::log1(x), std::log(static_cast<double>(x))) <= 0.501f);
  }
  CHECK(simd::log1(1.0f) == 0);
  CHECK(simd::log1(0.0f) == -kInf);
  CHECK(simd::log1(kInf) == kInf);
  CHECK(std::isnan(simd::log1(-1.0f)));
  CHECK(std::isnan(simd::log1(kNaN)));
}

TEST_CASE("rms_norm and its backward pass agree with the formula and its derivative, for every tail") {
  constexpr float kEps = 1e-5f;
  for (const int64_t d : {1, 3, 15, 16, 17, 33, 64, 100}) {
    const int64_t t = 5;
    INFO("d " << d);
    const std::vector<float> x = random_floats(t * d, 1), weight = random_floats(d, 2), d_y = random_floats(t * d, 3);
    const std::vector<float> y = same_everywhere([&](ThreadPool& pool) {
      std::vector<float> result(t * d);
      rms_norm(pool, x.data(), weight.data(), t, d, kEps, result.data(), nullptr);
      return result;
    });
    const std::vector<float> both = join(x, weight);
    require_close(y, rms_norm_reference(to_double(both), t, d, kEps), 1e-6);

    const std::vector<float> gradient = same_everywhere([&](ThreadPool& pool) {
      std::vector<float> inv_rms(t), unused(t * d), result((t + 1) * d, kNaN);
      rms_norm(pool, x.data(), weight.data(), t, d, kEps, unused.data(), inv_rms.data());
      rms_norm_backward(pool, x.data(), weight.data(), inv_rms.data(), d_y.data(), t, d, result.data(),
                        result.data() + t * d);
      return result;
    });
    const auto f = [&](const std::vector<double>& at) { return rms_norm_reference(at, t, d, kEps); };
    require_close(gradient, numeric_gradient(f, both, d_y), 2e-4);
  }
}

TEST_CASE("rms_norm_backward sums weight gradients over many rows the same for any number of threads") {
  const int64_t t = 777, d = 19;
  const std::vector<float> x = random_floats(t * d, 4), d_y = random_floats(t * d, 5), ones(d, 1.0f);
  const std::vector<float> inv_rms(t, 1.0f);
  const std::vector<float> d_weight = same_everywhere([&](ThreadPool& pool) {
    std::vector<float> d_x(t * d), result(d);
    rms_norm_backward(pool, x.data(), ones.data(), inv_rms.data(), d_y.data(), t, d, d_x.data(), result.data());
    return result;
  });
  std::vector<double> expected(d);
  for (int64_t i = 0; i < t * d; ++i) expected[i % d] += static_cast<double>(x[i]) * d_y[i];
  require_close(d_weight, expected, 1e-5);
}

TEST_CASE("swiglu and its backward pass agree with the formula and its derivative, for every tail") {
  for (const int64_t f : {1, 7, 16, 31, 32, 49}) {
    const int64_t t = 3;
    INFO("f " << f);
    std::vector<float> gate_up = random_floats(t * 2 * f, 6);
    for (float& v : gate_up) v *= 4;
    const std::vector<float> d_y = random_floats(t * f, 7);
    const std::vector<float> y = same_everywhere([&](ThreadPool& pool) {
      std::vector<float> result(t * f);
      swiglu(pool, gate_up.data(), t, f, result.data());
      return result;
    });
    require_close(y, swiglu_reference(to_double(gate_up), t, f), 1e-6);
    const std::vector<float> gradient = same_everywhere([&](ThreadPool& pool) {
      std::vector<float> result(t * 2 * f);
      swiglu_backward(pool, gate_up.data(), d_y.data(), t, f, result.data());
      return result;
    });
    const auto reference = [&](const std::vector<double>& at) { return swiglu_reference(at, t, f); };
    require_close(gradient, numeric_gradient(reference, gate_up, d_y), 1e-5);
  }
}

TEST_CASE("swiglu stays finite for gates far from zero and passes a NaN on to its own place") {
  const std::vector<float> gate_up = {-200, 200, kNaN, 1, 2, 3, 4, 5};
  ThreadPool pool(1);
  std::vector<float> y(4), d_gate_up(8);
  swiglu(pool, gate_up.data(), 1, 4, y.data());
  CHECK(y[0] == 0);
  CHECK(y[1] == 600);
  CHECK(std::isnan(y[2]));
  CHECK(y[3] == Approx(5 / (1 + std::exp(-1.0))));
  const std::vector<float> ones(4, 1.0f);
  swiglu_backward(pool, gate_up.data(), ones.data(), 1, 4, d_gate_up.data());
  CHECK(d_gate_up[0] == 0);
  CHECK(d_gate_up[1] == 3);
  CHECK(d_gate_up[5] == 200);
}

namespace {

struct RopeCase {
  const char* why;
  RopeLayout layout;
  int dim;
};

// cos, sin: [positions, dim / 2], with the angles of base 10000.
struct RopeTables {
  std::vector<float> cos, sin;
  RopeTables(int positions, int dim) {
    for (int p = 0; p < positions; ++p) {
      for (int j = 0; j < dim / 2; ++j) {
        const double angle = p * std::pow(10000.0, -2.0 * j / dim);
        cos.push_back(static_cast<float>(std::cos(angle)));
        sin.push_back(static_cast<float>(std::sin(angle)));
      }
    }
  }
};

std::vector<double> rope_reference(const RopeCase& c, const std::vector<float>& x, int64_t ldx, int heads, int stride,
                                   const std::vector<int32_t>& positions, const RopeTables& tables) {
  std::vector<double> y = to_double(x);
  for (size_t row = 0; row < positions.size(); ++row) {
    for (int head = 0; head < heads; ++head) {
      double* v = y.data() + row * ldx + head * stride;
      for (int j = 0; j < c.dim / 2; ++j) {
        double& a = c.layout == RopeLayout::kHalfSplit ? v[j] : v[2 * j];
        double& b = c.layout == RopeLayout::kHalfSplit ? v[j + c.dim / 2] : v[2 * j + 1];
        const double cos = tables.cos[positions[row] * c.dim / 2 + j], sin = tables.sin[positions[row] * c.dim / 2 + j];
        const double old_a = a;
        a = a * cos - b * sin;
        b = b * cos + old_a * sin;
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("rope rotates each head's pairs by its position's angles, and backward undoes it") {
  const RopeCase cases[] = {
      {"halves, whole vectors", RopeLayout::kHalfSplit, 64},
      {"halves, a tail", RopeLayout::kHalfSplit, 22},
      {"one pair", RopeLayout::kHalfSplit, 2},
      {"pairs, whole vectors", RopeLayout::kInterleaved, 64},
      {"pairs, a tail", RopeLayout::kInterleaved, 22},
      {"pairs, one pair", RopeLayout::kInterleaved, 2},
  };
  const std::vector<int32_t> positions = {0, 5, 5, 2, 6};
  for (const RopeCase& c : cases) {
    INFO(c.why);
    const int heads = 3, stride = c.dim + 4;
    const int64_t ldx = heads * stride + 1;
    const RopeTables tables(7, c.dim);
    const std::vector<float> x = random_floats(ldx * static_cast<int64_t>(positions.size()), 8);
    const auto rotate = [&](ThreadPool& pool, std::vector<float> v, RopeDirection direction) {
      rope(pool,
           {.x = v.data(),
            .ldx = ldx,
            .num_heads = heads,
            .dim = c.dim,
            .head_stride = stride,
            .cos = tables.cos.data(),
            .sin = tables.sin.data(),
            .layout = c.layout,
            .direction = direction},
           positions);
      return v;
    };
    const std::vector<float> y =
        same_everywhere([&](ThreadPool& pool) { return rotate(pool, x, RopeDirection::kForward); });
    require_close(y, rope_reference(c, x, ldx, heads, stride, positions, tables), 1e-6);
    const std::vector<float> back =
        same_everywhere([&](ThreadPool& pool) { return rotate(pool, y, RopeDirection::kBackward); });
    require_close(back, to_double(x), 1e-6);
  }
}

TEST_CASE("both rope layouts give the same bits for the same pairs") {
  const int dim = 38;
  const RopeTables tables(4, dim);
  const std::vector<int32_t> positions = {3};
  std::vector<float> halves = random_floats(dim, 9), pairs(dim);
  for (int j = 0; j < dim / 2; ++j) {
    pairs[2 * j] = halves[j];
    pairs[2 * j + 1] = halves[j + dim / 2];
  }
  ThreadPool pool(1);
  RopeArgs args{.x = halves.data(),
                .ldx = dim,
                .num_heads = 1,
                .dim = dim,
                .head_stride = dim,
                .cos = tables.cos.data(),
                .sin = tables.sin.data()};
  rope(pool, args, positions);
  args.x = pairs.data();
  args.layout = RopeLayout::kInterleaved;
  rope(pool, args, positions);
  for (int j = 0; j < dim / 2; ++j) {
    CHECK(same_bits(pairs[2 * j], halves[j]));
    CHECK(same_bits(pairs[2 * j + 1], halves[j + dim / 2]));
  }
  args.dim = 37;
  CHECK_THROWS_AS(rope(pool, args, positions), Error);
}

TEST_CASE("add_in_place adds every element once") {
  for (const int64_t count : {0, 1, 15, 16, 17, 16384, 50001}) {
    const std::vector<float> x = random_floats(count, 10), y = random_floats(count, 11);
    for_each_setting([&](ThreadPool& pool, const std::string& setting) {
      std::vector<float> sum = x;
      add_in_place(pool, sum.data(), y.data(), count);
      INFO(setting << ", count " << count);
      for (int64_t i = 0; i < count; ++i) REQUIRE(same_bits(sum[i], x[i] + y[i]));
    });
  }
}

TEST_CASE("a row's result does not depend on the rows beside it, and no rows are no work") {
  const int64_t t = 40, d = 50;
  const std::vector<float> x = random_floats(t * 2 * d, 12), weight = random_floats(d, 13);
  ThreadPool pool(2);
  std::vector<float> norm(t * d), one_norm(d), glu(t * d), one_glu(d);
  rms_norm(pool, x.data(), weight.data(), t, d, 1e-6f, norm.data(), nullptr);
  swiglu(pool, x.data(), t, d, glu.data());
  for (int64_t row = 0; row < t; ++row) {
    rms_norm(pool, x.data() + row * d, weight.data(), 1, d, 1e-6f, one_norm.data(), nullptr);
    swiglu(pool, x.data() + row * 2 * d, 1, d, one_glu.data());
    REQUIRE(first_difference(one_norm, std::span(norm).subspan(row * d, d)) == -1);
    REQUIRE(first_difference(one_glu, std::span(glu).subspan(row * d, d)) == -1);
  }
  std::vector<float> d_weight(d, 1.0f);
  rms_norm_backward(pool, nullptr, weight.data(), nullptr, nullptr, 0, d, nullptr, d_weight.data());
  CHECK(d_weight == std::vector<float>(d, 0.0f));
}
