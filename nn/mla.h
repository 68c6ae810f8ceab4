#pragma once
// Multi-head latent attention for training: expanded heads over packed segments (kernels/mla.h).
//
// Shape letters: T = packed tokens, H = heads, N = nope dimension, P = rope dimension, E = value dimension.

#include <ATen/core/Tensor.h>

#include <optional>

#include "kernels/mla.h"
#include "nn/functional.h"

namespace r1::nn {

// q [T, H (N + P)] before rotation (a head is [nope | rope]), k_pe [T, P] before rotation, kv [T, H (N + E)] ->
// [T, H E], causal within segments. The kernels rotate q in place: the caller's q must not be used again.
// With `latents` the values are those of rollouts, bit for bit (kernels::AbsorbedHeads over latents); the gradient is
// that of the expanded heads, which say the same but for rounding. Kernels only.
struct Latents {
  at::Tensor normed;  // [T, R]: kv = normed kv_b^T
  at::Tensor kv_b;    // [H (N + E), R]
};
at::Tensor mla_attention(const at::Tensor& q, const at::Tensor& k_pe, const at::Tensor& kv,
                         const AttentionInputs& inputs, Backend backend, const std::optional<Latents>& latents = {});

}  // namespace r1::nn
