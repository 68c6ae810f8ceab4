#pragma once
// The loss of one update over documents: next-token cross-entropy and, of DeepSeek-V3, the depths of MTP and the
// sequence-wise balance loss (arXiv:2412.19437v1 Eq. 17-20, 24-25).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/causal_lm.h"
#include "sft/documents.h"

namespace r1::sft {

struct LossWeights {
  double mtp = 0;      // lambda: of the mean over depths
  double balance = 0;  // alpha
};

struct StepLoss {
  double main = 0;  // mean a target
  double mtp = 0;   // mean over depths, each divided by the main model's number of targets, as Eq. 24 does; 0 without
  double balance = 0;  // mean a token, summed over layers, without alpha
  at::Tensor loads;    // [L, E] choices of each expert over the whole step; undefined without MoE layers
};

// Forward and backward over all documents in micro-batches; gradients of
//   main + weights.mtp * mtp + weights.balance * balance
// are summed into the parameters. A depth is not run when its weight is 0.
StepLoss accumulate(nn::CausalLm& model, const std::vector<Document>& documents, int64_t micro_batch_tokens,
                    const LossWeights& weights);

// Targets of all documents.
int64_t num_targets(const std::vector<Document>& documents);

}  // namespace r1::sft
