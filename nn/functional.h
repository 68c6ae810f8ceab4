#pragma once
// The decoder's operations with gradients. On a CPU the forward passes are the kernels that rollouts run, so log-probs are
// equal bit for bit; on other devices, and where asked for by Backend::kAten, they are composed of ATen operations.
//
// Shape letters: T = packed tokens, D = features in, N = features out, H/G = query/key heads, E = head dimension, F = MLP
// width, V = vocabulary. Everything is float32.

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/mla.h"
#include "nn/fp8_products.h"
#include "nn/parameters.h"

namespace r1::nn {

enum class Backend { kKernels, kAten };

// x [T, D] -> x W^T + b, [T, N]. `bias.weight` may be undefined, and is where the product goes through FP8, whose tiles'
// scales are of the kinds given.
at::Tensor linear(const at::Tensor& x, const Parameter& weight, const Parameter& bias, Backend backend,
                  const Fp8Scales& scales = {});

// kernels::rms_norm over the last dimension, [T, D] -> [T, D].
at::Tensor rms_norm(const at::Tensor& x, const Parameter& weight, double eps, Backend backend);

// gate_up [T, 2F] -> silu(gate) * up, [T, F].
at::Tensor swiglu(const at::Tensor& gate_up, Backend backend);

// Rows of the embedding: ids [T] int32 -> [T, D]. Carries the gradient to the weight; `anchor` is any scalar that requires a
// gradient, which makes autograd walk back to here.
at::Tensor embedding(const at::Tensor& anchor, const at::Tensor& ids, const Parameter& weight);

// Which of T rows stand at A attention rows, where some stand several times, and which of those gives each row's result.
struct RowSharing {
  at::Tensor rows;    // [A] int64, below T; undefined: A = T, row for row
  at::Tensor chosen;  // [T] int64, below A
};

// Where the segments of a packed batch lie, and the rotary tables [P, E / 2].
struct AttentionInputs {
  std::vector<int32_t> offsets;  // num_segments + 1, into the A attention rows
  at::Tensor positions;          // [A] int32
  RowSharing sharing;
  at::Tensor cos, sin;
  kernels::AttentionShape shape;
  std::optional<kernels::MlaShape> mla;  // instead of shape (nn/mla.h)
  kernels::RopeLayout layout = kernels::RopeLayout::kHalfSplit;  // of MLA
  bool absorbs_latents = false;                                  // of MLA: CausalLmOptions::latent_attention
};
// qkv [T, (H + 2G) E] before rotation -> attention output [T, H E], causal within segments. A row that stands in several
// segments sees the same keys in each, so any gives its result; its gradients are summed. The kernels rotate q and k in
// place: the caller's qkv holds rotated values afterwards and must not be used again.
at::Tensor rope_attention(const at::Tensor& qkv, const AttentionInputs& inputs, Backend backend);

// Runs `layer` without keeping what is inside; the backward pass runs it again. x [T, D] -> tensors, of which those of
// integers carry no gradient.
using LayerFunction = std::function<std::vector<at::Tensor>(const at::Tensor&)>;
std::vector<at::Tensor> checkpoint(const LayerFunction& layer, const at::Tensor& x);

// Log-probs of target tokens and entropies of their distributions, from hidden states, in chunks of rows: logits [T, V] are
// never held whole beyond `max_logit_bytes` (below it they are kept for the backward pass, above it computed again).
struct TokenLogProbs {
  at::Tensor log_probs;  // [T]; carries the gradient
  at::Tensor entropies;  // [T]; carries the gradient
};
struct LogProbOptions {
  double temperature = 1.0;  // logits are divided by it
  int64_t chunk_rows = 256;
  int64_t max_logit_bytes = int64_t{256} << 20;
};
// hidden [T, D] (after the final norm), head [V, D], targets [T] int32.
TokenLogProbs token_log_probs(const at::Tensor& hidden, const Parameter& head, const at::Tensor& targets,
                              const LogProbOptions& options, Backend backend);

}  // namespace r1::nn
