#include "sft/pretrain.h"

#include <torch/torch.h>

#include <chrono>

#include "core/cancel.h"
#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "sft/pretrain_loss.h"

namespace r1::sft {
namespace {

constexpr const char* kStage = "pretrain";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The documents of update `step`.
std::vector<Document> draw(const DocumentSet& set, const PretrainConfig& config, int64_t step, DocumentCursor& cursor) {
  std::vector<Document> documents;
  for (int64_t tokens = 0, wanted = tokens_at(config, step); tokens < wanted;) {
    documents.push_back(next_document(set, config.seed, cursor));
    tokens += std::ssize(documents.back().token_ids);
  }
  return documents;
}

// The loss and its parts; of MoE layers the load of their busiest expert (nn::max_violation), by layer and on average.
std::map<std::string, double> describe(const nn::CausalLm& model, const StepLoss& loss) {
  std::map<std::string, double> metrics{{"loss", loss.main}};
  if (model.config().num_mtp_layers > 0) metrics["mtp_loss"] = loss.mtp;
  if (!loss.loads.defined()) return metrics;
  metrics["balance_loss"] = loss.balance;
  const auto violation = nn::max_violation(loss.loads);
  for (int64_t l = 0; l < model.num_moe_layers(); ++l) {
    metrics[fmt::format("max_violation/layer_{}", model.moe_layer(l))] = violation[l].item<double>();
  }
  metrics["max_violation"] = violation.mean().item<double>();
  return metrics;
}

// What a run is in the middle of.
struct Progressing {
  int64_t step = 0;
  DocumentCursor cursor;
  double compute_seconds = 0;
};

void save(const Progressing& at, const train::AdamW& optimizer, const PretrainParts& parts) {
  parts.metrics.flush();
  train::Checkpoint checkpoint{.step = at.step};
  checkpoint.state = {{"epoch", at.cursor.epoch},
                      {"position", at.cursor.position},
                      {"optimizer_steps", optimizer.num_steps()},
                      {"compute_seconds", at.compute_seconds}};
  checkpoint.tensors = {{"optimizer.first_moment", optimizer.first_moment()},
                        {"optimizer.second_moment", optimizer.second_moment()}};
  parts.checkpoints.save(checkpoint, [&](const std::filesystem::path& folder) {
    model::save_model(folder, parts.model.config(), parts.model.parameters().source(), {.extra_files = parts.tokenizer_files});
  });
}

Progressing resume(train::AdamW& optimizer, const PretrainParts& parts) {
  const auto checkpoint = parts.checkpoints.load_latest();
  if (!checkpoint) return {};
  const auto where = (checkpoint->folder / "state.json").string();
  parts.model.parameters().load(*model::open_model(checkpoint->model_folder()).weights);
  optimizer.restore(checkpoint->tensors.at("optimizer.first_moment"), checkpoint->tensors.at("optimizer.second_moment"),
                    json::get_int(checkpoint->state, "optimizer_steps", where));
  log::info("goes on from {}", checkpoint->folder.string());
  return {.step = checkpoint->step,
          .cursor = {.epoch = static_cast<uint64_t>(json::get_int(checkpoint->state, "epoch", where)),
                     .position = static_cast<uint64_t>(json::get_int(checkpoint->state, "position", where))},
          .compute_seconds = json::get_double(checkpoint->state, "compute_seconds", where)};
}

}  // namespace

PretrainResult pretrain(const PretrainConfig& config, const PretrainParts& parts) {
  train::AdamW optimizer(parts.model.parameters(), config.optimizer);
  auto at = resume(optimizer, parts);
  Progress progress("pretrain", config.steps, "steps", at.step);
  PretrainResult result;
  while (at.step < config.steps && !stop_requested()) {
    const auto start = std::chrono::steady_clock::now();
    const auto documents = draw(parts.documents, config, at.step, at.cursor);
    const auto loss = accumulate(parts.model, documents, config.micro_batch_tokens,
                                 {.mtp = mtp_weight_at(config, at.step), .balance = config.moe.balance_alpha});
    const auto rate = train::learning_rate(config.schedule, at.step, config.steps);
    const auto update = optimizer.step(rate);
    if (update.is_skipped) {
      throw Error(fmt::format("pretrain, step {}", at.step), "the gradient is not finite",
                  "lower pretrain.optimizer.learning_rate, and check the data");
    }
    if (loss.loads.defined()) parts.model.update_router_bias(loss.loads, bias_speed_at(config, at.step));
    ++at.step;
    const auto seconds = seconds_since(start);
    at.compute_seconds += seconds;
    result.final_loss = loss.main;
    auto metrics = describe(parts.model, loss);
    metrics.insert({{"grad_norm", update.grad_norm},
                    {"learning_rate", rate},
                    {"tokens_per_second", static_cast<double>(num_targets(documents)) / seconds},
                    {"compute_seconds", at.compute_seconds}});
    parts.metrics.add(kStage, at.step - 1, metrics);
    progress.update(at.step, fmt::format("loss {:.4f}", loss.main));
    if (at.step % config.checkpoint_every == 0 || at.step == config.steps) save(at, optimizer, parts);
  }
  result.was_stopped = at.step < config.steps;
  if (result.was_stopped) save(at, optimizer, parts);
  result.compute_seconds = at.compute_seconds;
  return result;
}

}  // namespace r1::sft
