#pragma once
// The engine's working records, shared by engine.cpp and engine_step.cpp and by nobody else.

#include <optional>

#include "rollout/engine.h"

namespace r1::rollout {

// One prompt of the current generate(). After its prefill it keeps the prompt's blocks and last logits until every sample
// has started.
struct Engine::Request {
  const Prompt* prompt = nullptr;
  const SamplingParams* params = nullptr;
  size_t index = 0;
  int32_t next_sample = 0;
  std::vector<int32_t> blocks;
  std::vector<float> logits;
  std::vector<float> hidden;  // with drafts: of the prompt's last token
};

// What occupies rows of the forward pass: a prompt in prefill (no completion yet) or a completion. Tokens
// [0, num_cached) have keys and values in the blocks.
struct Engine::Sequence {
  Request* request = nullptr;
  std::optional<Completion> completion;
  std::vector<int32_t> tokens;
  std::vector<int32_t> blocks;
  int32_t num_cached = 0;
  int32_t num_shared = 0;  // tokens at the head whose slots are others' too and filled: not written again

  // With drafts: hidden states of tokens hidden_begin .. num_cached - 1 that the MTP module has yet to meet, and the number
  // of tokens whose MTP keys are in the blocks (token 0 has none).
  std::vector<float> hidden;
  int32_t hidden_begin = 0, num_met = 1;
  std::optional<int32_t> draft;  // the guess for the token after the last

  int64_t num_pending() const { return std::ssize(tokens) - num_cached; }
};

// The rows of one forward pass, and whose logits come out.
struct Engine::Batch {
  std::vector<int32_t> token_ids, positions, logit_rows;
  std::vector<int64_t> slots;
  std::vector<kernels::PagedRow> rows;
  std::vector<Sequence*> logit_owners;  // a sequence with a guess has two rows in succession
  struct Rows {
    Sequence* sequence;
    int64_t first, count;
  };
  std::vector<Rows> owners;  // of all rows
  int64_t budget = 0;
};

inline int64_t blocks_for(int64_t num_tokens) {
  return (num_tokens + kernels::kKvBlockTokens - 1) / kernels::kKvBlockTokens;
}

}  // namespace r1::rollout
