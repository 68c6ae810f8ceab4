// Training through FP8 (arXiv:2412.19437v1 section 3.3): each product against float64, then whole models.

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "nn/causal_lm.h"
#include "nn/fp8_products.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using namespace r1::nn;
using kernels::Fp8BlockShape;
using kernels::Fp8Scale;

namespace {

// |a - b| / |b| in float64.
double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).norm() / b.to(at::kDouble).norm()).item<double>();
}

// The three products of a layer whose weight stacks two published matrices; blocks at the edges are partial.
struct Layer {
  static constexpr int64_t kRows = 300, kInputs = 260, kOutputs = 200;
  std::vector<int64_t> parts{130, 70};
  at::Tensor x = torch::randn({kRows, kInputs}), w = torch::randn({kOutputs, kInputs}) * 0.05, d_y;
  at::Tensor y = torch::empty({kRows, kOutputs}), d_x = torch::empty({kRows, kInputs}),
             d_w = torch::zeros({kOutputs, kInputs});

  explicit Layer(double grad_scale) : d_y(torch::randn({kRows, kOutputs}) * grad_scale) {}

  void run(const Fp8Scales& scales = {}) {
    const Fp8Linear l{.x = x.const_data_ptr<float>(),
                      .w = w.const_data_ptr<float>(),
                      .t = kRows,
                      .n = kOutputs,
                      .k = kInputs,
                      .parts = parts,
                      .scales = scales};
    fp8_forward(l, y.mutable_data_ptr<float>());
    fp8_backward(l, d_y.const_data_ptr<float>(), d_x.mutable_data_ptr<float>(), d_w.mutable_data_ptr<float>());
  }
};

// The values that a product sees of a matrix, in float64.
at::Tensor seen(const at::Tensor& m, Fp8BlockShape block, float least_amax = kernels::kActivationAmax,
                Fp8Scale scale = Fp8Scale::kFloat) {
  const auto c = m.contiguous();
  const auto q = kernels::quantise_fp8(compute_pool(), {c.const_data_ptr<float>(), c.size(0), c.size(1)},
                                       {.block = block, .scale = scale, .least_amax = least_amax});
  const auto values = kernels::dequantise_fp8(compute_pool(), q);
  return torch::tensor(values).view(c.sizes()).to(at::kDouble);
}

constexpr Fp8BlockShape kTile{1, 128}, kColumnTile{128, 1}, kBlock{128, 128};

model::ModelConfig config_without_choice() {
  auto config = tiny_v3_config(64);
  config.moe->num_groups = config.moe->top_groups = 1;
  config.moe->top_k = config.moe->num_experts;  // else a token that goes to other experts would hide everything else
  return config;
}

struct Result {
  at::Tensor hidden, grads;
};

Result run(const model::ModelConfig& config, const model::WeightSource& weights, Precision precision) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < 80; ++i) ids.push_back(static_cast<int32_t>((i * 29 + i / 7) % config.vocab_size));
  const std::vector<std::span<const int32_t>> views{ids};
  CausalLm model(config, weights, {.precision = precision});
  const auto before = model.parameters().weights().clone();
  const auto hidden = model.forward(pack(views));
  (hidden * torch::linspace(-1, 1, hidden.numel()).view_as(hidden)).sum().backward();  // a sum of squares is the norm's
  CHECK(model.parameters().weights().equal(before));                                   // master weights stay float32
  return {hidden.detach(), model.parameters().grads().clone()};
}

}  // namespace

TEST_CASE("FP8 products are those of the rounded operands, summed in float32") {
  torch::manual_seed(1);
  Layer l(1e-6);
  const auto kind = GENERATE(Fp8Scale::kFloat, Fp8Scale::kPowerOfTwo);
  l.run({.input = kind, .output_grad = kind});
  const auto x = seen(l.x, kTile, kernels::kActivationAmax, kind);
  const auto w = at::cat({seen(l.w.narrow(0, 0, 130), kBlock), seen(l.w.narrow(0, 130, 70), kBlock)});
  const auto grads = [&](Fp8BlockShape tile) {
    return at::cat({seen(l.d_y.narrow(1, 0, 130), tile, kernels::kGradientAmax, kind),
                    seen(l.d_y.narrow(1, 130, 70), tile, kernels::kGradientAmax, kind)},
                   1);
  };
  CHECK(relative(l.y, x.matmul(w.t())) < 1e-6);
  CHECK(relative(l.d_x, grads(kTile).matmul(w)) < 1e-6);
  // The weight gradient meets the forward pass's FP8 activations, rounded again in tiles of tokens.
  const auto x_columns = seen(x.to(at::kFloat), kColumnTile, kernels::kActivationAmax, kind);
  CHECK(relative(l.d_w, grads(kColumnTile).t().matmul(x_columns)) < 1e-6);
}

TEST_CASE("FP8 products are within e4m3's rounding of float64's, however small the gradients") {
  // A mantissa of 3 bits rounds a value by 2.5 % (root mean square), two factors by 3.5 %, and the weight gradient's
  // activations are rounded twice.
  for (const double grad_scale : {1.0, 1e-4, 1e-7, 1e-10}) {
    INFO("gradients of " << grad_scale);
    torch::manual_seed(2);
    Layer l(grad_scale);
    l.run();
    const auto x = l.x.to(at::kDouble), w = l.w.to(at::kDouble), d_y = l.d_y.to(at::kDouble);
    const auto y = relative(l.y, x.matmul(w.t())), d_x = relative(l.d_x, d_y.matmul(w)),
               d_w = relative(l.d_w, d_y.t().matmul(x));
    INFO("errors " << y << ", " << d_x << ", " << d_w);
    CHECK((y > 0.03 && y < 0.042));
    CHECK((d_x > 0.03 && d_x < 0.042));
    CHECK((d_w > 0.035 && d_w < 0.052));
  }
}

TEST_CASE("powers of two as scales make tokens' tiles of channels' tiles without rounding twice") {
  torch::manual_seed(3);
  Layer floats(1), powers(1);
  powers.x = floats.x;
  powers.w = floats.w;
  powers.d_y = floats.d_y;
  floats.run();
  powers.run({.input = Fp8Scale::kPowerOfTwo});
  const auto wanted = floats.d_y.to(at::kDouble).t().matmul(floats.x.to(at::kDouble));
  const auto once = relative(powers.d_w, wanted), twice = relative(floats.d_w, wanted);
  INFO(once << " against " << twice);
  CHECK(once < 0.95 * twice);
}

TEST_CASE("a model through FP8 differs from float32 by rounding alone: as much more than bfloat16 as it rounds more") {
  // bfloat16 rounds the operands of the same products (and the head's) 2^4 times more finely. Whatever a model makes of
  // small errors, attention and norms of random weights much, it makes of both alike.
  const auto config = config_without_choice();
  for (const double std : {0.05, 0.1, 0.2, 0.35}) {
    const auto weights = model::random_weights(config, std, 3);
    const auto exact = run(config, weights->weights, Precision::kF32),
               bf16 = run(config, weights->weights, Precision::kBF16),
               fp8 = run(config, weights->weights, Precision::kFp8);
    const auto hidden_fp8 = relative(fp8.hidden, exact.hidden), hidden_bf16 = relative(bf16.hidden, exact.hidden),
               grads_fp8 = relative(fp8.grads, exact.grads), grads_bf16 = relative(bf16.grads, exact.grads);
    INFO("std " << std << ": hidden " << hidden_fp8 << " against " << hidden_bf16 << ", gradients " << grads_fp8
                << " against " << grads_bf16);
    CHECK((hidden_fp8 > 8 * hidden_bf16 && hidden_fp8 < 32 * hidden_bf16));
    CHECK((grads_fp8 > 8 * grads_bf16 && grads_fp8 < 32 * grads_bf16));
    if (std == 0.05) {
      CHECK(hidden_fp8 < 0.05);
      CHECK(at::cosine_similarity(fp8.grads, exact.grads, 0).item<double>() > 0.995);
    }
  }
}

TEST_CASE("FP8 is for DeepSeek-V3's layers") {
  const auto dense = tiny_config(64);
  const auto weights = tiny_weights(dense);
  CHECK_THROWS_WITH(CausalLm(dense, weights->weights, {.precision = Precision::kFp8}),
                    Catch::Contains("fp8 is for DeepSeek-V3"));
}
