// Speed of attention, one line of key=value per case: packed forward and backward, and paged decode. GFLOP/s count the
// causal half only: 2 flops for each of D (or E) elements of every visible (query, key) pair and product, two products
// forward and five backward. fma_peak is what this run's machine does with independent multiply-adds, all threads.
//
//   bench_attention [THREADS [cpu]]
//
// With "cpu", times are processor time per thread: the figure to read while other programs keep the machine busy.

#include "kernels/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string_view>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using r1::ThreadPool;
using r1::kernels::AttentionShape;

enum class Time { kWall, kCpu };

// Runs work for about a quarter of a second and keeps the least time: other programs only ever add to it.
class Timer {
 public:
  Timer(Time time, int threads) : time_(time), threads_(threads) {}

  double best_seconds(const std::function<void()>& work) const {
    work();
    double best = seconds(work);
    const double start = now();
    for (int i = 0; i < 5 || (i < 1000 && now() - start < 0.25); ++i) best = std::min(best, seconds(work));
    return best;
  }

 private:
  double seconds(const std::function<void()>& work) const {
    const double start = now();
    work();
    return now() - start;
  }
  double now() const {
    timespec t;
    clock_gettime(time_ == Time::kWall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec)) /
           (time_ == Time::kWall ? 1 : threads_);
  }

  Time time_;
  int threads_;
};

struct Bench {
  ThreadPool& pool;
  Timer timer;
  double peak_gflops = 0;
};

std::vector<float> values(size_t count, uint32_t seed) {
  std::vector<float> x(count);
  for (float& f : x) {
    seed = seed * 1664525u + 1013904223u;
    f = static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f;
  }
  return x;
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma"), gnu::noinline]] float fma_loop(int64_t steps) {
  __m256 acc[12];
  const __m256 x = _mm256_set1_ps(0.5f);
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) acc[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_fmadd_ps(acc[i], x, x);
  }
  __m256 sum = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < 12; ++i) sum = _mm256_add_ps(sum, acc[i]);
  return _mm256_cvtss_f32(sum);
}

double fma_peak(ThreadPool& pool, const Timer& timer) {
  if (r1::kernels::detected_isa() < r1::kernels::Isa::kAvx2) return 0;
  constexpr int64_t kSteps = 10'000;  // short enough to run between two interruptions
  const double time = timer.best_seconds([&] {
    pool.parallel_for(pool.size(), 1, [&](int64_t, int64_t) {
      volatile float sink = fma_loop(kSteps);
      static_cast<void>(sink);
    });
  });
  return pool.size() * kSteps * 12.0 * 16.0 / time * 1e-9;
}
#else
double fma_peak(ThreadPool&, const Timer&) { return 0; }
#endif

// Visible pairs of a causal segment.
double pairs(double tokens) { return tokens * (tokens + 1) / 2; }

struct PackedCase {
  const char* name;
  std::vector<int> segments;
};

void bench_packed(const Bench& bench, const AttentionShape& s, const PackedCase& c) {
  std::vector<int32_t> offsets{0};
  double visible = 0;
  for (const int length : c.segments) {
    offsets.push_back(offsets.back() + length);
    visible += pairs(length);
  }
  const int64_t t = offsets.back();
  const int64_t ldq = int64_t{s.num_heads} * s.head_dim, ldk = int64_t{s.num_kv_heads} * s.head_dim;
  const int64_t ldv = int64_t{s.num_kv_heads} * s.v_head_dim, ldo = int64_t{s.num_heads} * s.v_head_dim;
  const auto q = values(t * ldq, 1), k = values(t * ldk, 2), v = values(t * ldv, 3), d_out = values(t * ldo, 4);
  std::vector<float> out(t * ldo), lse(t * s.num_heads), d_q(t * ldq), d_k(t * ldk), d_v(t * ldv);
  const double forward = bench.timer.best_seconds([&] {
    r1::kernels::attention_packed(bench.pool, s, q.data(), ldq, k.data(), ldk, v.data(), ldv, offsets, out.data(), ldo,
                                  lse.data());
  });
  const double backward = bench.timer.best_seconds([&] {
    r1::kernels::attention_packed_backward(bench.pool, s,
                                           {.q = q.data(),
                                            .k = k.data(),
                                            .v = v.data(),
                                            .out = out.data(),
                                            .lse = lse.data(),
                                            .d_out = d_out.data(),
                                            .ldq = ldq,
                                            .ldk = ldk,
                                            .ldv = ldv,
                                            .ldo = ldo,
                                            .d_q = d_q.data(),
                                            .d_k = d_k.data(),
                                            .d_v = d_v.data()},
                                           offsets);
  });
  const double forward_gflops = 2e-9 * visible * s.num_heads * (s.head_dim + s.v_head_dim) / forward;
  const double backward_gflops = 2e-9 * visible * s.num_heads * (3.0 * s.head_dim + 2.0 * s.v_head_dim) / backward;
  fmt::print(
      "kernel=attention_packed case={} tokens={} heads={} kv_heads={} d={} e={} forward_ms={:.3f} "
      "forward_gflops={:.1f} "
      "forward_of_peak={:.2f} backward_ms={:.3f} backward_gflops={:.1f} backward_of_peak={:.2f}\n",
      c.name, t, s.num_heads, s.num_kv_heads, s.head_dim, s.v_head_dim, forward * 1e3, forward_gflops,
      forward_gflops / bench.peak_gflops, backward * 1e3, backward_gflops, backward_gflops / bench.peak_gflops);
}

void bench_decode(const Bench& bench, const AttentionShape& s, int batch, int context) {
  const int blocks = (context + r1::kernels::kKvBlockTokens - 1) / r1::kernels::kKvBlockTokens;
  auto keys = values(key_block_floats(s) * blocks * batch, 1),
       cached = values(value_block_floats(s) * blocks * batch, 2);
  std::vector<std::vector<int32_t>> tables(batch);
  std::vector<r1::kernels::PagedRow> rows;
  for (int b = 0; b < batch; ++b) {  // interleaved, as sequences that grow together lie in a cache
    for (int i = 0; i < blocks; ++i) tables[b].push_back(i * batch + b);
    rows.push_back({.block_table = tables[b].data(), .context = context});
  }
  const int64_t ldq = int64_t{s.num_heads} * s.head_dim, ldo = int64_t{s.num_heads} * s.v_head_dim;
  const auto q = values(batch * ldq, 3);
  std::vector<float> out(batch * ldo);
  const double time = bench.timer.best_seconds([&] {
    r1::kernels::attention_paged(bench.pool, s, q.data(), ldq, rows, {keys.data(), cached.data()}, out.data(), ldo);
  });
  const double gflops = 2e-9 * batch * context * s.num_heads * (s.head_dim + s.v_head_dim) / time;
  const double gigabytes = 4e-9 * batch * context * s.num_kv_heads * (s.head_dim + s.v_head_dim);
  fmt::print(
      "kernel=attention_paged case=decode batch={} context={} heads={} kv_heads={} d={} time_us={:.1f} gflops={:.1f} "
      "of_peak={:.2f} cache_gb_per_s={:.1f}\n",
      batch, context, s.num_heads, s.num_kv_heads, s.head_dim, time * 1e6, gflops, gflops / bench.peak_gflops,
      gigabytes / time);
}

AttentionShape make_shape(int heads, int kv_heads, int d, int e) {
  return {heads, kv_heads, d, e, 1.0f / std::sqrt(static_cast<float>(d))};
}

std::vector<int> ragged(int count) {
  std::vector<int> lengths;
  for (int i = 0; i < count; ++i) lengths.push_back(64 + i * 97 % 237);
  return lengths;
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? std::max(1, std::atoi(argv[1])) : r1::compute_pool().size());
  const Timer timer(argc > 2 && argv[2] == std::string_view("cpu") ? Time::kCpu : Time::kWall, pool.size());
  const Bench bench{.pool = pool, .timer = timer, .peak_gflops = fma_peak(pool, timer)};
  fmt::print("threads={} fma_peak_gflops={:.1f}\n", pool.size(), bench.peak_gflops);
  const AttentionShape small = make_shape(9, 3, 64, 64);
  const std::vector<PackedCase> cases{{"16x64", std::vector<int>(16, 64)},
                                      {"16x256", std::vector<int>(16, 256)},
                                      {"4x1024", std::vector<int>(4, 1024)},
                                      {"1x2048", {2048}},
                                      {"1x8192", {8192}},
                                      {"ragged64to300", ragged(24)}};
  for (const PackedCase& c : cases) bench_packed(bench, small, c);
  const PackedCase other{"2x256", {256, 256}};
  for (const AttentionShape& s : {make_shape(8, 8, 64, 64), make_shape(8, 2, 128, 128), make_shape(8, 8, 192, 128),
                                  make_shape(8, 8, 32, 32), make_shape(8, 8, 16, 16)}) {
    bench_packed(bench, s, other);
  }
  for (const int batch : {1, 16, 64}) {
    for (const int context : {96, 1024}) bench_decode(bench, small, batch, context);
  }
}
