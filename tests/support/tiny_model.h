#pragma once
// A model small enough for any test, with random weights, and a tokenizer that fits it.

#include <memory>

#include "model/config.h"
#include "model/weights.h"
#include "text/tokenizer.h"

inline r1::model::ModelConfig tiny_config(int64_t vocab_size = 1408) {
  r1::model::ModelConfig c;
  c.vocab_size = vocab_size;
  c.hidden_size = 32;
  c.intermediate_size = 56;
  c.num_layers = 2;
  c.num_heads = 4;
  c.num_kv_heads = 2;
  c.head_dim = 8;
  c.max_position = 256;
  c.tie_word_embeddings = true;
  c.eos_token_ids = {0};
  return c;
}

// A DeepSeek-V3 of one dense and one MoE layer and an MTP module.
inline r1::model::ModelConfig tiny_v3_config(int64_t vocab_size = 1408) {
  auto c = tiny_config(vocab_size);
  c.family = r1::model::Family::kDeepseekV3;
  c.mla = {.q_lora_rank = 20, .kv_lora_rank = 16, .qk_nope_head_dim = 8, .qk_rope_head_dim = 4, .v_head_dim = 6};
  c.moe = {.num_experts = 8,
           .num_shared_experts = 1,
           .top_k = 2,
           .num_groups = 2,
           .top_groups = 1,
           .intermediate_size = 16,
           .first_layer = 1,
           .routed_scaling_factor = 1.5};
  c.num_kv_heads = c.num_heads;
  c.head_dim = c.mla->qk_head_dim();
  c.num_mtp_layers = 1;
  return c;
}

// Large enough weights that distributions are far from uniform.
inline std::unique_ptr<r1::model::InitializedWeights> tiny_weights(const r1::model::ModelConfig& config,
                                                                   uint64_t seed = 3) {
  return r1::model::random_weights(config, 0.35, seed);
}

inline r1::text::Tokenizer tiny_tokenizer() {
  return r1::text::Tokenizer::from_file(std::string(R1_FIXTURES) + "/tokenizers/gpt2/tokenizer.json");
}
