#include "sft/pretrain_loss.h"

#include <torch/torch.h>

#include <numeric>

#include "train/packing.h"

namespace r1::sft {
namespace {

// Documents end to end, each without its last token, which predicts nothing.
struct Packed {
  nn::PackedTokens tokens;
  std::vector<const Document*> documents;  // of each segment

  // The predictors among `rows` (packed rows, ascending) of the token `ahead`, as indices into `rows`, and their
  // targets. Tokens before a document's first_target are not learnt.
  struct Targets {
    std::vector<int64_t> predictors;
    std::vector<int32_t> tokens;
  };
  Targets targets(const std::vector<int64_t>& rows, int64_t ahead) const {
    Targets out;
    size_t segment = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      while (rows[i] >= tokens.offsets[segment + 1]) ++segment;
      const auto& d = *documents[segment];
      const int64_t target = rows[i] - tokens.offsets[segment] + ahead;
      if (target < d.first_target || target >= std::ssize(d.token_ids)) continue;
      out.predictors.push_back(static_cast<int64_t>(i));
      out.tokens.push_back(d.token_ids[target]);
    }
    return out;
  }
};

Packed pack_members(const std::vector<Document>& documents, const std::vector<int32_t>& members) {
  Packed packed;
  std::vector<std::span<const int32_t>> sequences;
  for (const auto i : members) {
    packed.documents.push_back(&documents[i]);
    sequences.push_back(std::span(documents[i].token_ids).first(documents[i].token_ids.size() - 1));
  }
  packed.tokens = nn::pack(sequences);
  return packed;
}

// Sum of -log p over the targets; undefined if there are none.
at::Tensor negative_log_likelihood(nn::CausalLm& model, const at::Tensor& hidden, const Packed::Targets& targets) {
  if (targets.tokens.empty()) return {};
  const auto rows = hidden.index_select(0, torch::tensor(targets.predictors, at::kLong).to(hidden.device()));
  return -model.log_probs(rows, torch::tensor(targets.tokens, at::kInt).to(hidden.device()), {}).log_probs.sum();
}

double value_of(const at::Tensor& t) { return t.defined() ? t.item<double>() : 0.0; }

}  // namespace

int64_t num_targets(const std::vector<Document>& documents) {
  int64_t count = 0;
  for (const auto& d : documents) count += std::ssize(d.token_ids) - d.first_target;
  return count;
}

StepLoss accumulate(nn::CausalLm& model, const std::vector<Document>& documents, int64_t micro_batch_tokens,
                    const LossWeights& weights) {
  std::vector<int32_t> lengths;
  int64_t num_tokens = 0;
  for (const auto& d : documents) {
    lengths.push_back(static_cast<int32_t>(d.token_ids.size()) - 1);
    num_tokens += lengths.back();
  }
  const auto total = static_cast<double>(std::max<int64_t>(1, num_targets(documents)));
  StepLoss out;
  nn::RouterReport report;
  for (const auto& members : train::best_fit_packing(lengths, micro_batch_tokens)) {
    const auto packed = pack_members(documents, members);
    std::vector<int64_t> rows(static_cast<size_t>(packed.tokens.token_ids.numel()));
    std::iota(rows.begin(), rows.end(), 0);
    const auto targets = packed.targets(rows, 1);
    if (targets.tokens.empty()) continue;
    report.balance = at::Tensor();
    const auto hidden = model.forward(packed.tokens, &report);
    auto loss = negative_log_likelihood(model, hidden, targets) / total;
    out.main += loss.item<double>();
    if (weights.mtp != 0) {
      const auto depths = model.mtp(packed.tokens, hidden, &report);
      for (size_t k = 0; k < depths.size(); ++k) {
        const auto term = negative_log_likelihood(model, depths[k].hidden,
                                                  packed.targets(depths[k].rows, static_cast<int64_t>(k) + 2));
        if (!term.defined()) continue;
        const auto mean = term / (total * static_cast<double>(model.config().num_mtp_layers));
        out.mtp += mean.item<double>();
        loss = loss + weights.mtp * mean;
      }
    }
    out.balance += value_of(report.balance) / static_cast<double>(num_tokens);
    if (report.balance.defined() && weights.balance != 0)
      loss = loss + report.balance * (weights.balance / static_cast<double>(num_tokens));
    loss.backward();
  }
  out.loads = report.loads;
  return out;
}

}  // namespace r1::sft
