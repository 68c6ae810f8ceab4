#include "kernels/softmax.h"

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/row_kernels.h"

namespace r1::kernels {
namespace {

void check_targets(std::span<const int32_t> targets, int64_t r, int64_t v) {
  if (static_cast<int64_t>(targets.size()) != r) {
    throw Error("token_log_probs", fmt::format("{} targets for {} rows", targets.size(), r), "pass one target a row");
  }
  for (const int32_t target : targets) {
    if (target < 0 || target >= v) {
      throw Error("token_log_probs", fmt::format("target {}, allowed are 0 to {}", target, v - 1),
                  "use the tokenizer that belongs to the model");
    }
  }
}

LogSumExp from_sums(const rows::SoftmaxSums& sums) { return {.max = sums.max, .log_sum = simd::log1(sums.exp_sum)}; }

// With z = x - max and S = sum exp(z): entropy = log S - (sum exp(z) z) / S.
float entropy_of(const rows::SoftmaxSums& sums) { return simd::log1(sums.exp_sum) - sums.weighted_sum / sums.exp_sum; }

// What token_log_probs_backward() is told of one row.
struct RowGradient {
  int32_t target = 0;
  float entropy = 0, d_log_prob = 0, d_entropy = 0;
};

// The target's gradient is overwritten by its own formula, for 1 - p taken apart loses digits as p nears 1.
void row_backward(const rows::Kernels& kernels, float* row, int64_t v, float inv_temperature, const RowGradient& g) {
  const LogSumExp lse = from_sums(kernels.softmax_sums(row, v, inv_temperature, rows::Weighted::kNo));
  const float log_p = lse.log_prob(row[g.target] * inv_temperature);
  const float p = simd::exp1(log_p);
  kernels.softmax_backward({.row = row,
                            .v = v,
                            .inv_temperature = inv_temperature,
                            .max = lse.max,
                            .log_sum = lse.log_sum,
                            .entropy = g.entropy,
                            .d_log_prob = g.d_log_prob,
                            .d_entropy = g.d_entropy});
  const float entropy_part = p == 0 ? 0 : g.d_entropy * p * (log_p + g.entropy);
  row[g.target] = inv_temperature * (g.d_log_prob * (1 - p) - entropy_part);
}

}  // namespace

LogSumExp log_sum_exp(const float* logits, int64_t v, float inv_temperature) {
  return from_sums(rows::kernels().softmax_sums(logits, v, inv_temperature, rows::Weighted::kNo));
}

void token_log_probs(ThreadPool& pool, const float* logits, int64_t r, int64_t v, int64_t ld, float inv_temperature,
                     std::span<const int32_t> targets, float* log_probs, float* entropies) {
  check_targets(targets, r, v);
  const rows::Kernels& kernels = rows::kernels();
  const rows::Weighted weighted = entropies != nullptr ? rows::Weighted::kYes : rows::Weighted::kNo;
  pool.parallel_for(r, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = logits + row * ld;
      const rows::SoftmaxSums sums = kernels.softmax_sums(x, v, inv_temperature, weighted);
      log_probs[row] = from_sums(sums).log_prob(x[targets[row]] * inv_temperature);
      if (entropies != nullptr) entropies[row] = entropy_of(sums);
    }
  });
}

void token_log_probs_backward(ThreadPool& pool, float* logits, int64_t r, int64_t v, int64_t ld, float inv_temperature,
                              std::span<const int32_t> targets, const float* entropies, const float* d_log_probs,
                              const float* d_entropies) {
  check_targets(targets, r, v);
  const rows::Kernels& kernels = rows::kernels();
  pool.parallel_for(r, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      RowGradient g{.target = targets[row], .d_log_prob = d_log_probs[row]};
      if (d_entropies != nullptr) {
        g.entropy = entropies[row];
        g.d_entropy = d_entropies[row];
      }
      row_backward(kernels, logits + row * ld, v, inv_temperature, g);
    }
  });
}

}  // namespace r1::kernels
