#pragma once
// A decoder (Qwen2, Llama, SmolLM2, DeepSeek-V3) for training: model/decoder.h with gradients, over packed sequences.
//
// Shape letters: T = packed tokens, D = hidden size, V = vocabulary, L = MoE layers (MTP modules' last), E = experts.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "nn/decoder_layer.h"
#include "nn/functional.h"
#include "nn/parameters.h"

namespace r1::nn {

// Sequences laid end to end: segment s is attention rows offsets[s] .. offsets[s+1] and attends to itself alone;
// positions count from 0 in each. Where sequences share a prefix, its T rows are computed once and stand among the A
// attention rows once for each sequence: everything but attention is paid for once.
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
// kFp8, for DeepSeek-V3: products with the matrices that published files hold as FP8 go through FP8, forward
// and backward (nn/fp8_products.h); embedding, head, gate, norms and attention stay float32 (section 3.3.1).
enum class Precision { kF32, kBF16, kFp8 };
enum class Recompute {
  kNothing,
  kLayers
};  // kLayers keeps only each layer's input and runs it again in the backward pass

// What MLA's forward pass computes: heads expanded from the latents, or what rollouts do (kernels::AbsorbedHeads), so
// that log-probs are theirs bit for bit and no token at a tie of two experts is routed otherwise. kAbsorbed costs its
// forward pass on top, and is for RL; kernels only. Gradients are those of expanded heads.
enum class LatentAttention { kExpanded, kAbsorbed };

struct CausalLmOptions {
  at::Device device = at::kCPU;
  Gradients gradients = Gradients::kSummed;
  Recompute recompute = Recompute::kNothing;
  Precision precision = Precision::kF32;
  LatentAttention latent_attention = LatentAttention::kExpanded;
  Backend backend = Backend::kKernels;  // a device other than the CPU always takes kAten
};

// What MoE layers tell of one forward pass besides the hidden states.
struct RouterReport {
  at::Tensor balance;  // scalar: sum over layers and segments of a segment's tokens times its balance loss (without
                       // alpha); carries the gradient. Undefined without MoE layers
  at::Tensor loads;  // [L, E] int64: choices of each expert; rows of layers that did not run are 0
};

// Hidden states of MTP depth k (arXiv:2412.19437v1 Eq. 21-23): row r, made from the main model's row rows[r] and the k
// tokens after it, predicts the token k + 1 after it.
struct MtpDepth {
  at::Tensor hidden;          // [R, D] after the module's norm; carries the gradient
  std::vector<int64_t> rows;  // [R] of the packed batch
};

class CausalLm {
 public:
  CausalLm(const model::ModelConfig& config, const model::WeightSource& weights, const CausalLmOptions& options);

  // -> hidden states after the final norm, [T, D]. Carries the gradient when gradients are enabled.
  // `report`, if given, gets the routers' sums added.
  at::Tensor forward(const PackedTokens& tokens, RouterReport* report = nullptr);
  // All MTP modules over forward()'s hidden states, depth 1 first. Empty segments of a depth are left out.
  std::vector<MtpDepth> mtp(const PackedTokens& tokens, const at::Tensor& hidden, RouterReport* report = nullptr);
  // [R, D] -> [R, V].
  at::Tensor logits(const at::Tensor& hidden);
  // Log-probs and entropies of targets [R] under hidden [R, D].
  TokenLogProbs log_probs(const at::Tensor& hidden, const at::Tensor& targets, const LogProbOptions& options);

  const model::ModelConfig& config() const { return config_; }
  const CausalLmOptions& options() const { return options_; }
  Parameters& parameters() { return parameters_; }

  // Auxiliary-loss-free balancing (section 2.1.2): bias_i += speed * sign(mean load - load_i), for loads [L, E] of a
  // whole step. Not a gradient.
  void update_router_bias(const at::Tensor& loads, double speed);
  int64_t num_moe_layers() const { return std::ssize(moe_layers_); }
  // Index of MoE layer l among model.layers.
  int64_t moe_layer(int64_t l) const { return moe_layers_[l]; }

 private:
  struct MtpModule {
    Parameter embedding_norm, hidden_norm, projection, final_norm;
    DecoderLayer layer;
  };
  void run(const DecoderLayer& layer, int64_t index, const AttentionInputs& inputs, at::Tensor& hidden,
           RouterReport* report) const;
  AttentionInputs attention_inputs(const PackedTokens& tokens);
  Parameter product(Parameter p) const;  // a matrix, as products see it
  Parameter layer_product(const Parameter& p) const;
  void bind();

  model::ModelConfig config_;
  CausalLmOptions options_;
  Parameters parameters_;
  at::Tensor cos_, sin_;
  at::Tensor anchor_;  // a scalar that requires a gradient
  Parameter embedding_, final_norm_, head_;
  std::vector<DecoderLayer> layers_;
  std::vector<MtpModule> mtp_;
  std::vector<int64_t> moe_layers_;
};

}  // namespace r1::nn
