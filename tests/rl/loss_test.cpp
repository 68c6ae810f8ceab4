// Losses and gradients against TRL 1.16's own (tests/fixtures/losses), and what the papers say beside it.

#include "rl/loss.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "tests/support/catch.h"

using namespace r1::rl;
namespace bj = boost::json;

namespace {

// The padded [N, T] tensors of the fixture, and their packed forms.
struct Fixture {
  r1::formats::SafetensorsFile file{std::string(R1_FIXTURES) + "/losses/grpo.safetensors"};
  bj::object cases = r1::json::parse_file(std::string(R1_FIXTURES) + "/losses/grpo.json").as_object()["cases"].as_object();

  at::Tensor get(const std::string& name) const {
    const auto* view = file.find(name);
    REQUIRE(view);
    const auto type = view->dtype == r1::formats::DType::kF32 ? at::kFloat : at::kLong;
    return torch::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, type).clone();
  }
};

double number(const bj::object& c, const char* key) { return c.at(key).is_null() ? 0 : c.at(key).to_number<double>(); }

LossConfig config_of(const bj::object& c) {
  const std::string type(c.at("loss_type").as_string());
  LossConfig out;
  out.kind = type == "cispo" ? LossKind::kCispo : type == "sapo" ? LossKind::kSapo : type == "vespo" ? LossKind::kVespo : LossKind::kClip;
  out.aggregation = type == "grpo" || type == "sapo" ? Aggregation::kSequenceMean
                    : type == "dr_grpo"              ? Aggregation::kConstant
                    : type == "luspo"                ? Aggregation::kLengthWeighted
                                                     : Aggregation::kTokenMean;
  out.ratio_level = c.at("importance_sampling_level").as_string() == "sequence" ? RatioLevel::kSequence : RatioLevel::kToken;
  out.clip_low = number(c, "epsilon_low");
  out.clip_high = type == "cispo" ? number(c, "epsilon_high") - 1 : number(c, "epsilon_high");  // TRL's bound is absolute there
  out.dual_clip = number(c, "delta");
  out.kl_coef = number(c, "beta");
  out.corrects_kl_bias = c.at("use_bias_correction_kl").as_bool();
  out.off_policy_threshold = number(c, "off_policy_mask_threshold");
  return out;
}

}  // namespace

TEST_CASE("losses and gradients are TRL's in every case of the fixture", "[golden]") {
  const Fixture f;
  const auto logps = f.get("logps"), old_logps = f.get("old_logps"), ref_logps = f.get("ref_logps");
  int64_t num_cases = 0;
  for (const auto& entry : f.cases) {
    const std::string name(entry.key());
    const auto& c = entry.value().as_object();
    INFO(name);
    auto mask = f.get("mask").to(at::kBool);
    if (c.at("use_tool_mask").as_bool()) mask = mask & f.get("tool_mask").to(at::kBool);
    LossInputs in{.offsets = {0}, .advantage = f.get("advantages")};
    for (int64_t i = 0; i < mask.size(0); ++i) in.offsets.push_back(in.offsets.back() + mask[i].sum().item<int64_t>());
    in.logp = logps.masked_select(mask).requires_grad_(true);
    in.old_logp = c.at("old").as_string() == "none" ? in.logp.detach() : old_logps.masked_select(mask);
    in.ref_logp = ref_logps.masked_select(mask);

    // TRL divides by the gradient accumulation; here the sizes of the whole batch say the same.
    const auto accumulation = static_cast<int64_t>(number(c, "grad_accum"));
    const auto config = config_of(c);
    const std::string type(c.at("loss_type").as_string());
    const bool spans_batch = type == "dapo" || type == "cispo" || type == "vespo";
    const LossBatch batch{.num_completions = mask.size(0) * accumulation,
                          .num_tokens = spans_batch ? static_cast<int64_t>(number(c, "num_items_in_batch") * accumulation / number(c, "steps_per_generation"))
                                                    : in.offsets.back() * accumulation,
                          .max_new_tokens = static_cast<int64_t>(number(c, "max_completion_length"))};
    const auto out = policy_loss(in, config, batch);
    out.loss.backward();
    CHECK(out.loss.item<double>() == Approx(f.get("case." + name + ".loss").item<double>()).margin(1e-5));
    const auto grad = torch::zeros_like(logps).masked_scatter(mask, in.logp.grad());
    CHECK((grad - f.get("case." + name + ".grad")).abs().max().item<double>() < 1e-5);
    ++num_cases;
  }
  CHECK(num_cases == 38);
}

TEST_CASE("the three KL estimators agree with their formulas and k3 is never negative") {
  const auto logp = torch::tensor({-1.0f, -2.0f, -0.5f}), ref = torch::tensor({-1.5f, -1.0f, -0.5f});
  CHECK(at::allclose(kl_estimate(logp, ref, KlEstimator::kK1), torch::tensor({0.5f, -1.0f, 0.0f})));
  CHECK(at::allclose(kl_estimate(logp, ref, KlEstimator::kK2), torch::tensor({0.125f, 0.5f, 0.0f})));
  const auto k3 = kl_estimate(logp, ref, KlEstimator::kK3);
  CHECK(k3.min().item<double>() >= 0);
  CHECK(k3[0].item<double>() == Approx(std::exp(-0.5) + 0.5 - 1));
}

TEST_CASE("a mismatch between sampler and trainer is weighted or masked as asked") {
  LossInputs in{.logp = torch::tensor({-1.0f, -1.0f, -1.0f}).requires_grad_(true),
                .old_logp = torch::tensor({-1.0f, -1.0f, -1.0f}),
                .sampling_logp = torch::tensor({-1.0f, -3.0f, 0.5f}),  // w = 1, e^2, e^-1.5
                .offsets = {0, 3},
                .advantage = torch::tensor({1.0f})};
  const LossBatch batch{.num_completions = 1, .num_tokens = 3, .max_new_tokens = 3};
  const auto loss_with = [&](Mismatch mismatch) {
    return policy_loss(in, {.mismatch = mismatch, .mismatch_low = 0.5, .mismatch_bound = 2}, batch).loss.item<double>();
  };
  CHECK(loss_with(Mismatch::kNone) == Approx(-1));
  CHECK(loss_with(Mismatch::kTruncate) == Approx(-(1 + 2 + std::exp(-1.5)) / 3));
  CHECK(loss_with(Mismatch::kMask) == Approx(-1.0 / 3));
}

TEST_CASE("the parts of a batch add up to the whole batch's loss", "[property]") {
  const auto logp = torch::tensor({-1.0f, -0.4f, -2.0f, -0.1f, -0.7f});
  const auto old = torch::tensor({-1.1f, -0.6f, -1.5f, -0.1f, -0.9f});
  const auto part = [&](int64_t begin, int64_t end, std::vector<int64_t> offsets, at::Tensor advantage, const LossConfig& c) {
    return policy_loss({.logp = logp.slice(0, begin, end), .old_logp = old.slice(0, begin, end), .offsets = std::move(offsets),
                        .advantage = std::move(advantage)},
                       c, {.num_completions = 3, .num_tokens = 5, .max_new_tokens = 4})
        .loss.item<double>();
  };
  const auto aggregation = GENERATE(Aggregation::kSequenceMean, Aggregation::kTokenMean, Aggregation::kConstant, Aggregation::kLengthWeighted);
  const LossConfig c{.aggregation = aggregation};
  const double whole = part(0, 5, {0, 2, 4, 5}, torch::tensor({1.0f, -0.5f, 2.0f}), c);
  const double parts = part(0, 2, {0, 2}, torch::tensor({1.0f}), c) + part(2, 5, {0, 2, 3}, torch::tensor({-0.5f, 2.0f}), c);
  CHECK(whole == Approx(parts));
}

TEST_CASE("inputs that do not fit are named") {
  LossInputs in{.logp = torch::zeros({3}), .old_logp = torch::zeros({2}), .offsets = {0, 3}, .advantage = torch::zeros({1})};
  CHECK_THROWS_WITH(policy_loss(in, {}, {1, 3, 3}), Catch::Contains("old_logp has 2 values, wanted are 3"));
  in.old_logp = torch::zeros({3});
  CHECK_THROWS_WITH(policy_loss(in, {.kl_coef = 0.1}, {1, 3, 3}), Catch::Contains("ref_logp"));
}
