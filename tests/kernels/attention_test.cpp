#include "kernels/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/cpu.h"
#include "tests/support/catch.h"

namespace {

using r1::ThreadPool;
using r1::kernels::AttentionShape;
using r1::kernels::kKvBlockTokens;
using Floats = std::vector<float>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr int64_t kGap = 5;  // between the rows of a matrix: nothing may be written there

uint32_t next_random(uint32_t& state) { return state = state * 1664525u + 1013904223u; }

Floats random_floats(int64_t count, uint32_t seed) {
  Floats x(count);
  for (float& f : x) f = static_cast<float>(next_random(seed) >> 8) * 0x1p-22f - 2.0f;
  return x;
}

AttentionShape make_shape(int heads, int kv_heads, int d, int e) {
  return {heads, kv_heads, d, e, 1.0f / std::sqrt(static_cast<float>(d))};
}

// Packed inputs, d_out for the backward pass, and their row strides.
struct Problem {
  AttentionShape shape;
  std::vector<int32_t> offsets{0};
  int64_t ldq = 0, ldk = 0, ldv = 0, ldo = 0;
  Floats q, k, v, d_out;

  int64_t rows() const { return offsets.back(); }
};

Problem make_problem(const AttentionShape& s, const std::vector<int>& segments, uint32_t seed = 1) {
  Problem p{.shape = s};
  for (const int length : segments) p.offsets.push_back(p.offsets.back() + length);
  p.ldq = int64_t{s.num_heads} * s.head_dim + kGap;
  p.ldk = int64_t{s.num_kv_heads} * s.head_dim + kGap;
  p.ldv = int64_t{s.num_kv_heads} * s.v_head_dim + kGap;
  p.ldo = int64_t{s.num_heads} * s.v_head_dim + kGap;
  p.q = random_floats(p.rows() * p.ldq, seed);
  p.k = random_floats(p.rows() * p.ldk, seed + 1);
  p.v = random_floats(p.rows() * p.ldv, seed + 2);
  p.d_out = random_floats(p.rows() * p.ldo, seed + 3);
  return p;
}

struct Forward {
  Floats out, lse;
};
struct Gradients {
  Floats d_q, d_k, d_v;
};

Forward run_packed(const Problem& p, int threads) {
  ThreadPool pool(threads);
  Forward f{.out = Floats(p.rows() * p.ldo, kNan), .lse = Floats(p.rows() * p.shape.num_heads, kNan)};
  r1::kernels::attention_packed(pool, p.shape, p.q.data(), p.ldq, p.k.data(), p.ldk, p.v.data(), p.ldv, p.offsets,
                                f.out.data(), p.ldo, f.lse.data());
  return f;
}

Gradients run_backward(const Problem& p, const Forward& f, int threads) {
  ThreadPool pool(threads);
  Gradients g{.d_q = Floats(p.q.size(), kNan), .d_k = Floats(p.k.size(), kNan), .d_v = Floats(p.v.size(), kNan)};
  r1::kernels::attention_packed_backward(pool, p.shape,
                                         {.q = p.q.data(),
                                          .k = p.k.data(),
                                          .v = p.v.data(),
                                          .out = f.out.data(),
                                          .lse = f.lse.data(),
                                          .d_out = p.d_out.data(),
                                          .ldq = p.ldq,
                                          .ldk = p.ldk,
                                          .ldv = p.ldv,
                                          .ldo = p.ldo,
                                          .d_q = g.d_q.data(),
                                          .d_k = g.d_k.data(),
                                          .d_v = g.d_v.data()},
                                         p.offsets);
  return g;
}

// Index of the first element of `width`-wide rows whose bits differ, or -1. Gaps between rows are not compared.
int64_t first_difference(const Floats& a, const Floats& b, int64_t ld, int64_t width) {
  for (int64_t i = 0; i < static_cast<int64_t>(a.size()); ++i) {
    if (i % ld < width && std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i])) return i;
  }
  return a.size() == b.size() ? -1 : 0;
}

bool gaps_are_untouched(const Floats& x, int64_t ld) {
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    if (i % ld >= ld - kGap && !std::isnan(x[i])) return false;
  }
  return true;
}

// The largest |a - b| / (1 + |b|) over the rows; NaN in `a` gives infinity.
double worst_error(const Floats& a, const std::vector<double>& b, int64_t ld, int64_t width) {
  double worst = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(a.size()); ++i) {
    if (i % ld >= width) continue;
    const double error = std::abs(a[i] - b[i]) / (1 + std::abs(b[i]));
    worst = error <= std::numeric_limits<double>::max() ? std::max(worst, error) : INFINITY;
  }
  return worst;
}

// Naive attention in double precision, with gradients from the textbook chain rule through the softmax.
struct Reference {
  std::vector<double> out, lse, d_q, d_k, d_v;
};

double dot(const float* a, const float* b, int count) {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += double{a[i]} * b[i];
  return sum;
}

void add_row(const Problem& p, int64_t begin, int64_t row, int head, Reference& r) {
  const AttentionShape& s = p.shape;
  const int kv = head / (s.num_heads / s.num_kv_heads);
  const float* q = &p.q[row * p.ldq + head * s.head_dim];
  const float* d_out = &p.d_out[row * p.ldo + head * s.v_head_dim];
  std::vector<double> prob(row + 1 - begin), d_prob(prob.size());
  for (int64_t j = begin; j <= row; ++j) {
    prob[j - begin] = s.scale * dot(q, &p.k[j * p.ldk + kv * s.head_dim], s.head_dim);
    d_prob[j - begin] = dot(d_out, &p.v[j * p.ldv + kv * s.v_head_dim], s.v_head_dim);
  }
  const double max = *std::max_element(prob.begin(), prob.end());
  double sum = 0;
  for (double& x : prob) sum += x = std::exp(x - max);
  for (double& x : prob) x /= sum;
  r.lse[row * s.num_heads + head] = max + std::log(sum);
  const double mean = std::inner_product(prob.begin(), prob.end(), d_prob.begin(), 0.0);
  for (int64_t j = begin; j <= row; ++j) {
    const double weight = prob[j - begin], d_score = weight * (d_prob[j - begin] - mean) * s.scale;
    for (int i = 0; i < s.v_head_dim; ++i) {
      const int64_t at = j * p.ldv + kv * s.v_head_dim + i;
      r.out[row * p.ldo + head * s.v_head_dim + i] += weight * p.v[at];
      r.d_v[at] += weight * d_out[i];
    }
    for (int i = 0; i < s.head_dim; ++i) {
      const int64_t at = j * p.ldk + kv * s.head_dim + i;
      r.d_q[row * p.ldq + head * s.head_dim + i] += d_score * p.k[at];
      r.d_k[at] += d_score * q[i];
    }
  }
}

Reference reference(const Problem& p) {
  Reference r{.out = std::vector<double>(p.d_out.size()),
              .lse = std::vector<double>(p.rows() * p.shape.num_heads),
              .d_q = std::vector<double>(p.q.size()),
              .d_k = std::vector<double>(p.k.size()),
              .d_v = std::vector<double>(p.v.size())};
  for (size_t s = 0; s + 1 < p.offsets.size(); ++s) {
    for (int64_t row = p.offsets[s]; row < p.offsets[s + 1]; ++row) {
      for (int head = 0; head < p.shape.num_heads; ++head) add_row(p, p.offsets[s], row, head, r);
    }
  }
  return r;
}

// sum of d_out * out: what the reference's gradients are the gradients of.
double loss(const Problem& p) {
  const Reference r = reference(p);
  double sum = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(r.out.size()); ++i) {
    if (i % p.ldo < p.ldo - kGap) sum += r.out[i] * p.d_out[i];
  }
  return sum;
}

struct Case {
  std::string why;
  AttentionShape shape;
  std::vector<int> segments;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"three query heads to a kv head, as SmolLM2 has", make_shape(9, 3, 64, 64), {37, 100, 3}},
      {"one query head to a kv head", make_shape(4, 4, 32, 32), {70, 16, 17, 15}},
      {"one kv head for all", make_shape(8, 1, 16, 16), {45, 1}},
      {"values narrower than keys, as MLA has", make_shape(2, 2, 192, 128), {33}},
      {"values wider than keys", make_shape(4, 2, 16, 40), {50}},
      {"dims that fill no vector", make_shape(6, 3, 5, 7), {40, 9}},
      {"dims of 1", make_shape(2, 1, 1, 1), {20}},
      {"a dim with a whole vector and a rest", make_shape(5, 5, 20, 12), {31}},
      {"segments of one token", make_shape(9, 3, 16, 16), {1, 1, 1, 1}},
      {"segments without a token between others", make_shape(3, 3, 8, 8), {0, 5, 0, 0, 18, 0}},
      {"a segment of many row tiles and key runs", make_shape(2, 1, 64, 64), {400}},
      {"more query heads to a kv head than a tile has rows", make_shape(14, 2, 8, 8), {35}},
  };
  return all;
}

// A paged cache of p's keys and values whose blocks lie in a shuffled order; slots that no token fills hold NaN.
struct Cache {
  Floats keys, values;
  std::vector<std::vector<int32_t>> tables;  // of each segment
  std::vector<int64_t> slots;                // of each row

  r1::kernels::KvCacheLayer layer() { return {keys.data(), values.data()}; }
};

Cache make_cache(const Problem& p) {
  Cache c;
  int32_t num_blocks = 1;  // one more than needed: never used
  for (size_t s = 0; s + 1 < p.offsets.size(); ++s) {
    const int blocks = (p.offsets[s + 1] - p.offsets[s] + kKvBlockTokens - 1) / kKvBlockTokens;
    auto& table = c.tables.emplace_back(blocks);
    std::iota(table.begin(), table.end(), num_blocks);
    num_blocks += blocks;
  }
  std::vector<int32_t> order(num_blocks);
  std::iota(order.begin(), order.end(), 0);
  uint32_t seed = 7;
  for (int32_t i = num_blocks - 1; i > 0; --i) std::swap(order[i], order[next_random(seed) / 256 % (i + 1)]);
  for (size_t s = 0; s < c.tables.size(); ++s) {
    for (int32_t& block : c.tables[s]) block = order[block];
    for (int i = 0; i < p.offsets[s + 1] - p.offsets[s]; ++i) {
      c.slots.push_back(int64_t{c.tables[s][i / kKvBlockTokens]} * kKvBlockTokens + i % kKvBlockTokens);
    }
  }
  c.keys.assign(num_blocks * r1::kernels::key_block_floats(p.shape), kNan);
  c.values.assign(num_blocks * r1::kernels::value_block_floats(p.shape), kNan);
  return c;
}

struct Rows {
  int64_t first = 0, count = 0;
};

// Stores the keys and values of `rows`, then attends from them.
void run_paged(const Problem& p, Cache& cache, Rows rows, ThreadPool& pool, Floats& out) {
  r1::kernels::store_kv(pool, p.shape, &p.k[rows.first * p.ldk], p.ldk, &p.v[rows.first * p.ldv], p.ldv,
                        std::span(cache.slots).subspan(rows.first, rows.count), cache.layer());
  std::vector<r1::kernels::PagedRow> paged;
  for (int64_t row = rows.first; row < rows.first + rows.count; ++row) {
    const auto segment = std::upper_bound(p.offsets.begin(), p.offsets.end(), row) - p.offsets.begin() - 1;
    paged.push_back(
        {.block_table = cache.tables[segment].data(), .context = static_cast<int32_t>(row - p.offsets[segment] + 1)});
  }
  r1::kernels::attention_paged(pool, p.shape, &p.q[rows.first * p.ldq], p.ldq, paged, cache.layer(),
                               &out[rows.first * p.ldo], p.ldo);
}

Floats run_paged_in_chunks(const Problem& p, int64_t chunk, int threads) {
  ThreadPool pool(threads);
  Cache cache = make_cache(p);
  Floats out(p.rows() * p.ldo, kNan);
  for (int64_t first = 0; first < p.rows(); first += chunk) {
    run_paged(p, cache, {first, std::min(chunk, p.rows() - first)}, pool, out);
  }
  return out;
}

// Runs `f` with the portable kernels.
template <class F>
auto with_portable_kernels(F f) {
  struct Restore {
    ~Restore() { r1::kernels::force_isa_for_tests(r1::kernels::detected_isa()); }
  } restore;
  r1::kernels::force_isa_for_tests(r1::kernels::Isa::kPortable);
  return f();
}

void check_same_gradients(const Problem& p, const Gradients& a, const Gradients& b) {
  CHECK(first_difference(a.d_q, b.d_q, p.ldq, p.ldq - kGap) == -1);
  CHECK(first_difference(a.d_k, b.d_k, p.ldk, p.ldk - kGap) == -1);
  CHECK(first_difference(a.d_v, b.d_v, p.ldv, p.ldv - kGap) == -1);
}

}  // namespace

TEST_CASE("attention_packed agrees with naive attention in double precision") {
  for (const Case& c : cases()) {
    INFO(c.why);
    const Problem p = make_problem(c.shape, c.segments);
    const Forward f = run_packed(p, 2);
    const Reference r = reference(p);
    CHECK(worst_error(f.out, r.out, p.ldo, p.ldo - kGap) < 1e-5);
    CHECK(worst_error(f.lse, r.lse, 1, 1) < 1e-5);
    CHECK(gaps_are_untouched(f.out, p.ldo));
  }
}

TEST_CASE("attention_packed leaves lse out when it is not asked for") {
  const Problem p = make_problem(make_shape(4, 2, 8, 8), {20, 3});
  ThreadPool pool(1);
  Floats out(p.rows() * p.ldo, kNan);
  r1::kernels::attention_packed(pool, p.shape, p.q.data(), p.ldq, p.k.data(), p.ldk, p.v.data(), p.ldv, p.offsets,
                                out.data(), p.ldo, nullptr);
  CHECK(first_difference(out, run_packed(p, 1).out, p.ldo, p.ldo - kGap) == -1);
}

TEST_CASE("attention_paged gives the bits of attention_packed, however a prompt is cut into chunks") {
  for (const Case& c : cases()) {
    const Problem p = make_problem(c.shape, c.segments);
    const Forward f = run_packed(p, 1);
    for (const int64_t chunk : {int64_t{1}, int64_t{7}, int64_t{16}, int64_t{33}, p.rows()}) {
      for (const int threads : {1, 3}) {
        INFO(c.why << ", chunks of " << chunk << ", " << threads << " threads");
        const Floats out = run_paged_in_chunks(p, chunk, threads);
        CHECK(first_difference(f.out, out, p.ldo, p.ldo - kGap) == -1);
        CHECK(gaps_are_untouched(out, p.ldo));
      }
    }
  }
}

TEST_CASE(
    "attention_paged decodes a batch of sequences of any lengths, in any order, to the bits of attention_packed") {
  const Problem p = make_problem(make_shape(9, 3, 32, 32), {90, 17, 1, 250, 64, 16});
  const Forward f = run_packed(p, 2);
  Cache cache = make_cache(p);
  ThreadPool pool(2);
  r1::kernels::store_kv(pool, p.shape, p.k.data(), p.ldk, p.v.data(), p.ldv, cache.slots, cache.layer());
  const std::vector<int> order{3, 0, 5, 2, 4, 1};
  Floats q, expected, out(order.size() * p.ldo, kNan);
  std::vector<r1::kernels::PagedRow> rows;
  for (const int segment : order) {
    const int64_t last = p.offsets[segment + 1] - 1;
    q.insert(q.end(), &p.q[last * p.ldq], &p.q[last * p.ldq] + p.ldq);
    expected.insert(expected.end(), &f.out[last * p.ldo], &f.out[last * p.ldo] + p.ldo);
    rows.push_back(
        {.block_table = cache.tables[segment].data(), .context = p.offsets[segment + 1] - p.offsets[segment]});
  }
  r1::kernels::attention_paged(pool, p.shape, q.data(), p.ldq, rows, cache.layer(), out.data(), p.ldo);
  CHECK(first_difference(expected, out, p.ldo, p.ldo - kGap) == -1);
}

TEST_CASE("attention_paged accepts rows of one sequence whose contexts are in no order") {
  const Problem p = make_problem(make_shape(3, 1, 16, 16), {300});
  const Forward f = run_packed(p, 1);
  Cache cache = make_cache(p);
  ThreadPool pool(2);
  r1::kernels::store_kv(pool, p.shape, p.k.data(), p.ldk, p.v.data(), p.ldv, cache.slots, cache.layer());
  Floats q, expected;
  std::vector<r1::kernels::PagedRow> rows;
  for (const int64_t row : {299, 0, 150, 16, 15, 290, 1}) {
    q.insert(q.end(), &p.q[row * p.ldq], &p.q[row * p.ldq] + p.ldq);
    expected.insert(expected.end(), &f.out[row * p.ldo], &f.out[row * p.ldo] + p.ldo);
    rows.push_back({.block_table = cache.tables[0].data(), .context = static_cast<int32_t>(row + 1)});
  }
  Floats out(expected.size(), kNan);
  r1::kernels::attention_paged(pool, p.shape, q.data(), p.ldq, rows, cache.layer(), out.data(), p.ldo);
  CHECK(first_difference(expected, out, p.ldo, p.ldo - kGap) == -1);
}

TEST_CASE("attention_packed gives a segment the same bits whatever its neighbours and threads") {
  const AttentionShape shape = make_shape(6, 2, 24, 16);
  const Problem p = make_problem(shape, {50, 130, 7});
  const Forward together = run_packed(p, 1);
  for (const int threads : {2, 3}) {
    const Forward again = run_packed(p, threads);
    CHECK(first_difference(together.out, again.out, p.ldo, p.ldo - kGap) == -1);
    CHECK(first_difference(together.lse, again.lse, 1, 1) == -1);
  }
  Problem alone = make_problem(shape, {130});
  std::copy_n(&p.q[50 * p.ldq], alone.q.size(), alone.q.begin());
  std::copy_n(&p.k[50 * p.ldk], alone.k.size(), alone.k.begin());
  std::copy_n(&p.v[50 * p.ldv], alone.v.size(), alone.v.begin());
  const Floats middle(&together.out[50 * p.ldo], &together.out[180 * p.ldo]);
  CHECK(first_difference(run_packed(alone, 2).out, middle, p.ldo, p.ldo - kGap) == -1);
}

TEST_CASE("attention does nothing for no segments and no rows") {
  ThreadPool pool(2);
  const AttentionShape shape = make_shape(4, 2, 8, 8);
  const std::vector<std::vector<int32_t>> empties{{}, {0}, {0, 0}, {3, 3, 3}};
  for (const auto& offsets : empties) {
    CHECK_NOTHROW(r1::kernels::attention_packed(pool, shape, nullptr, 32, nullptr, 16, nullptr, 16, offsets, nullptr,
                                                32, nullptr));
    CHECK_NOTHROW(r1::kernels::attention_packed_backward(pool, shape, {}, offsets));
  }
  CHECK_NOTHROW(r1::kernels::attention_paged(pool, shape, nullptr, 32, {}, {}, nullptr, 32));
  CHECK_NOTHROW(r1::kernels::store_kv(pool, shape, nullptr, 16, nullptr, 16, {}, {}));
}

TEST_CASE("store_kv writes a token's transposed keys and its values to its slot and skips negative slots") {
  const AttentionShape s = make_shape(2, 2, 3, 2);
  ThreadPool pool(2);
  const Floats k = random_floats(2 * 6, 1), v = random_floats(2 * 4, 2);
  Floats keys(2 * 16 * 6, kNan), values(2 * 16 * 4, kNan);
  const std::vector<int64_t> slots{-1, 16 + 5};
  r1::kernels::store_kv(pool, s, k.data(), 6, v.data(), 4, slots, {keys.data(), values.data()});
  for (int g = 0; g < 2; ++g) {
    for (int i = 0; i < 3; ++i) CHECK(keys[16 * 6 + (g * 3 + i) * 16 + 5] == k[6 + g * 3 + i]);
    for (int i = 0; i < 2; ++i) CHECK(values[16 * 4 + (g * 16 + 5) * 2 + i] == v[4 + g * 2 + i]);
  }
  const auto is_number = [](float x) { return !std::isnan(x); };
  CHECK(std::count_if(keys.begin(), keys.end(), is_number) == 6);
  CHECK(std::count_if(values.begin(), values.end(), is_number) == 4);
}

TEST_CASE("attention_packed stays finite for scores whose exponentials overflow") {
  Problem p = make_problem(make_shape(2, 1, 16, 16), {40});
  for (float& x : p.q) x *= 1000;
  const Forward f = run_packed(p, 1);
  const Reference r = reference(p);
  CHECK(worst_error(f.lse, r.lse, 1, 1) < 1e-5);
  CHECK(std::all_of(f.lse.begin(), f.lse.end(), [](float x) { return std::isfinite(x); }));
}

TEST_CASE("attention_packed lets a NaN through to the rows that see it, and to no others") {
  Problem p = make_problem(make_shape(2, 2, 16, 16), {40, 40});
  const int64_t bad = 20;
  const std::string where = GENERATE("key", "value", "query");
  if (where == "key") p.k[bad * p.ldk] = kNan;
  if (where == "value") p.v[bad * p.ldv] = kNan;
  if (where == "query") p.q[bad * p.ldq] = kNan;
  const Forward f = run_packed(p, 2);
  for (int64_t row = 0; row < p.rows(); ++row) {
    INFO("NaN in a " << where << ", row " << row);
    const bool sees_it = where == "query" ? row == bad : row >= bad && row < 40;
    CHECK(std::isnan(f.out[row * p.ldo]) == sees_it);
    CHECK_FALSE(std::isnan(f.out[row * p.ldo + 16]));  // the other head
  }
}

TEST_CASE("the reference's gradients are those that finite differences give") {
  Problem p = make_problem(make_shape(4, 2, 3, 5), {6, 3});
  const Reference r = reference(p);
  const auto check = [&](Floats& x, const std::vector<double>& gradient, int64_t ld) {
    for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
      if (i % ld >= ld - kGap) continue;
      const float before = x[i];
      x[i] = before + 0x1p-12f;
      const double above = loss(p), high = x[i];
      x[i] = before - 0x1p-12f;
      const double below = loss(p), low = x[i];
      x[i] = before;
      CHECK(gradient[i] == Approx((above - below) / (high - low)).margin(1e-5));
    }
  };
  check(p.q, r.d_q, p.ldq);
  check(p.k, r.d_k, p.ldk);
  check(p.v, r.d_v, p.ldv);
}

TEST_CASE("attention_packed_backward agrees with gradients in double precision") {
  for (const Case& c : cases()) {
    INFO(c.why);
    const Problem p = make_problem(c.shape, c.segments);
    const Gradients g = run_backward(p, run_packed(p, 1), 2);
    const Reference r = reference(p);
    CHECK(worst_error(g.d_q, r.d_q, p.ldq, p.ldq - kGap) < 2e-5);
    CHECK(worst_error(g.d_k, r.d_k, p.ldk, p.ldk - kGap) < 2e-5);
    CHECK(worst_error(g.d_v, r.d_v, p.ldv, p.ldv - kGap) < 2e-5);
    CHECK(gaps_are_untouched(g.d_q, p.ldq));
    CHECK(gaps_are_untouched(g.d_k, p.ldk));
    CHECK(gaps_are_untouched(g.d_v, p.ldv));
  }
}

TEST_CASE("attention_packed_backward gives the same bits for any number of threads") {
  for (const Case& c : cases()) {
    INFO(c.why);
    const Problem p = make_problem(c.shape, c.segments);
    const Forward f = run_packed(p, 1);
    const Gradients one = run_backward(p, f, 1);
    for (const int threads : {2, 3}) check_same_gradients(p, one, run_backward(p, f, threads));
  }
}

TEST_CASE("attention_packed_backward handles a segment whose probabilities do not fit its memory") {
  const Problem p = make_problem(make_shape(2, 1, 8, 8), {5, 1300, 20});
  const Forward f = run_packed(p, 2);
  const Gradients g = run_backward(p, f, 2);
  const Reference r = reference(p);
  CHECK(worst_error(g.d_q, r.d_q, p.ldq, p.ldq - kGap) < 1e-4);
  CHECK(worst_error(g.d_k, r.d_k, p.ldk, p.ldk - kGap) < 1e-4);
  CHECK(worst_error(g.d_v, r.d_v, p.ldv, p.ldv - kGap) < 1e-4);
  check_same_gradients(p, g, run_backward(p, f, 12));  // twelve threads share more memory: other runs of positions
}

TEST_CASE("the portable kernels give the bits of the AVX2 ones") {
  for (const Case& c : cases()) {
    INFO(c.why);
    const Problem p = make_problem(c.shape, c.segments);
    const Forward f = run_packed(p, 2);
    const Forward portable = with_portable_kernels([&] { return run_packed(p, 2); });
    CHECK(first_difference(f.out, portable.out, p.ldo, p.ldo - kGap) == -1);
    CHECK(first_difference(f.lse, portable.lse, 1, 1) == -1);
    const Floats paged = with_portable_kernels([&] { return run_paged_in_chunks(p, 19, 1); });
    CHECK(first_difference(f.out, paged, p.ldo, p.ldo - kGap) == -1);
    check_same_gradients(p, run_backward(p, f, 2), with_portable_kernels([&] { return run_backward(p, f, 2); }));
  }
}

TEST_CASE("attention names what is wrong with its arguments") {
  ThreadPool pool(1);
  const std::vector<int32_t> offsets{0, 4, 2}, none;
  const auto packed = [&](const AttentionShape& shape, std::span<const int32_t> o) {
    r1::kernels::attention_packed(pool, shape, nullptr, 1, nullptr, 1, nullptr, 1, o, nullptr, 1, nullptr);
  };
  CHECK_THROWS_WITH(packed(make_shape(9, 2, 8, 8), none), Catch::Contains("9 heads, 2 kv heads"));
  CHECK_THROWS_WITH(packed({4, 2, 0, 8, 1.0f}, none), Catch::Contains("head dims 0 and 8"));
  CHECK_THROWS_WITH(packed({4, 2, 8, 8, kNan}, none), Catch::Contains("scale is nan"));
  CHECK_THROWS_WITH(packed(make_shape(4, 2, 8, 8), offsets), Catch::Contains("offsets[1] is 4 and offsets[2] is 2"));
  const int32_t table = 0;
  const std::vector<r1::kernels::PagedRow> rows{{.block_table = &table, .context = 0}};
  CHECK_THROWS_WITH(r1::kernels::attention_paged(pool, make_shape(4, 2, 8, 8), nullptr, 1, rows, {}, nullptr, 1),
                    Catch::Contains("row 0: context 0"));
}
