// DeepSeek-V3's pretraining: losses, schedules, balancing and resume.

#include <torch/torch.h>

#include "core/files.h"
#include "core/json.h"
#include "sft/pretrain.h"
#include "sft/pretrain_loss.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

using namespace r1;
using namespace r1::sft;

namespace {

DocumentSet documents() {
  return {.name = "test", .at = [](uint64_t index) {
            Document d;
            const auto length = 3 + index * 7 % 20;
            for (uint64_t t = 0; t < length; ++t) d.token_ids.push_back(static_cast<int32_t>((index * 5 + t * t) % 60));
            d.first_target = index % 3 == 0 ? 2 : 1;
            return d;
          }};
}

std::vector<Document> some(int count) {
  std::vector<Document> out;
  for (int i = 0; i < count; ++i) out.push_back(documents().at(static_cast<uint64_t>(i)));
  return out;
}

struct Run {
  model::ModelConfig config = tiny_v3_config(64);
  std::unique_ptr<model::InitializedWeights> weights = model::random_weights(config, 0.1, 3);
  nn::CausalLm model{config, weights->weights, {}};
};

double relative(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

}  // namespace

TEST_CASE("losses and gradients of a step do not depend on its micro-batches") {
  Run one, many;
  const LossWeights weights{.mtp = 0.3, .balance = 0.01};
  const auto a = accumulate(one.model, some(9), 4096, weights), b = accumulate(many.model, some(9), 25, weights);
  CHECK(a.main == Approx(b.main).epsilon(1e-5));
  CHECK(a.mtp == Approx(b.mtp).epsilon(1e-5));
  CHECK(a.balance == Approx(b.balance).epsilon(1e-5));
  CHECK(a.loads.equal(b.loads));
  CHECK(relative(many.model.parameters().grads(), one.model.parameters().grads()) < 1e-4);
}

TEST_CASE("the gradient is that of main + lambda * MTP + alpha * balance") {
  Run plain, mtp, both, all;
  accumulate(plain.model, some(5), 4096, {});
  accumulate(mtp.model, some(5), 4096, {.mtp = 1});
  accumulate(both.model, some(5), 4096, {.mtp = 1, .balance = 1});  // the module's own experts are balanced too
  const auto loss = accumulate(all.model, some(5), 4096, {.mtp = 0.3, .balance = 0.5});
  const auto& g = plain.model.parameters().grads();
  const auto& with_mtp = mtp.model.parameters().grads();
  const auto wanted = g + 0.3 * (with_mtp - g) + 0.5 * (both.model.parameters().grads() - with_mtp);
  CHECK(relative(all.model.parameters().grads(), wanted) < 1e-4);
  CHECK(loss.mtp > 0);
  const auto name = "model.layers.2.eh_proj.weight";  // the MTP module learns from its own loss alone
  CHECK(plain.model.parameters().get(name).grad.abs().max().item<float>() == 0);
  CHECK(all.model.parameters().get(name).grad.abs().max().item<float>() > 0);
}

TEST_CASE("batch size, MTP weight and bias speed follow their schedules") {
  PretrainConfig c{.steps = 100, .tokens_per_step = 1000, .first_tokens_per_step = 200, .ramp_steps = 10};
  c.moe.bias_frozen_from = 0.966;
  validate(c);
  CHECK(tokens_at(c, 0) == 200);
  CHECK(tokens_at(c, 5) == 600);
  CHECK(tokens_at(c, 10) == 1000);
  CHECK(tokens_at(c, 99) == 1000);
  CHECK(mtp_weight_at(c, 67) == 0.3);
  CHECK(mtp_weight_at(c, 68) == 0.1);
  CHECK(bias_speed_at(c, 96) == 1e-3);
  CHECK(bias_speed_at(c, 97) == 0);
  c.ramp_steps = 0;
  CHECK_THROWS_WITH(validate(c), Catch::Contains("pretrain.first_tokens_per_step") && Catch::Contains("no effect"));
  c.first_tokens_per_step = 0;
  c.mtp.weight = -1;
  CHECK_THROWS_WITH(validate(c), Catch::Contains("pretrain.mtp.weight"));
}

TEST_CASE("a resumed run has the biases and the weights of an uninterrupted one, bit for bit", "[property]") {
  PretrainConfig config{.steps = 6, .tokens_per_step = 120, .micro_batch_tokens = 64, .checkpoint_every = 3, .keep_checkpoints = 9};
  config.moe.bias_update_speed = 0.05;
  const auto train_in = [&](const TempFolder& folder, int64_t until) {
    Run run;
    const auto set = documents();
    train::MetricsWriter metrics(folder / "metrics", -1);
    const train::CheckpointStore checkpoints(folder / "checkpoints", 9);
    auto c = config;
    c.steps = until;
    pretrain(c, {.model = run.model, .documents = set, .metrics = metrics, .checkpoints = checkpoints, .tokenizer_files = {}});
    metrics.flush();
    return run.model.parameters().hash();
  };
  config.schedule = {.learning_rate = 1e-3, .shape = train::ScheduleShape::kConstant};
  const TempFolder whole, cut;
  const auto wanted = train_in(whole, 6);
  train_in(cut, 3);
  CHECK(train_in(cut, 6) == wanted);
  const auto end = model::open_model(train::CheckpointStore(whole / "checkpoints", 9).load_latest()->model_folder());
  double moved = 0;
  for (const float b : formats::to_float32(end.weights->get("model.layers.1.mlp.gate.e_score_correction_bias"))) moved += std::abs(b);
  CHECK(moved > 0.05);
  const auto text = read_file(whole / "metrics" / "metrics.jsonl");
  for (const char* name : {"mtp_loss", "balance_loss", "max_violation/layer_1", "max_violation/layer_2"}) {
    CHECK(text.find(name) != std::string::npos);
  }
}
