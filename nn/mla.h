#pragma once
// Multi-head latent attention for training: expanded heads over packed segments (kernels/mla.h).
//
// Shape letters: T = packed tokens, H = heads, N = nope dimension, P = rope dimension, E = value dimension.

#include <ATen/core/Tensor.h>

#include "kernels/mla.h"
#include "nn/functional.h"

namespace r1::nn {

// q [T, H (N + P)] before rotation (a head is [nope | rope]), k_pe [T, P] before rotation, kv [T, H (N + E)] ->
// [T, H E], causal within segments. The kernels rotate q in place: the caller's q must not be used again.
at::Tensor mla_attention(const at::Tensor& q, const at::Tensor& k_pe, const at::Tensor& kv,
                         const AttentionInputs& inputs, Backend backend);

}  // namespace r1::nn
