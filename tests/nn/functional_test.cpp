#include "nn/functional.h"

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1::nn;

namespace {

const std::vector<std::vector<int32_t>> kRows{
    {5, 9, 2, 7, 7, 1}, {3}, {8, 8, 8, 4, 1, 2, 6, 10, 44, 100, 3, 3, 9, 17, 21, 30, 31, 32, 33}};

std::vector<std::span<const int32_t>> views() { return {kRows.begin(), kRows.end()}; }

}  // namespace

TEST_CASE("a packed sequence's hidden states are those of the sequence alone, bit for bit", "[property]") {
  const auto config = tiny_config();
  const auto init = tiny_weights(config);
  CausalLm model(config, init->weights, {});
  at::NoGradGuard no_grad;
  const auto all = model.forward(pack(views()));
  int64_t begin = 0;
  for (const auto& row : kRows) {
    const std::vector<std::span<const int32_t>> alone{row};
    CHECK(at::equal(model.forward(pack(alone)), all.narrow(0, begin, row.size())));
    begin += std::ssize(row);
  }
}

TEST_CASE("gradients do not depend on the number of threads or on keeping logits", "[property]") {
  const auto config = tiny_config();
  const auto init = tiny_weights(config);
  const auto targets = torch::tensor({9, 2, 7, 7, 1, 4}, at::kInt);
  const auto grads_with = [&](int threads, const LogProbOptions& options) {
    r1::set_compute_threads(threads);
    CausalLm model(config, init->weights, {});
    const auto hidden = model.forward(pack(views())).narrow(0, 0, 6);
    const auto out = model.log_probs(hidden, targets, options);
    (out.log_probs.sum() + 0.1 * out.entropies.sum()).backward();
    r1::set_compute_threads(2);
    return model.parameters().grads().clone();
  };
  const auto one = grads_with(1, {});
  CHECK(at::equal(one, grads_with(3, {})));
  CHECK(at::allclose(one, grads_with(2, {.chunk_rows = 4, .max_logit_bytes = 0}), 1e-4, 1e-6));
  CHECK(one.abs().max().item<double>() > 0);
}

TEST_CASE("log-probs at a temperature are log-softmax of the divided logits") {
  const auto config = tiny_config(64);
  const auto init = tiny_weights(config);
  CausalLm model(config, init->weights, {});
  at::NoGradGuard no_grad;
  const std::vector<int32_t> ids{5, 9, 2, 7};
  const std::vector<std::span<const int32_t>> alone{ids};
  const auto hidden = model.forward(pack(alone));
  const auto targets = torch::tensor({1, 2, 3, 4}, at::kInt);
  const auto out = model.log_probs(hidden, targets, {.temperature = 0.7});
  const auto log_p = at::log_softmax(model.logits(hidden) / 0.7, -1);
  CHECK(at::allclose(out.log_probs, log_p.gather(1, targets.to(at::kLong).unsqueeze(1)).squeeze(1), 1e-5, 1e-6));
  CHECK(at::allclose(out.entropies, -(log_p.exp() * log_p).sum(-1), 1e-4, 1e-5));
}

TEST_CASE("bf16 precision computes with rounded matrices and keeps master weights in float32") {
  const auto config = tiny_config(64);
  const auto init = tiny_weights(config);
  CausalLm exact(config, init->weights, {}), rounded(config, init->weights, {.precision = Precision::kBF16});
  CHECK(at::equal(exact.parameters().weights(), rounded.parameters().weights()));
  at::NoGradGuard no_grad;
  const std::vector<std::span<const int32_t>> alone{kRows[0]};
  const auto a = exact.forward(pack(alone)), b = rounded.forward(pack(alone));
  CHECK_FALSE(at::equal(a, b));
  CHECK(at::allclose(a, b, 0.1, 0.1));
}

TEST_CASE("sequences that share a prefix have the hidden states and gradients of the same sequences in full",
          "[property]") {
  const auto config = GENERATE(tiny_config(), tiny_v3_config());
  const auto options = GENERATE(CausalLmOptions{}, CausalLmOptions{.latent_attention = LatentAttention::kAbsorbed},
                                CausalLmOptions{.backend = Backend::kAten});
  const auto init = tiny_weights(config);
  CausalLm whole(config, init->weights, options), shared(config, init->weights, options);
  const auto are_equal = [&](const at::Tensor& a, const at::Tensor& b) {
    return options.backend == Backend::kAten ? at::allclose(a, b, 1e-4, 1e-4) : at::equal(a, b);
  };
  const std::vector<int32_t> prefix{5, 9, 2, 7, 7, 1, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}, a{3, 4}, b{8, 1, 6},
      other{9, 9};
  const std::vector<SharedPrefix> groups{{.prefix = prefix, .continuations = {a, {}, b}},
                                         {.prefix = other, .continuations = {a}}};
  const auto full = [&](const std::vector<int32_t>& p, const std::vector<int32_t>& c) {
    auto out = p;
    out.insert(out.end(), c.begin(), c.end());
    return out;
  };
  const auto with_a = full(prefix, a), with_b = full(prefix, b), other_a = full(other, a);
  const std::vector<std::span<const int32_t>> sequences{with_a, with_b, other_a};
  const auto expected = whole.forward(pack(sequences));
  const auto got = shared.forward(pack_shared(groups));
  REQUIRE(got.size(0) == 17 + 2 + 3 + 2 + 2);
  CHECK(are_equal(got.narrow(0, 0, 19), expected.narrow(0, 0, 19)));
  CHECK(are_equal(got.narrow(0, 19, 3), expected.narrow(0, 19 + 17, 3)));
  CHECK(are_equal(got.narrow(0, 22, 4), expected.narrow(0, 39, 4)));

  const auto weigh = torch::arange(32).to(at::kFloat).cos();
  (expected.narrow(0, 17, 2) * weigh).sum().backward();  // of the first sequence's end
  (whole.forward(pack(sequences)).narrow(0, 36, 3) * weigh).sum().backward();
  (got.narrow(0, 17, 5) * weigh).sum().backward();
  CHECK(at::allclose(shared.parameters().grads(), whole.parameters().grads(), 1e-4, 1e-5));
}
