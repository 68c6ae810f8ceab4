#include "rl/policy_batch.h"

#include <torch/torch.h>

#include "train/packing.h"

namespace r1::rl {
namespace {

MicroBatch make_micro_batch(std::span<const Experience> experiences, std::vector<int32_t> members) {
  MicroBatch batch{.members = std::move(members), .offsets = {0}};
  std::vector<std::vector<int32_t>> sequences;
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  int64_t begin = 0;  // of the sequence among the packed rows
  for (const auto i : batch.members) {
    const auto &prompt = experiences[i].prompt->token_ids, &completion = experiences[i].sample->token_ids;
    auto& sequence = sequences.emplace_back(prompt);
    if (!completion.empty()) sequence.insert(sequence.end(), completion.begin(), completion.end() - 1);  // the last predicts nothing
    for (size_t k = 0; k < completion.size(); ++k) {
      predictors.push_back(begin + std::ssize(prompt) - 1 + static_cast<int64_t>(k));
      targets.push_back(completion[k]);
    }
    begin += std::ssize(sequence);
    batch.offsets.push_back(std::ssize(targets));
  }
  const std::vector<std::span<const int32_t>> views(sequences.begin(), sequences.end());
  batch.tokens = nn::pack(views);
  batch.predictors = torch::tensor(predictors, at::kLong);
  batch.targets = torch::tensor(targets, at::kInt);
  return batch;
}

}  // namespace

std::vector<MicroBatch> make_micro_batches(std::span<const Experience> experiences, int64_t max_tokens) {
  std::vector<int32_t> lengths;
  for (const auto& e : experiences) {
    lengths.push_back(static_cast<int32_t>(e.prompt->token_ids.size() + e.sample->token_ids.size()));
  }
  std::vector<MicroBatch> out;
  for (auto& bin : train::best_fit_packing(lengths, max_tokens)) out.push_back(make_micro_batch(experiences, std::move(bin)));
  return out;
}

nn::TokenLogProbs completion_log_probs(nn::CausalLm& model, const MicroBatch& batch, double temperature) {
  const auto hidden = model.forward(batch.tokens).index_select(0, batch.predictors);
  return model.log_probs(hidden, batch.targets, {.temperature = temperature});
}

at::Tensor gather(std::span<const Experience> experiences, const MicroBatch& batch,
                  std::span<const float> (*field)(const Experience&)) {
  std::vector<float> values;
  for (const auto i : batch.members) {
    const auto part = field(experiences[i]);
    values.insert(values.end(), part.begin(), part.end());
  }
  return torch::tensor(values, at::kFloat);
}

}  // namespace r1::rl
