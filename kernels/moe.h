#pragma once
// DeepSeekMoE (arXiv:2412.19437v1 section 2.1.2): the gate, and the order in which tokens meet their experts. Rollouts
// and training call the same functions; a token's result depends on that token alone.
//
// Shape letters: T = tokens, E = experts, K = experts a token, S = T * K slots sorted by expert, D = features.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace r1 {
class ThreadPool;
}

namespace r1::kernels {

struct RouterShape {
  int num_experts = 0, top_k = 0;
  int num_groups = 1, top_groups = 1;
  bool normalises = true;  // weights of a token sum to `scaling`
  float scaling = 1;
};

// Eq. 12-16: scores [T, E] = sigmoid(logits [T, E]); the top_groups groups with the largest sums of their best two
// score + bias stay, and of their experts the top_k with the largest score + bias (ties: the lower index) are chosen.
// experts [T, K] ascending; weights [T, K] from the scores alone. bias [E].
void route(ThreadPool& pool, const RouterShape& shape, const float* logits, const float* bias, int64_t t, float* scores,
           int32_t* experts, float* weights);
// The gradient through the weights, not through the choice: d_logits [T, E] is overwritten.
void route_backward(ThreadPool& pool, const RouterShape& shape, const float* scores, const int32_t* experts,
                    const float* d_weights, int64_t t, float* d_logits);

// Slots sorted by expert, and by token within an expert. Experts without tokens do not occur.
struct ExpertPlan {
  std::vector<int32_t> active;   // experts with tokens, ascending
  std::vector<int64_t> offsets;  // active expert a has slots offsets[a] .. offsets[a + 1]
  std::vector<int32_t> tokens;   // [S] the token of each slot
  std::vector<int32_t> slots;    // [T, K] the slot of each choice
};
ExpertPlan plan_experts(std::span<const int32_t> experts, int64_t top_k, int64_t num_experts);

// Calls run(expert, first slot, number of slots) for every active expert; several at a time where there are many.
void for_each_expert(ThreadPool& pool, const ExpertPlan& plan,
                     const std::function<void(int32_t expert, int64_t begin, int64_t count)>& run);

// out[s] = x[tokens[s]]: x [T, D] -> out [S, D].
void gather_rows(ThreadPool& pool, const float* x, int64_t d, std::span<const int32_t> tokens, float* out);
// y[t] = sum over k of weights[t, k] * rows[slots[t, k]], in ascending k: rows [S, D] -> y [T, D]. weights null: all 1.
void combine_rows(ThreadPool& pool, const float* rows, int64_t d, const ExpertPlan& plan, int64_t top_k,
                  const float* weights, float* y);
// Of combine_rows: d_rows[slot] = weight * d_y[t], d_weights[t, k] = d_y[t] . rows[slot].
void combine_rows_backward(ThreadPool& pool, const float* rows, int64_t d, const ExpertPlan& plan, int64_t top_k,
                           const float* weights, const float* d_y, float* d_rows, float* d_weights);

// The complementary sequence-wise balance loss (Eq. 17-20) without alpha, one value a segment of scores [T, E]:
// losses[s] = sum_i f_i P_i, f_i = E / (K T_s) * #{t : i in TopK(s_t)}, P_i = mean_t s_it / sum_j s_jt.
void balance_losses(ThreadPool& pool, const float* scores, int64_t num_experts, int64_t top_k,
                    std::span<const int32_t> offsets, float* losses);
// Adds its gradient to d_logits [T, E], for d_losses of each segment; f_i is a constant.
void add_balance_gradient(ThreadPool& pool, const float* scores, int64_t num_experts, int64_t top_k,
                          std::span<const int32_t> offsets, const float* d_losses, float* d_logits);

}  // namespace r1::kernels
