// Speed of kernels/gemm.h, one key=value line a case: `bench_gemm [threads ...]`. `peak` is this machine's own rate of
// independent fused multiply-adds of float32, measured in the same run; memory-bound cases state the bytes of weights
// they read. R1_BENCH_ISA=avx2 (or avx512) leaves the later instruction sets out.

#include "kernels/gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/random.h"
#include "core/thread_pool.h"
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using namespace r1;
using namespace r1::kernels;

constexpr double kSecondsPerCase = 0.5;
constexpr size_t kColdBytes = size_t{256} << 20;  // of weights, so that no cache holds what a case reads again

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The least time of one call, over kSecondsPerCase.
template <typename F>
double least_seconds(F call) {
  call();
  double least = 1e9;
  for (const double end = now() + kSecondsPerCase; now() < end;) {
    const double start = now();
    call();
    least = std::min(least, now() - start);
  }
  return least;
}

constexpr int kChains = 12;
constexpr int64_t kChainLength = 1 << 18;

#if defined(__x86_64__)
[[gnu::target("avx2,fma"), gnu::noinline]] float run_chains(float start) {
  __m256 sum[kChains];
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(start);
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sum[i] = _mm256_set1_ps(start + static_cast<float>(i));
  for (int64_t k = 0; k < kChainLength; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm256_fmadd_ps(sum[i], x, y);
  }
  for (int i = 1; i < kChains; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  return _mm256_cvtss_f32(sum[0]);
}

double peak_flops(ThreadPool& pool) {
  if (active_isa() < Isa::kAvx2) return 0;
  std::vector<float> sink(pool.size());
  const double seconds = least_seconds([&] {
    pool.parallel_for(pool.size(), 1, [&](int64_t begin, int64_t) { sink[begin] += run_chains(sink[begin]); });
  });
  return 2.0 * 8 * kChains * kChainLength * pool.size() / seconds;
}
#else
double peak_flops(ThreadPool&) { return 0; }
#endif

std::vector<float> random_floats(int64_t count) {
  RandomStream stream(1, 0);
  std::vector<float> values(count);
  for (float& v : values) v = static_cast<float>(2 * stream.uniform() - 1);
  return values;
}

const char* name(Element element) { return element == Element::kF32 ? "f32" : "bf16"; }

struct GemmCase {
  const char* use;
  int64_t m, n, k;
  Transpose transpose_a = Transpose::kNo, transpose_b = Transpose::kNo;
};

constexpr auto kNo = Transpose::kNo, kYes = Transpose::kYes;
constexpr GemmCase kGemmCases[] = {
    {"square", 1024, 1024, 1024},
    {"square", 1024, 1024, 1024, kNo, kYes},
    {"square", 1024, 1024, 1024, kYes, kNo},
    {"smollm2_qkv", 2048, 960, 576, kNo, kYes},
    {"smollm2_gate_up", 2048, 3072, 576, kNo, kYes},
    {"smollm2_down", 2048, 576, 1536, kNo, kYes},
    {"smollm2_gate_up_dx", 2048, 576, 3072},
    {"smollm2_gate_up_dw", 3072, 576, 2048, kYes, kNo},
    {"smollm2_logits", 512, 49152, 576, kNo, kYes},
    {"smollm2_logits_dx", 512, 576, 49152},
    {"smollm2_logits_dw", 49152, 576, 512, kYes, kNo},
    {"tiny_out", 2048, 128, 128, kNo, kYes},
    {"tiny_qkv", 2048, 384, 128, kNo, kYes},
    {"tiny_mlp", 2048, 512, 128, kNo, kYes},
    {"tiny_mlp_dx", 2048, 128, 512},
    {"tiny_mlp_dw", 512, 128, 2048, kYes, kNo},
};

void bench_gemm(ThreadPool& pool, const GemmCase& c, Element element, double peak) {
  const std::vector<float> a = random_floats(c.m * c.k), b = random_floats(c.n * c.k);
  std::vector<float> result(c.m * c.n);
  const GemmArgs args{.transpose_a = c.transpose_a,
                      .transpose_b = c.transpose_b,
                      .m = c.m,
                      .n = c.n,
                      .k = c.k,
                      .a = a.data(),
                      .lda = c.transpose_a == kYes ? c.m : c.k,
                      .b = b.data(),
                      .ldb = c.transpose_b == kYes ? c.k : c.n,
                      .c = result.data(),
                      .ldc = c.n,
                      .element = element};
  const double seconds = least_seconds([&] { gemm(pool, args); });
  const double flops = 2.0 * static_cast<double>(c.m * c.n * c.k) / seconds;
  fmt::print(
      "bench=gemm use={} element={} threads={} m={} n={} k={} transposes={}{} ms={:.3f} gflops={:.1f} of_peak={:.2f}\n",
      c.use, name(element), pool.size(), c.m, c.n, c.k, "NT"[c.transpose_a == kYes], "NT"[c.transpose_b == kYes],
      seconds * 1e3, flops / 1e9, peak > 0 ? flops / peak : 0);
}

struct PackedCase {
  const char* use;
  int64_t n, k;
};
constexpr PackedCase kPackedCases[] = {
    {"smollm2_qkv", 960, 576},   {"smollm2_out", 576, 576},      {"smollm2_gate_up", 3072, 576},
    {"smollm2_down", 576, 1536}, {"smollm2_logits", 49152, 576},
};

// Goes through so many copies of the weight that each is read from memory, as the layers of a model are.
void bench_packed(ThreadPool& pool, const PackedCase& c, Element element, double peak) {
  const std::vector<float> weight = random_floats(c.n * c.k);
  std::vector<PackedMatrix> copies;
  size_t bytes = 0;
  while (bytes < kColdBytes) bytes += copies.emplace_back(pool, weight.data(), c.n, c.k, element).bytes();
  for (const int64_t m : {1, 4, 16, 64}) {
    const std::vector<float> x = random_floats(m * c.k);
    std::vector<float> y(m * c.n);
    const double all = least_seconds([&] {
      for (const PackedMatrix& w : copies) w.multiply(pool, x.data(), m, c.k, nullptr, y.data(), c.n);
    });
    const double seconds = all / static_cast<double>(copies.size());
    const double flops = 2.0 * static_cast<double>(m * c.n * c.k) / seconds;
    fmt::print(
        "bench=packed use={} element={} threads={} m={} n={} k={} us={:.1f} gflops={:.1f} of_peak={:.2f} "
        "gbytes={:.1f}\n",
        c.use, name(element), pool.size(), m, c.n, c.k, seconds * 1e6, flops / 1e9, peak > 0 ? flops / peak : 0,
        static_cast<double>(copies[0].bytes()) / seconds / 1e9);
  }
}

void bench_all(int threads) {
  ThreadPool pool(threads);
  const double peak = peak_flops(pool);
  fmt::print("bench=peak threads={} gflops={:.1f}\n", threads, peak / 1e9);
  for (const Element element : {Element::kF32, Element::kBF16}) {
    for (const GemmCase& c : kGemmCases) bench_gemm(pool, c, element, peak);
    for (const PackedCase& c : kPackedCases) bench_packed(pool, c, element, peak);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* isa = std::getenv("R1_BENCH_ISA");
  if (isa != nullptr) force_isa_for_tests(std::string_view(isa) == "avx2" ? Isa::kAvx2 : Isa::kAvx512);
  if (argc < 2) bench_all(1);
  for (int i = 1; i < argc; ++i) bench_all(std::max(1, std::atoi(argv[i])));
}
