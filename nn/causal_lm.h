#pragma once
// A dense decoder (Qwen2, Llama, SmolLM2) for training: model/decoder.h with gradients, over packed sequences.
//
// Shape letters: T = packed tokens, D = hidden size, V = vocabulary.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "nn/functional.h"
#include "nn/parameters.h"

namespace r1::nn {

// Sequences laid end to end: segment s is attention rows offsets[s] .. offsets[s+1] and attends to itself alone; positions
// count from 0 in each. Where sequences share a prefix, its T rows are computed once and stand among the A attention rows
// once for each sequence: everything but attention is paid for once.
struct PackedTokens {
  at::Tensor token_ids;          // [T] int32
  at::Tensor positions;          // [A] int32
  std::vector<int32_t> offsets;  // num_segments + 1, into A
  RowSharing sharing;            // undefined: A = T, row for row
};
PackedTokens pack(std::span<const std::span<const int32_t>> sequences, at::Device device = at::kCPU);

// Sequences that begin alike, as the completions of a prompt do. Their T rows: the prefix, then each continuation.
struct SharedPrefix {
  std::span<const int32_t> prefix;
  std::vector<std::span<const int32_t>> continuations;
};
PackedTokens pack_shared(std::span<const SharedPrefix> groups, at::Device device = at::kCPU);

// kBF16: both operands of every product with a weight are rounded to bfloat16, forward and backward (kernels/gemm.h);
// master weights, sums and everything between the products stay float32.
enum class Precision { kF32, kBF16 };
enum class Recompute { kNothing, kLayers };  // kLayers keeps only each layer's input and runs it again in the backward pass

struct CausalLmOptions {
  at::Device device = at::kCPU;
  Gradients gradients = Gradients::kSummed;
  Recompute recompute = Recompute::kNothing;
  Precision precision = Precision::kF32;
  Backend backend = Backend::kKernels;  // a device other than the CPU always takes kAten
};

class CausalLm {
 public:
  CausalLm(const model::ModelConfig& config, const model::WeightSource& weights, const CausalLmOptions& options);

  // -> hidden states after the final norm, [T, D]. Carries the gradient when gradients are enabled.
  at::Tensor forward(const PackedTokens& tokens);
  // [R, D] -> [R, V].
  at::Tensor logits(const at::Tensor& hidden);
  // Log-probs and entropies of targets [R] under hidden [R, D].
  TokenLogProbs log_probs(const at::Tensor& hidden, const at::Tensor& targets, const LogProbOptions& options);

  const model::ModelConfig& config() const { return config_; }
  Parameters& parameters() { return parameters_; }

 private:
  struct Layer {
    Parameter attention_norm, qkv, qkv_bias, output, mlp_norm, gate_up, down;
  };
  at::Tensor run_layer(const Layer& layer, const at::Tensor& hidden, const AttentionInputs& inputs) const;
  Parameter product(Parameter p) const;  // a matrix, as products see it
  void bind();

  model::ModelConfig config_;
  CausalLmOptions options_;
  Parameters parameters_;
  at::Tensor cos_, sin_;
  at::Tensor anchor_;   // a scalar that requires a gradient
  Parameter embedding_, final_norm_, head_;
  std::vector<Layer> layers_;
};

}  // namespace r1::nn
