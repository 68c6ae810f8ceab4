#include "sft/pretrain.h"

#include <torch/torch.h>

#include <chrono>

#include "core/cancel.h"
#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "train/packing.h"

namespace r1::sft {
namespace {

constexpr const char* kStage = "pretrain";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The documents of one update.
std::vector<Document> draw(const DocumentSet& set, const PretrainConfig& config, DocumentCursor& cursor) {
  std::vector<Document> documents;
  for (int64_t tokens = 0; tokens < config.tokens_per_step;) {
    documents.push_back(next_document(set, config.seed, cursor));
    tokens += std::ssize(documents.back().token_ids);
  }
  return documents;
}

struct Packed {
  nn::PackedTokens tokens;
  at::Tensor predictors, targets;
};

Packed pack_members(const std::vector<Document>& documents, const std::vector<int32_t>& members) {
  std::vector<std::span<const int32_t>> sequences;
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  int64_t begin = 0;
  for (const auto i : members) {
    const auto& d = documents[i];
    const auto length = std::ssize(d.token_ids) - 1;  // the last token predicts nothing
    sequences.push_back(std::span(d.token_ids).first(length));
    for (int64_t t = d.first_target; t <= length; ++t) {
      predictors.push_back(begin + t - 1);
      targets.push_back(d.token_ids[t]);
    }
    begin += length;
  }
  return {nn::pack(sequences), torch::tensor(predictors, at::kLong), torch::tensor(targets, at::kInt)};
}

int64_t num_targets(const std::vector<Document>& documents) {
  int64_t count = 0;
  for (const auto& d : documents) count += std::ssize(d.token_ids) - d.first_target;
  return count;
}

// Forward and backward over all documents; returns the mean loss a target.
double accumulate(nn::CausalLm& model, const std::vector<Document>& documents, int64_t micro_batch_tokens) {
  std::vector<int32_t> lengths;
  for (const auto& d : documents) lengths.push_back(static_cast<int32_t>(d.token_ids.size()) - 1);
  const auto total = static_cast<double>(std::max<int64_t>(1, num_targets(documents)));
  double loss_sum = 0;
  for (const auto& members : train::best_fit_packing(lengths, micro_batch_tokens)) {
    const auto packed = pack_members(documents, members);
    if (packed.targets.numel() == 0) continue;
    const auto hidden = model.forward(packed.tokens).index_select(0, packed.predictors);
    const auto loss = -model.log_probs(hidden, packed.targets, {}).log_probs.sum() / total;
    loss.backward();
    loss_sum += loss.item<double>();
  }
  return loss_sum;
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
    const auto documents = draw(parts.documents, config, at.cursor);
    const double loss = accumulate(parts.model, documents, config.micro_batch_tokens);
    const auto rate = train::learning_rate(config.schedule, at.step, config.steps);
    const auto update = optimizer.step(rate);
    if (update.is_skipped) {
      throw Error(fmt::format("pretrain, step {}", at.step), "the gradient is not finite",
                  "lower pretrain.optimizer.learning_rate, and check the data");
    }
    ++at.step;
    const auto seconds = seconds_since(start);
    at.compute_seconds += seconds;
    result.final_loss = loss;
    parts.metrics.add(kStage, at.step - 1, {{"loss", loss},
                                            {"grad_norm", update.grad_norm},
                                            {"learning_rate", rate},
                                            {"tokens_per_second", static_cast<double>(num_targets(documents)) / seconds},
                                            {"compute_seconds", at.compute_seconds}});
    progress.update(at.step, fmt::format("loss {:.4f}", loss));
    if (at.step % config.checkpoint_every == 0 || at.step == config.steps) save(at, optimizer, parts);
  }
  result.was_stopped = at.step < config.steps;
  if (result.was_stopped) save(at, optimizer, parts);
  result.compute_seconds = at.compute_seconds;
  return result;
}

}  // namespace r1::sft
