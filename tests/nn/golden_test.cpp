// Logits, losses and gradients against transformers (tests/fixtures/*/reference.safetensors; made by the scripts that
// tests/fixtures/README names).

#include <torch/torch.h>

#include <filesystem>

#include "formats/safetensors.h"
#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/places.h"

using r1::formats::SafetensorsFile;
using namespace r1::nn;

namespace {

at::Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const auto* view = file.find(name);
  REQUIRE(view);
  const auto type = view->dtype == r1::formats::DType::kF32   ? at::kFloat
                    : view->dtype == r1::formats::DType::kF64 ? at::kDouble
                                                              : at::kLong;
  return torch::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, type).clone();
}

struct Case {
  std::string model, reference;
};

std::vector<std::vector<int32_t>> rows_of(const at::Tensor& ids) {
  std::vector<std::vector<int32_t>> rows;
  for (int64_t b = 0; b < ids.size(0); ++b) {
    auto& row = rows.emplace_back();
    for (int64_t t = 0; t < ids.size(1); ++t) row.push_back(ids[b][t].item<int>());
  }
  return rows;
}

// Mean next-token cross-entropy, as transformers computes it.
at::Tensor next_token_loss(CausalLm& model, const at::Tensor& hidden, const at::Tensor& ids) {
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  for (int64_t b = 0; b < ids.size(0); ++b) {
    for (int64_t t = 0; t + 1 < ids.size(1); ++t) {
      predictors.push_back(b * ids.size(1) + t);
      targets.push_back(ids[b][t + 1].item<int>());
    }
  }
  const auto rows = torch::tensor(predictors, at::kLong).to(hidden.device());
  return -model.log_probs(hidden.index_select(0, rows), torch::tensor(targets, at::kInt).to(hidden.device()), {})
              .log_probs.mean();
}

}  // namespace

TEST_CASE("logits, loss and gradient norms are transformers'", "[golden]") {
  const auto c = GENERATE(Case{"llama", "llama"}, Case{"llama_sharded", "llama"}, Case{"qwen2", "qwen2"},
                          Case{"smollm2_tied_bf16", "smollm2_tied_bf16"});
  const auto place = GENERATE(from_range(all_places()));
  const auto recompute = GENERATE(Recompute::kNothing, Recompute::kLayers);
  INFO(c.model << ", " << place.name() << (recompute == Recompute::kLayers ? ", recompute" : ""));
  const std::string fixtures = R1_FIXTURES;
  const SafetensorsFile reference(fixtures + "/" + c.reference + "/reference.safetensors");
  const auto loaded = r1::model::open_model(fixtures + "/" + c.model);
  CausalLm model(loaded.config, *loaded.weights, {.device = place.device, .recompute = recompute, .backend = place.backend});
  const auto ids = tensor_of(reference, "input_ids");
  const auto rows = rows_of(ids);
  const std::vector<std::span<const int32_t>> sequences(rows.begin(), rows.end());

  const auto hidden = model.forward(pack(sequences, place.device));
  const auto expected = tensor_of(reference, "logits");
  const auto logits = model.logits(hidden.detach()).view(expected.sizes()).cpu();
  CHECK((logits - expected).abs().max().item<double>() < 1e-4);

  model.parameters().zero_grads();
  const auto loss = next_token_loss(model, hidden, ids);
  CHECK(loss.item<double>() == Approx(tensor_of(reference, "loss").item<double>()).epsilon(1e-5));
  loss.backward();
  const auto norms = tensor_of(reference, "grad_norms");
  const auto names = model.parameters().names();
  REQUIRE(static_cast<int64_t>(names.size()) == norms.numel());
  for (size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    const auto norm = model.parameters().get(names[i]).grad.to(at::kDouble).norm().item<double>();
    CHECK(norm == Approx(norms[static_cast<int64_t>(i)].item<double>()).epsilon(1e-3));
  }
}

TEST_CASE("full gradients are transformers'", "[golden]") {
  const auto name = GENERATE(std::string("llama"), std::string("qwen2"));
  const std::string folder = std::string(R1_FIXTURES) + "/" + name;
  const SafetensorsFile reference(folder + "/reference.safetensors"), grads(folder + "/grads.safetensors");
  const auto loaded = r1::model::open_model(folder);
  CausalLm model(loaded.config, *loaded.weights, {});
  const auto ids = tensor_of(reference, "input_ids");
  const auto rows = rows_of(ids);
  const std::vector<std::span<const int32_t>> sequences(rows.begin(), rows.end());
  next_token_loss(model, model.forward(pack(sequences)), ids).backward();
  for (const auto& parameter : model.parameters().names()) {
    INFO(parameter);
    const auto expected = tensor_of(grads, parameter);
    const auto got = model.parameters().get(parameter).grad;
    CHECK((got - expected).abs().max().item<double>() < 1e-4 * std::max(1.0, expected.abs().max().item<double>()));
  }
}

TEST_CASE("a sequence longer than the model's context is refused by name") {
  const auto loaded = r1::model::open_model(std::string(R1_FIXTURES) + "/llama");
  CausalLm model(loaded.config, *loaded.weights, {});
  const std::vector<int32_t> ids(loaded.config.max_position + 1, 5);
  const std::vector<std::span<const int32_t>> sequences{ids};
  CHECK_THROWS_WITH(model.forward(pack(sequences)), Catch::Contains("at most"));
}

TEST_CASE("the trainer's log-probs of SmolLM2's prompts are transformers'", "[golden]") {
  const std::string gguf = std::string(R1_SOURCE_DIR) + "/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(gguf)) {
    WARN("skipped: " << gguf << " is not here; scripts/setup.sh fetches it");
    SUCCEED();
    return;
  }
  const auto loaded = r1::model::open_model(gguf);
  CausalLm model(loaded.config, *loaded.weights, {.gradients = Gradients::kNone});
  const SafetensorsFile reference(std::string(R1_FIXTURES) + "/smollm2_real/smollm2_real.safetensors");
  at::NoGradGuard no_grad;
  for (const std::string name : {"capital", "sum", "plain"}) {
    INFO(name);
    const auto row = rows_of(tensor_of(reference, name + ".input_ids"))[0];
    const std::vector<std::span<const int32_t>> alone{row};
    const auto hidden = model.forward(pack(alone));
    const std::vector<int32_t> targets(row.begin() + 1, row.end());
    const auto got = model.log_probs(hidden.slice(0, 0, -1), torch::tensor(targets, at::kInt), {}).log_probs;
    CHECK((got - tensor_of(reference, name + ".prompt_logprobs")).abs().max().item<double>() < 1e-3);
  }
}
