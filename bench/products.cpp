// Rates of training's products, forward and backward, in float32, bfloat16 and FP8. One key=value line a case.
// usage: bench_products [cpu|cuda [T N K]]: x [T, K], weight [N, K]
// On a GPU divide by the card's dense peak: an H100 SXM gives 989 TFLOP/s in bfloat16 and 1,979 in FP8.

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "nn/functional.h"

namespace {

using namespace r1;

struct Case {
  const char* name;
  kernels::Element element;
  bool is_fp8;
};
constexpr Case kCases[]{{"f32", kernels::Element::kF32, false},
                        {"bf16", kernels::Element::kBF16, false},
                        {"fp8", kernels::Element::kF32, true}};

// Seconds of `run`, at best.
template <typename Run>
double time_of(bool is_cuda, const Run& run) {
  const auto wait = [&] {
    if (is_cuda) torch::cuda::synchronize();
  };
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  double best = 1e30, spent = 0;
  for (int i = 0; i < 4 || spent < 1; ++i) {
    wait();
    const double start = now();
    run();
    wait();
    const double seconds = now() - start;
    spent += seconds;
    if (i > 0) best = std::min(best, seconds);  // the first sets things up
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_cuda = argc > 1 && std::string_view(argv[1]) == "cuda";
  if (is_cuda && !torch::cuda::is_available()) {
    fmt::print(stderr, "bench_products: no GPU that this build can use\n");
    return 1;
  }
  const auto size = [&](int i, int64_t on_cpu, int64_t on_gpu) {
    return argc > i ? std::atoll(argv[i]) : is_cuda ? on_gpu : on_cpu;
  };
  const int64_t t = size(2, 512, 8192), n = size(3, 1024, 8192), k = size(4, 1024, 8192);
  const auto options = at::TensorOptions(is_cuda ? at::kCUDA : at::kCPU);
  const auto x = torch::randn({t, k}, options).requires_grad_(), d_y = torch::randn({t, n}, options) * 1e-3;
  nn::Parameter weight{
      .weight = torch::randn({n, k}, options) * 0.02, .grad = torch::zeros({n, k}, options), .part_rows = {n}};
  const double flop = 2.0 * static_cast<double>(t) * static_cast<double>(n) * static_cast<double>(k);
  for (const auto& c : kCases) {
    weight.element = c.element;
    weight.is_fp8 = c.is_fp8;
    const auto backend = is_cuda ? nn::Backend::kAten : nn::Backend::kKernels;
    const auto forward = [&] { return nn::linear(x, weight, {}, backend); };
    at::Tensor y;
    const double once = time_of(is_cuda, [&] { y = forward(); });
    const double both = time_of(is_cuda, [&] { forward().backward(d_y); });
    fmt::print("products element={} t={} n={} k={} forward={:.3f} TFLOP/s backward={:.3f} TFLOP/s\n", c.name, t, n, k,
               flop / once * 1e-12, 2 * flop / (both - once) * 1e-12);
  }
  return 0;
}
