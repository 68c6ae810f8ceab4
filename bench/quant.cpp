// Products with block-quantised weights in the shapes of SmolLM2-135M: one key=value line per shape and batch, then
// the products of a whole decode step. usage: bench_quant [THREADS]

#include "kernels/quant.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/thread_pool.h"

namespace {

using r1::ThreadPool;
using r1::kernels::QuantMatrix;
using r1::kernels::QuantType;

struct Shape {
  const char* name;
  int64_t n, k;
  QuantType type;
};

constexpr Shape kLayer[] = {{"qkv", 960, 576, QuantType::kQ4_1},
                            {"o", 576, 576, QuantType::kQ4_1},
                            {"gate_up", 3072, 576, QuantType::kQ4_1},
                            {"down", 576, 1536, QuantType::kQ4_1}};
constexpr Shape kHead = {"head", 49152, 576, QuantType::kQ8_0};
constexpr int kNumLayers = 30;
constexpr int64_t kMaxBatch = 256;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The least time of a call, over at least a few calls and about a third of a second.
template <typename Call>
double best_time(Call call) {
  call();
  double best = 1e30, spent = 0;
  for (int i = 0; i < 5 || spent < 0.3; ++i) {
    const double start = seconds();
    call();
    const double time = seconds() - start;
    best = std::min(best, time);
    spent += time;
  }
  return best;
}

std::vector<float> noise(size_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float& v : values) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
  }
  return values;
}

QuantMatrix random_matrix(ThreadPool& pool, const Shape& shape) {
  return QuantMatrix::quantize(pool, shape.type, noise(static_cast<size_t>(shape.n * shape.k)).data(), shape.n,
                               shape.k);
}

struct Model {
  std::vector<QuantMatrix> layers[std::size(kLayer)];  // [shape][layer]: distinct weights, as in a model
  QuantMatrix head;
  std::vector<float> x = noise(static_cast<size_t>(kMaxBatch) * 1536);
  std::vector<float> y = std::vector<float>(static_cast<size_t>(kMaxBatch * kHead.n));
};

Model make_model(ThreadPool& pool) {
  Model model;
  for (size_t s = 0; s < std::size(kLayer); ++s) {
    for (int l = 0; l < kNumLayers; ++l) model.layers[s].push_back(random_matrix(pool, kLayer[s]));
  }
  model.head = random_matrix(pool, kHead);
  return model;
}

void multiply(ThreadPool& pool, Model& model, const QuantMatrix& weight, int64_t batch) {
  weight.multiply(pool, model.x.data(), batch, weight.cols(), nullptr, model.y.data(), weight.rows());
}

// One matrix of every layer in turn, so that small batches read weights from memory as a decode step does.
void bench_shape(ThreadPool& pool, Model& model, const Shape& shape, const QuantMatrix* weights, int count) {
  for (const int64_t batch : {1, 2, 4, 8, 16, 32, 64, 256}) {
    const double time = best_time([&] {
                          for (int l = 0; l < count; ++l) multiply(pool, model, weights[l], batch);
                        }) /
                        count;
    const double ops = 2.0 * static_cast<double>(batch * shape.n * shape.k);
    fmt::print("bench=quant shape={} n={} k={} batch={} us={:.1f} gop_per_s={:.1f} weight_gb_per_s={:.2f}\n",
               shape.name, shape.n, shape.k, batch, time * 1e6, ops / time / 1e9,
               static_cast<double>(weights[0].bytes()) / time / 1e9);
  }
}

void bench_step(ThreadPool& pool, Model& model, int64_t batch) {
  const double time = best_time([&] {
    for (int l = 0; l < kNumLayers; ++l) {
      for (auto& weights : model.layers) multiply(pool, model, weights[l], batch);
    }
    multiply(pool, model, model.head, batch);
  });
  fmt::print("bench=quant_decode_step batch={} ms={:.3f} tokens_per_s={:.1f}\n", batch, time * 1e3,
             static_cast<double>(batch) / time);
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : 2);
  Model model = make_model(pool);
  for (const int64_t batch : {1, 4, 16, 64}) bench_step(pool, model, batch);
  for (size_t s = 0; s < std::size(kLayer); ++s) {
    bench_shape(pool, model, kLayer[s], model.layers[s].data(), kNumLayers);
  }
  bench_shape(pool, model, kHead, &model.head, 1);
}
