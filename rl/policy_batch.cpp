#include "rl/policy_batch.h"

#include <torch/torch.h>

#include <unordered_map>

#include "train/packing.h"

namespace r1::rl {
namespace {

// Completions of one prompt that go into a micro-batch together, which pays for the prompt once.
struct Siblings {
  const Prompt* prompt;
  std::vector<int32_t> members;
  int64_t num_tokens = 0;  // of the prompt and all completions
};

std::vector<Siblings> siblings_of(std::span<const Experience> experiences, int64_t max_tokens) {
  std::vector<Siblings> out;
  std::unordered_map<const Prompt*, size_t> open;  // by prompt: the siblings that still have room
  for (size_t i = 0; i < experiences.size(); ++i) {
    const auto& e = experiences[i];
    const auto length = std::ssize(e.sample->token_ids);
    const auto found = open.find(e.prompt);
    if (found == open.end() || out[found->second].num_tokens + length > max_tokens) {
      open[e.prompt] = out.size();
      out.push_back({.prompt = e.prompt, .num_tokens = std::ssize(e.prompt->token_ids)});
    }
    auto& siblings = out[open[e.prompt]];
    siblings.members.push_back(static_cast<int32_t>(i));
    siblings.num_tokens += length;
  }
  return out;
}

MicroBatch make_micro_batch(std::span<const Experience> experiences, std::span<const Siblings> all,
                            std::span<const int32_t> bin) {
  MicroBatch batch{.offsets = {0}};
  std::vector<nn::SharedPrefix> groups;
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  int64_t begin = 0;  // of the group among the packed rows
  for (const auto s : bin) {
    auto& group = groups.emplace_back(nn::SharedPrefix{.prefix = all[s].prompt->token_ids});
    const auto last_of_prompt = begin + std::ssize(group.prefix) - 1;
    begin += std::ssize(group.prefix);
    for (const auto i : all[s].members) {
      const std::span<const int32_t> completion = experiences[i].sample->token_ids;
      group.continuations.push_back(
          completion.first(completion.empty() ? 0 : completion.size() - 1));  // the last predicts nothing
      for (size_t k = 0; k < completion.size(); ++k) {
        predictors.push_back(k == 0 ? last_of_prompt : begin + static_cast<int64_t>(k) - 1);
        targets.push_back(completion[k]);
      }
      begin += std::ssize(group.continuations.back());
      batch.members.push_back(i);
      batch.offsets.push_back(std::ssize(targets));
    }
  }
  batch.tokens = nn::pack_shared(groups);
  batch.predictors = torch::tensor(predictors, at::kLong);
  batch.targets = torch::tensor(targets, at::kInt);
  return batch;
}

}  // namespace

std::vector<MicroBatch> make_micro_batches(std::span<const Experience> experiences, int64_t max_tokens) {
  const auto siblings = siblings_of(experiences, max_tokens);
  std::vector<int32_t> lengths;
  for (const auto& s : siblings) lengths.push_back(static_cast<int32_t>(s.num_tokens));
  std::vector<MicroBatch> out;
  for (const auto& bin : train::best_fit_packing(lengths, max_tokens)) {
    out.push_back(make_micro_batch(experiences, siblings, bin));
  }
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
