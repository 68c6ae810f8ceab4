#include "kernels/moe.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/thread_pool.h"
#include "kernels/elementwise.h"

namespace r1::kernels {
namespace {

constexpr int64_t kTokenGrain = 64;
constexpr float kLeastSum = 1e-20f;  // as transformers
constexpr float kNever = -std::numeric_limits<float>::infinity();

// scores = 1 / (1 + exp(-logits)).
void sigmoid(const float* logits, int64_t count, float* scores) {
  for (int64_t i = 0; i < count; ++i) scores[i] = -logits[i];
  vector_exp(scores, scores, count);
  for (int64_t i = 0; i < count; ++i) scores[i] = 1 / (1 + scores[i]);
}

float best_two(const float* x, int count) {
  float first = kNever, second = kNever;
  for (int i = 0; i < count; ++i) {
    if (x[i] > first)
      second = first, first = x[i];
    else if (x[i] > second)
      second = x[i];
  }
  return count > 1 ? first + second : first;
}

// Indices of the `k` largest of x, ties to the lower index, ascending.
void largest(const float* x, int count, int k, std::vector<int32_t>& order, int32_t* out) {
  order.resize(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  const auto is_before = [&](int32_t a, int32_t b) { return x[a] > x[b] || (x[a] == x[b] && a < b); };
  std::nth_element(order.begin(), order.begin() + (k - 1), order.end(), is_before);
  std::copy_n(order.begin(), k, out);
  std::sort(out, out + k);
}

// One token's choice; `choice` and `order` are working memory.
struct Chooser {
  const RouterShape& shape;
  const float* bias;
  std::vector<float> choice, group_scores;
  std::vector<int32_t> order, groups;

  void choose(const float* scores, int32_t* experts) {
    choice.resize(static_cast<size_t>(shape.num_experts));
    for (int i = 0; i < shape.num_experts; ++i) choice[i] = scores[i] + bias[i];
    if (shape.top_groups < shape.num_groups) drop_groups();
    largest(choice.data(), shape.num_experts, shape.top_k, order, experts);
  }

  void drop_groups() {
    const int size = shape.num_experts / shape.num_groups;
    group_scores.resize(static_cast<size_t>(shape.num_groups));
    groups.resize(static_cast<size_t>(shape.top_groups));
    for (int g = 0; g < shape.num_groups; ++g) group_scores[g] = best_two(choice.data() + g * size, size);
    largest(group_scores.data(), shape.num_groups, shape.top_groups, order, groups.data());
    for (int g = 0; g < shape.num_groups; ++g) {
      if (!std::ranges::binary_search(groups, g)) std::fill_n(choice.begin() + g * size, size, kNever);
    }
  }
};

void weigh(const RouterShape& shape, const float* scores, const int32_t* experts, float* weights) {
  float sum = 0;
  for (int k = 0; k < shape.top_k; ++k) sum += scores[experts[k]];
  const float divisor = shape.normalises ? sum + kLeastSum : 1;
  for (int k = 0; k < shape.top_k; ++k) weights[k] = scores[experts[k]] / divisor * shape.scaling;
}

[[gnu::optimize("O3")]] void add_scaled(float* y, const float* x, float weight, int64_t d) {
  for (int64_t i = 0; i < d; ++i) y[i] += weight * x[i];
}
[[gnu::optimize("O3")]] void set_scaled(float* y, const float* x, float weight, int64_t d) {
  for (int64_t i = 0; i < d; ++i) y[i] = weight * x[i];
}

// In 16 partial sums, so that the compiler may make vectors of it.
[[gnu::optimize("O3")]] float dot(const float* a, const float* b, int64_t d) {
  float lanes[16] = {};
  int64_t i = 0;
  for (; i + 16 <= d; i += 16) {
    for (int lane = 0; lane < 16; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (int lane = 0; i < d; ++i, ++lane) lanes[lane] += a[i] * b[i];
  for (int half = 8; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// f_i of Eq. 18 for one segment.
std::vector<float> fractions(const float* scores, int64_t num_experts, int64_t top_k, int64_t length) {
  std::vector<float> f(static_cast<size_t>(num_experts));
  std::vector<int32_t> order, chosen(static_cast<size_t>(top_k));
  for (int64_t t = 0; t < length; ++t) {
    largest(scores + t * num_experts, static_cast<int>(num_experts), static_cast<int>(top_k), order, chosen.data());
    for (const int32_t i : chosen) f[i] += 1;
  }
  const float scale = static_cast<float>(num_experts) / (static_cast<float>(top_k) * static_cast<float>(length));
  for (float& x : f) x *= scale;
  return f;
}

}  // namespace

void route(ThreadPool& pool, const RouterShape& shape, const float* logits, const float* bias, int64_t t, float* scores,
           int32_t* experts, float* weights) {
  pool.parallel_for(t, kTokenGrain, [&](int64_t begin, int64_t end) {
    const int64_t e = shape.num_experts, k = shape.top_k;
    Chooser chooser{.shape = shape, .bias = bias};
    sigmoid(logits + begin * e, (end - begin) * e, scores + begin * e);
    for (int64_t i = begin; i < end; ++i) {
      chooser.choose(scores + i * e, experts + i * k);
      weigh(shape, scores + i * e, experts + i * k, weights + i * k);
    }
  });
}

void route_backward(ThreadPool& pool, const RouterShape& shape, const float* scores, const int32_t* experts,
                    const float* d_weights, int64_t t, float* d_logits) {
  pool.parallel_for(t, kTokenGrain, [&](int64_t begin, int64_t end) {
    const int64_t e = shape.num_experts, k = shape.top_k;
    for (int64_t i = begin; i < end; ++i) {
      const float *s = scores + i * e, *d_w = d_weights + i * k;
      const int32_t* chosen = experts + i * k;
      float sum = 0, weighted = 0;
      for (int64_t j = 0; j < k; ++j) sum += s[chosen[j]], weighted += d_w[j] * s[chosen[j]];
      sum += kLeastSum;
      std::fill_n(d_logits + i * e, e, 0.0f);
      for (int64_t j = 0; j < k; ++j) {
        const float d_s = shape.normalises ? (d_w[j] - weighted / sum) / sum : d_w[j];
        d_logits[i * e + chosen[j]] = d_s * shape.scaling * s[chosen[j]] * (1 - s[chosen[j]]);
      }
    }
  });
}

ExpertPlan plan_experts(std::span<const int32_t> experts, int64_t top_k, int64_t num_experts) {
  std::vector<int64_t> next(static_cast<size_t>(num_experts) + 1);  // counting sort: stable, so tokens stay in order
  for (const int32_t e : experts) ++next[e + 1];
  ExpertPlan plan{.offsets = {0}};
  for (int64_t e = 0; e < num_experts; ++e) {
    if (next[e + 1] > 0) {
      plan.active.push_back(static_cast<int32_t>(e));
      plan.offsets.push_back(plan.offsets.back() + next[e + 1]);
    }
    next[e + 1] += next[e];
  }
  plan.tokens.resize(experts.size());
  plan.slots.resize(experts.size());
  for (size_t i = 0; i < experts.size(); ++i) {
    const int64_t slot = next[experts[i]]++;
    plan.tokens[slot] = static_cast<int32_t>(static_cast<int64_t>(i) / top_k);
    plan.slots[i] = static_cast<int32_t>(slot);
  }
  return plan;
}

void for_each_expert(ThreadPool& pool, const ExpertPlan& plan,
                     const std::function<void(int32_t expert, int64_t begin, int64_t count)>& run) {
  const auto run_range = [&](int64_t begin, int64_t end) {
    for (int64_t a = begin; a < end; ++a) run(plan.active[a], plan.offsets[a], plan.offsets[a + 1] - plan.offsets[a]);
  };
  const auto count = static_cast<int64_t>(plan.active.size());
  if (count >= 2 * pool.size())
    pool.parallel_for(count, 1, run_range);  // products inside run on their caller
  else
    run_range(0, count);
}

void gather_rows(ThreadPool& pool, const float* x, int64_t d, std::span<const int32_t> tokens, float* out) {
  pool.parallel_for(static_cast<int64_t>(tokens.size()), kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) std::copy_n(x + tokens[s] * d, d, out + s * d);
  });
}

void combine_rows(ThreadPool& pool, const float* rows, int64_t d, const ExpertPlan& plan, int64_t top_k,
                  const float* weights, float* y) {
  pool.parallel_for(static_cast<int64_t>(plan.slots.size()) / top_k, kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * top_k; i < end * top_k; ++i) {
      float* const out = y + i / top_k * d;
      const float* const row = rows + plan.slots[i] * d;
      const float weight = weights ? weights[i] : 1;
      if (i % top_k == 0)
        set_scaled(out, row, weight, d);
      else
        add_scaled(out, row, weight, d);
    }
  });
}

void combine_rows_backward(ThreadPool& pool, const float* rows, int64_t d, const ExpertPlan& plan, int64_t top_k,
                           const float* weights, const float* d_y, float* d_rows, float* d_weights) {
  pool.parallel_for(static_cast<int64_t>(plan.slots.size()), kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* const d_out = d_y + i / top_k * d;
      const int64_t slot = plan.slots[i];
      d_weights[i] = dot(d_out, rows + slot * d, d);
      set_scaled(d_rows + slot * d, d_out, weights[i], d);
    }
  });
}

void balance_losses(ThreadPool& pool, const float* scores, int64_t num_experts, int64_t top_k,
                    std::span<const int32_t> offsets, float* losses) {
  pool.parallel_for(static_cast<int64_t>(offsets.size()) - 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const float* const rows = scores + offsets[s] * num_experts;
      const int64_t length = offsets[s + 1] - offsets[s];
      losses[s] = 0;
      if (length == 0) continue;
      const auto f = fractions(rows, num_experts, top_k, length);
      double sum = 0;
      for (int64_t t = 0; t < length; ++t) {
        const float* const row = rows + t * num_experts;
        sum += double{dot(row, f.data(), num_experts)} / std::accumulate(row, row + num_experts, 0.0);
      }
      losses[s] = static_cast<float>(sum / static_cast<double>(length));
    }
  });
}

void add_balance_gradient(ThreadPool& pool, const float* scores, int64_t num_experts, int64_t top_k,
                          std::span<const int32_t> offsets, const float* d_losses, float* d_logits) {
  pool.parallel_for(static_cast<int64_t>(offsets.size()) - 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const int64_t length = offsets[s + 1] - offsets[s];
      if (length == 0) continue;
      const auto f = fractions(scores + offsets[s] * num_experts, num_experts, top_k, length);
      const float scale = d_losses[s] / static_cast<float>(length);
      for (int64_t t = offsets[s]; t < offsets[s + 1]; ++t) {
        const float* const row = scores + t * num_experts;
        const float sum = std::accumulate(row, row + num_experts, 0.0f), mean = dot(row, f.data(), num_experts) / sum;
        for (int64_t i = 0; i < num_experts; ++i) {
          d_logits[t * num_experts + i] += scale * (f[i] - mean) / sum * row[i] * (1 - row[i]);
        }
      }
    }
  });
}

}  // namespace r1::kernels
