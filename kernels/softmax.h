#pragma once
// Log-softmax statistics of logit rows, shared by the sampler and the training loss so that both see the same
// log-probs.
//
// Shape letters: R = rows, V = vocabulary.

#include <cstdint>
#include <span>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

// max and log(sum exp(x - max)) of one row of `v` floats, each multiplied by inv_temperature first. Sums run over 16
// lanes (lane = index mod 16) and a fixed tree. A NaN anywhere makes log_sum NaN.
struct LogSumExp {
  float max = 0;
  float log_sum = 0;
  float log_prob(float scaled_logit) const { return (scaled_logit - max) - log_sum; }
};
LogSumExp log_sum_exp(const float* logits, int64_t v, float inv_temperature);

// For each row r: log_probs[r] = log softmax(logits[r] * inv_temperature)[targets[r]]; entropies[r] = -sum p log p (may
// be null). logits [R, V] with row stride ld.
void token_log_probs(ThreadPool& pool, const float* logits, int64_t r, int64_t v, int64_t ld, float inv_temperature,
                     std::span<const int32_t> targets, float* log_probs, float* entropies);

// Gradient of sum_r (d_log_prob[r] * log_prob_r + d_entropy[r] * entropy_r) with respect to the logits, overwriting
// them: d_x_j = inv_temperature * (d_log_prob (1[j = target] - p_j) - d_entropy p_j (log p_j + entropy)).
// d_entropies may be null.
void token_log_probs_backward(ThreadPool& pool, float* logits, int64_t r, int64_t v, int64_t ld, float inv_temperature,
                              std::span<const int32_t> targets, const float* entropies, const float* d_log_probs,
                              const float* d_entropies);

}  // namespace r1::kernels
