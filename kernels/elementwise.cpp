#include "kernels/elementwise.h"

#include <algorithm>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/row_kernels.h"
#include "kernels/scratch.h"

namespace r1::kernels {
namespace {

constexpr int64_t kGrainFloats = 16384;  // a range's least work: some microseconds
constexpr int64_t kWeightGradRows = 64;  // rows whose d_weight is summed in one piece, whatever the threads

int64_t grain_rows(int64_t floats_per_row) {
  return std::max<int64_t>(1, kGrainFloats / std::max<int64_t>(1, floats_per_row));
}

// d_weight[j] = sum over pieces, in their order.
void sum_pieces(ThreadPool& pool, const float* pieces, int64_t num_pieces, int64_t d, float* d_weight) {
  const rows::Kernels& kernels = rows::kernels();
  pool.parallel_for(d, grain_rows(num_pieces), [&](int64_t begin, int64_t end) {
    std::fill(d_weight + begin, d_weight + end, 0.0f);
    for (int64_t p = 0; p < num_pieces; ++p) kernels.add(d_weight + begin, pieces + p * d + begin, end - begin);
  });
}

}  // namespace

void rms_norm(ThreadPool& pool, const float* x, const float* weight, int64_t t, int64_t d, float eps, float* y,
              float* inv_rms) {
  const rows::Kernels& kernels = rows::kernels();
  const rows::RmsNorm args{.x = x, .weight = weight, .d = d, .eps = eps, .y = y, .inv_rms = inv_rms};
  pool.parallel_for(t, grain_rows(d), [&](int64_t begin, int64_t end) { kernels.rms_norm(args, begin, end); });
}

void rms_norm_backward(ThreadPool& pool, const float* x, const float* weight, const float* inv_rms, const float* d_y,
                       int64_t t, int64_t d, float* d_x, float* d_weight) {
  static thread_local Scratch scratch;
  const rows::Kernels& kernels = rows::kernels();
  const rows::RmsNormBackward args{.x = x, .weight = weight, .inv_rms = inv_rms, .d_y = d_y, .d = d, .d_x = d_x};
  const int64_t num_pieces = (t + kWeightGradRows - 1) / kWeightGradRows;
  float* pieces = scratch.floats(num_pieces * d);
  pool.parallel_for(num_pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      std::fill_n(pieces + p * d, d, 0.0f);
      kernels.rms_norm_backward(args, p * kWeightGradRows, std::min(t, (p + 1) * kWeightGradRows), pieces + p * d);
    }
  });
  sum_pieces(pool, pieces, num_pieces, d, d_weight);
}

void add_in_place(ThreadPool& pool, float* x, const float* y, int64_t count) {
  const rows::Kernels& kernels = rows::kernels();
  pool.parallel_for(count, kGrainFloats,
                    [&](int64_t begin, int64_t end) { kernels.add(x + begin, y + begin, end - begin); });
}

void swiglu(ThreadPool& pool, const float* gate_up, int64_t t, int64_t f, float* y) {
  const rows::Kernels& kernels = rows::kernels();
  const rows::Swiglu args{.gate_up = gate_up, .f = f, .y = y};
  pool.parallel_for(t, grain_rows(4 * f), [&](int64_t begin, int64_t end) { kernels.swiglu(args, begin, end); });
}

void swiglu_backward(ThreadPool& pool, const float* gate_up, const float* d_y, int64_t t, int64_t f, float* d_gate_up) {
  const rows::Kernels& kernels = rows::kernels();
  const rows::SwigluBackward args{.gate_up = gate_up, .d_y = d_y, .f = f, .d_gate_up = d_gate_up};
  pool.parallel_for(t, grain_rows(4 * f),
                    [&](int64_t begin, int64_t end) { kernels.swiglu_backward(args, begin, end); });
}

void rope(ThreadPool& pool, const RopeArgs& args, std::span<const int32_t> positions) {
  if (args.dim < 0 || args.dim % 2 != 0) {
    throw Error("rope", fmt::format("dim is {}, allowed are even numbers", args.dim), "set an even rotary dimension");
  }
  const rows::Kernels& kernels = rows::kernels();
  pool.parallel_for(static_cast<int64_t>(positions.size()), grain_rows(int64_t{args.num_heads} * args.dim),
                    [&](int64_t begin, int64_t end) { kernels.rope(args, positions.data(), begin, end); });
}

void vector_exp(const float* x, float* y, int64_t count) { rows::kernels().exp(x, y, count); }

}  // namespace r1::kernels
