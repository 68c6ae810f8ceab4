// Products composed of ATen operations against the CPU's kernels: on the CPU, and on a GPU where there is one.

#include "nn/aten_products.h"

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "nn/aten_fp8.h"
#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/places.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using namespace r1::nn;
using kernels::Element;
using kernels::Fp8Scale;

namespace {

// |a - b| / |b|.
double relative(const at::Tensor& a, const at::Tensor& b) {
  const auto x = a.detach().cpu().to(at::kDouble), y = b.detach().cpu().to(at::kDouble);
  return ((x - y).norm() / y.norm()).item<double>();
}

// Tensor cores keep about 14 bits of an FP8 sum (arXiv:2412.19437v1 section 3.5.2), and sum in an order of their own.
double tolerance(const Place& place) { return place.device.is_cuda() ? 1e-3 : 2e-6; }

struct Products {
  at::Tensor y, d_x, d_w;
};

// Rows, inputs, and outputs of the two published matrices that a weight is made of.
struct Shape {
  int64_t t, k;
  std::vector<int64_t> parts;
};

// Forward and backward of a layer.
Products products_of(const Place& place, const Shape& s, Element element, bool is_fp8, const Fp8Scales& scales) {
  torch::manual_seed(5);
  const auto n = s.parts[0] + s.parts[1];
  const auto x = torch::randn({s.t, s.k}).to(place.device).requires_grad_();
  Parameter weight{.weight = (torch::randn({n, s.k}) * 0.05).to(place.device), .element = element, .is_fp8 = is_fp8};
  weight.grad = torch::zeros_like(weight.weight);
  weight.part_rows = s.parts;
  const auto d_y = (torch::randn({s.t, n}) * 1e-6).to(place.device);
  const auto y = linear(x, weight, {}, place.backend, scales);
  y.backward(d_y);
  return {y, x.grad(), weight.grad};
}

// A whole model's hidden states and gradients.
Products model_of(const Place& place, Precision precision) {
  auto config = tiny_v3_config(64);
  config.moe->num_groups = config.moe->top_groups = 1;
  config.moe->top_k = config.moe->num_experts;  // else a token that goes to other experts would hide everything else
  const auto weights = model::random_weights(config, 0.05, 3);
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < 80; ++i) ids.push_back(static_cast<int32_t>((i * 29 + i / 7) % config.vocab_size));
  const std::vector<std::span<const int32_t>> views{ids};
  CausalLm model(config, weights->weights, {.device = place.device, .precision = precision, .backend = place.backend});
  const auto hidden = model.forward(pack(views, place.device));
  (hidden * torch::linspace(-1, 1, hidden.numel()).to(place.device).view_as(hidden)).sum().backward();
  return {hidden, {}, model.parameters().grads()};
}

}  // namespace

TEST_CASE("products composed of ATen operations are the kernels', forward and backward, in each precision") {
  const auto place = GENERATE(from_range(aten_places()));
  // Blocks at the edges that are partial, and a layer that no padding is needed for.
  const auto shape = GENERATE(Shape{300, 260, {130, 70}}, Shape{256, 512, {256, 256}});
  INFO(place.name() << ", " << shape.t << " rows");
  const auto check = [&](Element element, bool is_fp8, const Fp8Scales& scales) {
    const auto wanted = products_of({}, shape, element, is_fp8, scales),
               got = products_of(place, shape, element, is_fp8, scales);
    CHECK(relative(got.y, wanted.y) < tolerance(place));
    CHECK(relative(got.d_x, wanted.d_x) < tolerance(place));
    CHECK(relative(got.d_w, wanted.d_w) < tolerance(place));
  };
  check(Element::kF32, false, {});
  check(Element::kBF16, false, {});
  check(Element::kF32, true, {});
  check(Element::kF32, true, {.input = Fp8Scale::kPowerOfTwo, .output_grad = Fp8Scale::kPowerOfTwo});
}

TEST_CASE("matrices become FP8 with the kernels' values and scales, to the bit") {
  const auto place = GENERATE(from_range(aten_places()));
  const auto kind = GENERATE(Fp8Scale::kFloat, Fp8Scale::kPowerOfTwo);
  const auto height = GENERATE(1, 128);
  const auto rows = GENERATE(1, 16, 150);
  const auto cols = GENERATE(7, 128, 300);
  INFO(place.name() << ", " << rows << " x " << cols << ", blocks of " << height);
  torch::manual_seed(rows + cols);
  auto x = torch::randn({rows, cols}) * torch::logspace(-6, 6, rows).unsqueeze(1);
  x[0].zero_();
  const kernels::Fp8Rounding rounding{.block = {height, 128}, .scale = kind};
  const auto wanted = kernels::quantise_fp8(compute_pool(), {x.const_data_ptr<float>(), rows, cols}, rounding);
  const auto got = aten_quantise(x.to(place.device), rounding);
  CHECK(got.values.size(0) % 16 == 0);
  CHECK(got.values.size(1) % 128 == 0);
  CHECK(got.values.narrow(0, 0, rows)
            .narrow(1, 0, cols)
            .to(at::kFloat)
            .cpu()
            .equal(torch::tensor(wanted.values).view({rows, cols})));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t block = 0; block < wanted.grid_cols(); ++block) {
      CHECK(got.scales[block][r].item<float>() == wanted.scales[r / height * wanted.grid_cols() + block]);
    }
  }
  CHECK(
      got.dequantised().cpu().equal(torch::tensor(kernels::dequantise_fp8(compute_pool(), wanted)).view({rows, cols})));
}

TEST_CASE("values lie row by row, as at::_scaled_mm wants them, of a transposed matrix too") {
  for (const int64_t rows : {128, 120}) {  // without padding and with it
    const auto q = aten_quantise(torch::randn({256, rows}).t(), {.block = {1, 128}});
    CHECK(q.values.is_contiguous());
    CHECK(q.scales.is_contiguous());
  }
}

TEST_CASE("grouped products of bfloat16 are each expert's own, and an expert without rows gets no gradient") {
  const auto place = GENERATE(from_range(aten_places()));
  INFO(place.name());
  torch::manual_seed(7);
  const std::vector<int64_t> counts{5, 0, 11, 4};
  const ExpertRows rows{.ends = torch::tensor({5, 5, 16, 20}, at::kInt).to(place.device), .counts = counts};
  const auto x = torch::randn({20, 24}).to(place.device).requires_grad_(),
             d_y = torch::randn({20, 16}).to(place.device);
  Parameter stack{.weight = torch::randn({4 * 16, 24}).to(place.device), .element = Element::kBF16};
  stack.grad = torch::zeros_like(stack.weight);
  stack.part_rows = {16, 16, 16, 16};
  const auto y = aten_expert_linear(x, stack, rows);
  y.backward(d_y);
  const std::vector<int64_t> begins{0, 5, 5, 16};
  for (int64_t e = 0; e < 4; ++e) {
    INFO("expert " << e);
    const auto of = [&](const at::Tensor& t) { return t.detach().narrow(0, begins[e], counts[e]); };
    const auto w = stack.weight.narrow(0, e * 16, 16), d_w = stack.grad.narrow(0, e * 16, 16);
    if (counts[e] == 0) {
      CHECK(d_w.abs().max().item<float>() == 0);
      continue;
    }
    CHECK(relative(of(y), of(x).mm(w.t())) < 0.01);  // bfloat16 rounds by 2^-9 at most
    CHECK(relative(of(x.grad()), of(d_y).mm(w)) < 0.01);
    CHECK(relative(d_w, of(d_y).t().mm(of(x))) < 0.01);
  }
}

TEST_CASE("a V3 composed of ATen operations rounds as the kernels' does, in bfloat16 and in FP8") {
  const auto place = GENERATE(from_range(aten_places()));
  INFO(place.name());
  const auto exact = model_of({}, Precision::kF32);
  for (const auto precision : {Precision::kBF16, Precision::kFp8}) {
    INFO((precision == Precision::kFp8 ? "FP8" : "bfloat16"));
    const auto kernels = model_of({}, precision), aten = model_of(place, precision);
    // Both are as far from float32; beside each other they differ where a value lay at a tie, and by the grouped
    // products' outputs.
    CHECK(relative(aten.y, exact.y) == Approx(relative(kernels.y, exact.y)).epsilon(0.2));
    CHECK(relative(aten.d_w, exact.d_w) == Approx(relative(kernels.d_w, exact.d_w)).epsilon(0.2));
    CHECK(relative(aten.y, kernels.y) < relative(kernels.y, exact.y));
  }
}
