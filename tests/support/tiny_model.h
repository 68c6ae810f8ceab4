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

// Large enough weights that distributions are far from uniform.
inline std::unique_ptr<r1::model::InitializedWeights> tiny_weights(const r1::model::ModelConfig& config, uint64_t seed = 3) {
  return r1::model::random_weights(config, 0.35, seed);
}

inline r1::text::Tokenizer tiny_tokenizer() {
  return r1::text::Tokenizer::from_file(std::string(R1_FIXTURES) + "/tokenizers/gpt2/tokenizer.json");
}
