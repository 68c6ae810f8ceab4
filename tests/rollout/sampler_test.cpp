#include "rollout/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "core/random.h"
#include "tests/support/catch.h"

using r1::SamplingParams;
using namespace r1::rollout;

namespace {

// Probabilities .4 .3 .2 .1 for tokens 2, 0, 3, 1.
const std::vector<float> kLogits{std::log(0.3f), std::log(0.1f), std::log(0.4f), std::log(0.2f)};

std::map<int, int> counts(const SamplingParams& params, int draws = 20000) {
  std::map<int, int> out;
  SamplerScratch scratch;
  r1::RandomStream random(1, 2);
  for (int i = 0; i < draws; ++i) ++out[draw(kLogits, params, random.uniform(), scratch).token];
  return out;
}

}  // namespace

TEST_CASE("draws follow the distribution that the parameters leave") {
  struct Row {
    std::string why;
    SamplingParams params;
    std::map<int, double> shares;
  };
  const auto row =
      GENERATE(Row{"temperature 1", {}, {{0, .3}, {1, .1}, {2, .4}, {3, .2}}},
               Row{"temperature 0.5 squares", {.temperature = 0.5}, {{0, .3}, {1, .0333}, {2, .5333}, {3, .1333}}},
               Row{"top-k", {.top_k = 2}, {{0, .4286}, {2, .5714}}},
               Row{"top-p keeps the least set that reaches p", {.top_p = 0.6}, {{0, .4286}, {2, .5714}}},
               Row{"min-p is relative to the largest", {.min_p = 0.45}, {{0, .3333}, {2, .4444}, {3, .2222}}},
               Row{"top-k, then top-p of what is left", {.top_p = 0.5, .top_k = 3}, {{0, .4286}, {2, .5714}}},
               Row{"greedy", {.temperature = 0}, {{2, 1}}});
  INFO(row.why);
  const auto found = counts(row.params);
  CHECK(found.size() == row.shares.size());
  for (const auto& [token, share] : row.shares) CHECK(found.at(token) / 20000.0 == Approx(share).margin(0.015));
}

TEST_CASE("a nucleus of many tokens of a large vocabulary is the one that sorting all of it gives") {
  std::vector<float> logits(5000);
  r1::RandomStream random(4, 4);
  for (auto& l : logits) l = static_cast<float>(3 * random.uniform());
  std::vector<float> sorted = logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double total = 0, kept = 0;
  for (const float l : logits) total += std::exp(l);
  const double top_p = GENERATE(0.001, 0.02, 0.3, 0.9);
  size_t size = 0;
  while (kept < top_p * total) kept += std::exp(sorted[size++]);
  const float least = sorted[size - 1];
  SamplerScratch scratch;
  float seen_least = 100;
  for (int i = 0; i <= 1000; ++i) {  // the nucleus lies in order of probability, so `uniform` walks through it
    const auto d = draw(logits, {.top_p = top_p}, std::min(i / 1000.0, 0.9999999), scratch);
    seen_least = std::min(seen_least, logits[d.token]);
    REQUIRE(d.sampling_logprob == Approx(d.logprob - std::log(kept / total)).margin(2e-3));
  }
  CHECK(seen_least == Approx(least).margin(5e-3));
  CHECK(scratch.candidates.size() == Approx(static_cast<double>(size)).margin(1));
}

TEST_CASE("a draw carries its log-prob under the full policy and under what was drawn from") {
  SamplerScratch scratch;
  const auto d = draw(kLogits, {.top_k = 2}, 0.0, scratch);
  CHECK(d.token == 2);
  CHECK(d.logprob == Approx(std::log(0.4)).epsilon(1e-5));
  CHECK(d.sampling_logprob == Approx(std::log(0.4 / 0.7)).epsilon(1e-5));
  const auto full = draw(kLogits, {}, 0.99, scratch);
  CHECK(full.logprob == full.sampling_logprob);
  const auto greedy = draw(kLogits, {.temperature = 0}, 0.5, scratch);
  CHECK(greedy.logprob == Approx(std::log(0.4)).epsilon(1e-5));
  CHECK(greedy.sampling_logprob == 0);
}

TEST_CASE("logits that are not finite are an error, not a token") {
  SamplerScratch scratch;
  auto logits = kLogits;
  logits[1] = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  CHECK_THROWS_WITH(draw(logits, {}, 0.5, scratch), Catch::Contains("not finite"));
}

TEST_CASE("sampling parameters out of range are named") {
  struct Row {
    std::string field;
    SamplingParams params;
  };
  const auto row =
      GENERATE(Row{"temperature", {.temperature = -1}}, Row{"top_p", {.top_p = 0}}, Row{"top_p", {.top_p = 1.5}},
               Row{"top_k", {.top_k = -1}}, Row{"min_p", {.min_p = 2}}, Row{"max_new_tokens", {.max_new_tokens = 0}},
               Row{"num_samples", {.num_samples = 0}}, Row{"stop", {.stop = {""}}});
  CHECK_THROWS_WITH(validate(row.params, "rl"), Catch::Contains("rl." + row.field));
}
