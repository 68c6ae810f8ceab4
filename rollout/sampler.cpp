#include "rollout/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "kernels/elementwise.h"
#include "kernels/softmax.h"

namespace r1::rollout {
namespace {

void check(bool is_good, const std::string& where, std::string_view field, const std::string& got, std::string_view allowed) {
  if (!is_good) {
    throw Error(fmt::format("{}.{}", where, field), fmt::format("got {}, allowed is {}", got, allowed),
                fmt::format("set {} to a value in that range", field));
  }
}

// The sum over a row in blocks, kept so that the scan for the drawn token skips whole blocks.
constexpr size_t kBlock = 256;

// First index whose running sum exceeds `target`; the last index with a probability if rounding ran past the end.
size_t find_by_sum(std::span<const float> p, double target) {
  double sum = 0;
  for (size_t begin = 0; begin < p.size(); begin += kBlock) {
    const auto block = p.subspan(begin, std::min(kBlock, p.size() - begin));
    float block_sum = 0;
    for (const float x : block) block_sum += x;
    if (sum + block_sum <= target) {
      sum += block_sum;
      continue;
    }
    for (size_t i = 0; i < block.size(); ++i) {
      sum += block[i];
      if (sum > target) return begin + i;
    }
  }
  size_t last = p.size() - 1;
  while (last > 0 && p[last] == 0) --last;
  return last;
}

double total_of(std::span<const float> p) {
  double sum = 0;
  for (size_t begin = 0; begin < p.size(); begin += kBlock) {
    float block_sum = 0;
    for (const float x : p.subspan(begin, std::min(kBlock, p.size() - begin))) block_sum += x;
    sum += block_sum;
  }
  return sum;
}

// Leaves the fewest candidates whose probability reaches `wanted`, most probable first. Sorts as few as it can: a nucleus is
// tens of tokens of a vocabulary of many thousands.
template <class MoreProbable>
void keep_nucleus(std::span<const float> p, double wanted, MoreProbable more_probable, std::vector<int32_t>& candidates) {
  constexpr size_t kFirstTry = 64;
  for (size_t sorted = kFirstTry;; sorted *= 8) {
    sorted = std::min(sorted, candidates.size());
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(sorted);
    std::partial_sort(candidates.begin(), end, candidates.end(), more_probable);
    double kept = 0;
    size_t count = 0;
    while (count < sorted && kept < wanted) kept += p[candidates[count++]];
    if (kept < wanted && sorted < candidates.size()) continue;
    candidates.resize(std::max<size_t>(count, 1));
    return;
  }
}

// Candidates left by top-k, top-p and min-p, most probable first (ties: lower id first).
void truncate(std::span<const float> p, const SamplingParams& params, std::vector<int32_t>& candidates) {
  candidates.resize(p.size());
  std::iota(candidates.begin(), candidates.end(), 0);
  const auto more_probable = [&](int32_t a, int32_t b) { return p[a] != p[b] ? p[a] > p[b] : a < b; };
  if (params.top_k > 0 && params.top_k < std::ssize(candidates)) {
    std::nth_element(candidates.begin(), candidates.begin() + params.top_k - 1, candidates.end(), more_probable);
    candidates.resize(params.top_k);
  } else if (params.min_p > 0) {  // a cheap filter before the sort
    const float floor = static_cast<float>(params.min_p) * *std::max_element(p.begin(), p.end());
    std::erase_if(candidates, [&](int32_t i) { return p[i] < floor; });
  }
  if (params.top_p < 1) {
    double total = 0;
    for (const auto i : candidates) total += p[i];
    keep_nucleus(p, params.top_p * total, more_probable, candidates);
  } else {
    std::sort(candidates.begin(), candidates.end(), more_probable);
  }
  const float floor = static_cast<float>(params.min_p) * p[candidates[0]];
  while (p[candidates.back()] < floor) candidates.pop_back();
}

Draw greedy(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto lse = kernels::log_sum_exp(logits.data(), std::ssize(logits), 1.0f);
  return {.token = static_cast<int32_t>(best), .logprob = lse.log_prob(logits[best]), .sampling_logprob = 0};
}

}  // namespace

void validate(const SamplingParams& p, const std::string& where) {
  check(p.num_samples >= 1, where, "num_samples", fmt::format("{}", p.num_samples), "1 or more");
  check(p.temperature >= 0 && p.temperature <= 100, where, "temperature", fmt::format("{}", p.temperature), "0 to 100");
  check(p.top_p > 0 && p.top_p <= 1, where, "top_p", fmt::format("{}", p.top_p), "above 0, at most 1");
  check(p.top_k >= 0, where, "top_k", fmt::format("{}", p.top_k), "0 (off) or more");
  check(p.min_p >= 0 && p.min_p <= 1, where, "min_p", fmt::format("{}", p.min_p), "0 to 1");
  check(p.max_new_tokens >= 1, where, "max_new_tokens", fmt::format("{}", p.max_new_tokens), "1 or more");
  for (const auto& s : p.stop) check(!s.empty(), where, "stop", "an empty string", "strings with at least one byte");
}

Draw draw(std::span<const float> logits, const SamplingParams& params, double uniform, SamplerScratch& scratch) {
  const auto v = std::ssize(logits);
  const auto inv_temperature = params.temperature > 0 ? static_cast<float>(1.0 / params.temperature) : 1.0f;
  const auto lse = kernels::log_sum_exp(logits.data(), v, inv_temperature);
  if (!std::isfinite(lse.max) || !std::isfinite(lse.log_sum)) {
    throw Error("rollout sampler", "the model's logits are not finite", "check the weights for NaN: r1 doctor --model PATH");
  }
  if (params.temperature == 0) return greedy(logits);

  auto& p = scratch.probabilities;
  p.resize(v);
  for (int64_t i = 0; i < v; ++i) p[i] = logits[i] * inv_temperature - lse.max;
  kernels::vector_exp(p.data(), p.data(), v);
  const bool truncates = (params.top_k > 0 && params.top_k < v) || params.top_p < 1 || params.min_p > 0;
  if (!truncates) {
    const auto token = find_by_sum(p, uniform * total_of(p));
    const float logprob = lse.log_prob(logits[token] * inv_temperature);
    return {.token = static_cast<int32_t>(token), .logprob = logprob, .sampling_logprob = logprob};
  }
  truncate(p, params, scratch.candidates);
  double total = 0;
  for (const auto i : scratch.candidates) total += p[i];
  double sum = 0;
  auto token = scratch.candidates.back();
  for (const auto i : scratch.candidates) {
    sum += p[i];
    if (sum > uniform * total) {
      token = i;
      break;
    }
  }
  return {.token = token,
          .logprob = lse.log_prob(logits[token] * inv_temperature),
          .sampling_logprob = static_cast<float>(std::log(p[token] / total))};
}

}  // namespace r1::rollout
