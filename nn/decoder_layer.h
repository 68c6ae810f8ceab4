#pragma once
// One layer of the decoder: attention (of grouped queries, or MLA) and an MLP (dense, or DeepSeekMoE), with their
// residuals.

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/config.h"
#include "nn/functional.h"
#include "nn/moe.h"
#include "nn/parameters.h"

namespace r1::nn {

struct DenseAttention {
  Parameter qkv, qkv_bias, output;
};
struct MlaAttention {
  Parameter input;        // q_a (or q) and kv_a, stacked
  Parameter q_norm, q_b;  // undefined without q_lora_rank
  Parameter kv_norm, kv_b, output;
};
struct Mlp {
  Parameter gate_up, down;
};

struct DecoderLayer {
  Parameter attention_norm, mlp_norm;
  std::optional<DenseAttention> attention;
  std::optional<MlaAttention> mla;
  std::optional<Mlp> mlp;  // dense, or the shared experts
  std::optional<MoeWeights> moe;
};

// The weights of model.layers.{index}. `product` says how a matrix goes into products (rounded or not).
using ProductOf = std::function<Parameter(const Parameter&)>;
DecoderLayer bind_layer(const Parameters& parameters, const model::ModelConfig& config, int64_t index,
                        const ProductOf& product);

// hidden [T, D] -> {hidden [T, D]}, and of a MoE layer {hidden, balance [B] of the segments `balanced`, loads [E]}
// (nn/moe.h).
std::vector<at::Tensor> run_layer(const DecoderLayer& layer, const model::ModelConfig& config, const at::Tensor& hidden,
                                  const AttentionInputs& inputs, const std::vector<int32_t>& balanced, Backend backend);

}  // namespace r1::nn
