#pragma once
// The parts of a decoder layer: attention (of grouped queries, or absorbed MLA) and an MLP (dense, or DeepSeekMoE).
// Private to the decoder.
//
// Shape letters: T = packed rows, D = hidden size, H = heads, R = latent rank, E = experts, F = an MLP's width.

#include <memory>
#include <string>
#include <vector>

#include "kernels/mla.h"
#include "model/decoder.h"
#include "model/decoder_linear.h"
#include "model/shapes.h"

namespace r1::model {

// What the parts of a decoder share.
struct DecoderContext {
  const ModelConfig& config;
  const WeightFormat format;
  ThreadPool& pool;
  const RopeTables& rope;
};

// A buffer that grows as needed and stays.
inline float* at_least(std::vector<float>& buffer, int64_t count) {
  if (static_cast<int64_t>(buffer.size()) < count) buffer.resize(static_cast<size_t>(count));
  return buffer.data();
}

// Activations that layers write one after the other.
struct BlockScratch {
  std::vector<float> input, normed, queries, attention, heads, mlp, gate_up;
  std::vector<float> gate_logits, scores, weights, gathered, rows, shared;
  std::vector<int32_t> experts;
  kernels::AbsorbedHeads::Buffers absorbed;
};

// x [T, D] (normed) -> y [T, D], keys and values of the batch's tokens stored on the way.
class DecoderAttention {
 public:
  virtual ~DecoderAttention() = default;
  virtual void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) = 0;
  virtual void run(const DecoderContext& c, const ForwardBatch& batch, const float* x, KvCache& cache, int64_t layer,
                   BlockScratch& scratch, float* y) const = 0;
  virtual size_t bytes() const = 0;
};
std::unique_ptr<DecoderAttention> make_attention(const ModelConfig& config);

// x [T, D] (normed) -> y [T, D].
class DecoderMlp {
 public:
  virtual ~DecoderMlp() = default;
  virtual void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) = 0;
  virtual void run(const DecoderContext& c, const float* x, int64_t t, BlockScratch& scratch, float* y) const = 0;
  virtual size_t bytes() const = 0;
};
std::unique_ptr<DecoderMlp> make_mlp(const ModelConfig& config, int64_t layer);

}  // namespace r1::model
