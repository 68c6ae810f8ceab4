#include "kernels/mla.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"
#include "core/thread_pool.h"
#include "kernels/cpu.h"
#include "kernels/latent_tiles.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::kernels;

namespace {

std::vector<float> random_floats(size_t count, uint64_t stream) {
  RandomStream random(5, stream);
  std::vector<float> out(count);
  for (auto& x : out) x = static_cast<float>(random.below(2001)) / 1000 - 1;
  return out;
}

// 37 tokens in blocks 2, 0, 1 (of 4, the rest NaN), and queries that see 1, 16, 17 and 37 of them.
struct Problem {
  MlaShape shape;
  std::vector<float> latent, k_pe, q, cache;
  std::vector<int32_t> table{2, 0, 1};
  std::vector<PagedRow> rows;

  Problem(ThreadPool& pool, int heads, int rank)
      : shape{.num_heads = heads, .nope_dim = 8, .rope_dim = 6, .v_dim = 5, .latent_rank = rank, .scale = 0.3f},
        latent(random_floats(37 * rank, 1)),
        k_pe(random_floats(37 * 6, 2)),
        q(random_floats(4 * heads * shape.latent_dim(), 3)),
        cache(4 * latent_block_floats(shape), std::numeric_limits<float>::quiet_NaN()) {
    std::vector<int64_t> slots;
    for (int64_t t = 0; t < 37; ++t) slots.push_back(table[t / 16] * 16 + t % 16);
    store_latents(pool, shape, latent.data(), rank, k_pe.data(), 6, slots, cache.data());
    for (const int context : {1, 16, 17, 37}) rows.push_back({.block_table = table.data(), .context = context});
  }

  std::vector<float> run(ThreadPool& pool) const {
    std::vector<float> out(rows.size() * shape.num_heads * shape.latent_rank);
    attention_latent(pool, shape, q.data(), rows, cache.data(), out.data());
    return out;
  }
};

double worst_difference(const Problem& p, const std::vector<float>& out) {
  const int rank = p.shape.latent_rank, dim = p.shape.latent_dim();
  double worst = 0;
  for (size_t i = 0; i < p.rows.size() * p.shape.num_heads; ++i) {
    const float* const q = &p.q[i * dim];
    std::vector<double> weight(p.rows[i / p.shape.num_heads].context), wanted(rank);
    double total = 0;
    for (size_t j = 0; j < weight.size(); ++j) {
      double dot = 0;
      for (int k = 0; k < rank; ++k) dot += double{q[k]} * p.latent[j * rank + k];
      for (int k = 0; k < 6; ++k) dot += double{q[rank + k]} * p.k_pe[j * 6 + k];
      total += weight[j] = std::exp(p.shape.scale * dot);
    }
    for (size_t j = 0; j < weight.size(); ++j) {
      for (int k = 0; k < rank; ++k) wanted[k] += weight[j] / total * p.latent[j * rank + k];
    }
    for (int k = 0; k < rank; ++k) worst = std::max(worst, std::abs(wanted[k] - out[i * rank + k]));
  }
  return worst;
}

}  // namespace

TEST_CASE(
    "attention over latents is the textbook's, reads no slot past the context, and has the same bits everywhere") {
  ThreadPool one(1), two(2);
  for (const int heads : {1, 2, 3, 4, 7}) {
    for (const int rank : {4, 16, 33}) {
      INFO(heads << " heads, rank " << rank);
      const Problem p(two, heads, rank);
      const auto out = p.run(two);
      CHECK(worst_difference(p, out) < 1e-6);
      CHECK(p.run(one) == out);
      const auto isa = active_isa();
      force_isa_for_tests(Isa::kPortable);
      CHECK(p.run(two) == out);
      force_isa_for_tests(isa);
      Problem last = p;  // a row alone gives what it gives among others
      last.rows = {p.rows[3]};
      last.q.assign(p.q.end() - heads * p.shape.latent_dim(), p.q.end());
      const auto alone = last.run(two);
      CHECK(std::equal(alone.begin(), alone.end(), out.end() - heads * rank));
    }
  }
}

TEST_CASE("tokens at the head of a context can be left out, and a row without any token is refused") {
  ThreadPool pool(1);
  Problem p(pool, 2, 8);
  p.rows.erase(p.rows.begin());  // the row that sees one token
  p.q.erase(p.q.begin(), p.q.begin() + 2 * p.shape.latent_dim());
  std::vector<float> out(p.rows.size() * 2 * 8), wanted;
  attention_latent(pool, p.shape, p.q.data(), p.rows, p.cache.data(), out.data(), 1);
  Problem poisoned = p;  // token 0 matters to nobody
  for (int i = 0; i < p.shape.latent_dim(); ++i) poisoned.cache[(p.table[0] * p.shape.latent_dim() + i) * 16] = 1000;
  poisoned.rows = p.rows;
  std::vector<float> same(out.size());
  attention_latent(pool, p.shape, p.q.data(), p.rows, poisoned.cache.data(), same.data(), 1);
  CHECK(same == out);
  CHECK(out != p.run(pool));
  const std::vector<PagedRow> empty{{.block_table = p.table.data(), .context = 1}};
  CHECK_THROWS_WITH(attention_latent(pool, p.shape, p.q.data(), empty, p.cache.data(), out.data(), 1),
                    Catch::Contains("context 1 without its first 1"));
}

TEST_CASE("a slot below 0 stores nothing") {
  ThreadPool pool(1);
  const MlaShape shape{.num_heads = 1, .nope_dim = 2, .rope_dim = 2, .v_dim = 2, .latent_rank = 3};
  const auto latent = random_floats(6, 1), k_pe = random_floats(4, 2);
  std::vector<float> cache(latent_block_floats(shape), 9);
  const std::vector<int64_t> slots{-1, 5};
  store_latents(pool, shape, latent.data(), 3, k_pe.data(), 2, slots, cache.data());
  for (int i = 0; i < 5; ++i) {
    for (int t = 0; t < 16; ++t) {
      const float wanted = t != 5 ? 9 : i < 3 ? latent[3 + i] : k_pe[2 + i - 3];
      CHECK(cache[i * 16 + t] == wanted);
    }
  }
}

TEST_CASE("expanded keys share the rotary part, and gradients of it sum over heads") {
  ThreadPool pool(2);
  const MlaShape s{.num_heads = 3, .nope_dim = 2, .rope_dim = 2, .v_dim = 3, .latent_rank = 4};
  const int64_t t = 5;
  const auto kv = random_floats(t * 3 * 5, 1), k_pe = random_floats(t * 2, 2);
  std::vector<float> k(t * 3 * 4), v(t * 3 * 3), d_kv(kv.size()), d_k_pe(k_pe.size());
  expand_keys_values(pool, s, kv.data(), k_pe.data(), t, k.data(), v.data());
  CHECK(k[(2 * 3 + 1) * 4 + 1] == kv[(2 * 3 + 1) * 5 + 1]);
  CHECK(k[(2 * 3 + 1) * 4 + 3] == k_pe[2 * 2 + 1]);
  CHECK(v[(4 * 3 + 2) * 3 + 2] == kv[(4 * 3 + 2) * 5 + 4]);
  expand_keys_values_backward(pool, s, k.data(), v.data(), t, d_kv.data(), d_k_pe.data());
  CHECK(d_kv == kv);
  for (size_t i = 0; i < k_pe.size(); ++i) CHECK(d_k_pe[i] == k_pe[i] + k_pe[i] + k_pe[i]);
}

TEST_CASE("processors with more than AVX2 take the vector kernel too, not the portable one") {
  const auto under = [](Isa isa) {
    const testing::ForcedIsa forced(isa);
    return latent::attend();
  };
  const auto portable = under(Isa::kPortable);
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (isa > detected_isa()) continue;
    INFO(to_string(isa));
    CHECK(under(isa) != portable);
    CHECK(under(isa) == under(Isa::kAvx2));
  }
  CHECK(portable != nullptr);
}
