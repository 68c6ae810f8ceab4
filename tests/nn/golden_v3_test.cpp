// DeepSeek-V3 against transformers (tests/fixtures/deepseek_v3: logits, MTP, losses, gradients, routes).

#include <fmt/format.h>
#include <torch/torch.h>

#include <numeric>

#include "core/json.h"
#include "formats/safetensors.h"
#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/places.h"

using r1::formats::SafetensorsFile;
using namespace r1::nn;

namespace {

const std::string kFolder = std::string(R1_FIXTURES) + "/deepseek_v3";

at::Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const auto* view = file.find(name);
  REQUIRE(view);
  const auto type = view->dtype == r1::formats::DType::kF32   ? at::kFloat
                    : view->dtype == r1::formats::DType::kF64 ? at::kDouble
                                                              : at::kLong;
  return torch::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, type).clone();
}

struct Batch {
  at::Tensor ids;  // [2, 40]
  PackedTokens tokens;
};

Batch batch_of(const SafetensorsFile& file, at::Device device = at::kCPU) {
  Batch batch{.ids = tensor_of(file, "input_ids")};
  std::vector<std::vector<int32_t>> rows;
  for (int64_t b = 0; b < batch.ids.size(0); ++b) {
    auto& row = rows.emplace_back();
    for (int64_t t = 0; t < batch.ids.size(1); ++t) row.push_back(batch.ids[b][t].item<int>());
  }
  const std::vector<std::span<const int32_t>> views(rows.begin(), rows.end());
  batch.tokens = pack(views, device);
  return batch;
}

// Mean cross-entropy of the tokens `ahead` after each row, where there are any.
at::Tensor loss_of(CausalLm& model, const at::Tensor& hidden, const std::vector<int64_t>& rows, const at::Tensor& ids,
                   int64_t ahead) {
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto b = rows[r] / ids.size(1), t = rows[r] % ids.size(1) + ahead;
    if (t >= ids.size(1)) continue;
    predictors.push_back(static_cast<int64_t>(r));
    targets.push_back(ids[b][t].item<int>());
  }
  const auto rows_here = torch::tensor(predictors, at::kLong).to(hidden.device());
  return -model.log_probs(hidden.index_select(0, rows_here), torch::tensor(targets, at::kInt).to(hidden.device()), {})
              .log_probs.mean();
}

std::vector<int64_t> all_rows(const Batch& batch) {
  std::vector<int64_t> rows(static_cast<size_t>(batch.ids.numel()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }
// The largest difference of two tensors that may lie on different devices.
double apart(const at::Tensor& a, const at::Tensor& b) { return largest(a.detach().cpu() - b); }

void check_norms(CausalLm& model, const SafetensorsFile& reference, const std::string& tensor,
                 const std::string& names_key) {
  const auto document = r1::json::parse_file(kFolder + "/reference.json");
  const auto& names = document.at(names_key).as_array();
  const auto norms = tensor_of(reference, tensor);
  REQUIRE(static_cast<int64_t>(names.size()) == norms.numel());
  for (size_t i = 0; i < names.size(); ++i) {
    INFO(names[i].as_string().c_str());
    const auto grad = model.parameters().get(names[i].as_string().c_str()).grad;
    const auto norm = grad.to(at::kDouble).norm().item<double>();
    CHECK(norm == Approx(norms[static_cast<int64_t>(i)].item<double>()).epsilon(1e-3));
  }
}

}  // namespace

TEST_CASE("DeepSeek-V3's logits, MTP, losses and gradient norms are transformers'", "[golden]") {
  const auto place = GENERATE(from_range(all_places()));
  const auto recompute = GENERATE(Recompute::kNothing, Recompute::kLayers);
  INFO(place.name() << (recompute == Recompute::kLayers ? ", recompute" : ""));
  const SafetensorsFile reference(kFolder + "/reference.safetensors");
  const auto loaded = r1::model::open_model(kFolder);
  CausalLm model(loaded.config, *loaded.weights, {.device = place.device, .recompute = recompute, .backend = place.backend});
  const auto batch = batch_of(reference, place.device);

  const auto hidden = model.forward(batch.tokens);
  CHECK(apart(hidden, tensor_of(reference, "last_hidden_state").flatten(0, 1)) < 1e-4);
  CHECK(apart(model.logits(hidden.detach()), tensor_of(reference, "logits").flatten(0, 1)) < 1e-4);
  const auto depths = model.mtp(batch.tokens, hidden);
  REQUIRE(depths.size() == 1);
  REQUIRE(depths[0].rows.size() == 78);
  CHECK(apart(depths[0].hidden, tensor_of(reference, "mtp_hidden").flatten(0, 1)) < 1e-4);
  CHECK(apart(model.logits(depths[0].hidden.detach()), tensor_of(reference, "mtp_logits").flatten(0, 1)) < 1e-4);

  model.parameters().zero_grads();
  const auto loss = loss_of(model, hidden, all_rows(batch), batch.ids, 1);
  CHECK(loss.item<double>() == Approx(tensor_of(reference, "loss").item<double>()).epsilon(1e-5));
  loss.backward({}, /*retain_graph=*/true);
  check_norms(model, reference, "grad_norms", "grad_norm_names");
  const auto loss_mtp = loss_of(model, depths[0].hidden, depths[0].rows, batch.ids, 2);
  CHECK(loss_mtp.item<double>() == Approx(tensor_of(reference, "loss_mtp").item<double>()).epsilon(1e-5));
  (0.3 * loss_mtp).backward();
  check_norms(model, reference, "joint_grad_norms", "joint_grad_norm_names");
}

TEST_CASE("DeepSeek-V3's gradients are transformers', tensor by tensor", "[golden]") {
  const auto attention = GENERATE(LatentAttention::kExpanded, LatentAttention::kAbsorbed);
  const SafetensorsFile reference(kFolder + "/reference.safetensors"), grads(kFolder + "/grads_subset.safetensors");
  const auto loaded = r1::model::open_model(kFolder);
  CausalLm model(loaded.config, *loaded.weights, {.latent_attention = attention});
  const auto batch = batch_of(reference);
  loss_of(model, model.forward(batch.tokens), all_rows(batch), batch.ids, 1).backward();
  for (const auto& view : grads.tensors()) {
    INFO(view.name);
    const auto expected = tensor_of(grads, view.name), got = model.parameters().get(view.name).grad;
    CHECK(largest(got - expected) < 1e-4 * std::max(1.0, largest(expected)));
  }
}

TEST_CASE("FP8 weights times their scales give the reference's logits", "[golden]") {
  const std::string folder = std::string(R1_FIXTURES) + "/deepseek_v3_fp8";
  const SafetensorsFile reference(folder + "/reference.safetensors");
  const auto loaded = r1::model::open_model(folder);
  CausalLm model(loaded.config, *loaded.weights, {.gradients = Gradients::kNone});
  at::NoGradGuard no_grad;
  const auto logits = model.logits(model.forward(batch_of(reference).tokens));
  CHECK(largest(logits - tensor_of(reference, "logits_weight_dequant_fp32").flatten(0, 1)) < 1e-4);
}

TEST_CASE("the number of choices of each expert is the reference's", "[golden]") {
  const SafetensorsFile reference(kFolder + "/reference.safetensors");
  const auto loaded = r1::model::open_model(kFolder);
  CausalLm model(loaded.config, *loaded.weights, {});
  REQUIRE(model.num_moe_layers() == 3);  // two of the main model and the MTP module's
  CHECK(model.moe_layer(0) == 2);
  RouterReport report;
  model.forward(batch_of(reference).tokens, &report);
  for (const int layer : {2, 3}) {
    const auto chosen = tensor_of(reference, fmt::format("route.{}.indices", layer)).flatten();
    CHECK(report.loads[layer - 2].equal(at::bincount(chosen, {}, 16)));
  }
  CHECK(report.loads[2].sum().item<int64_t>() == 0);  // mtp() was not called
}
