// Guesses of the MTP module: it meets each token together with the hidden state of the one before, writes its keys to
// the token's own slot, and behind a completion's newest token its logits give the guess (engine.h).

#include <algorithm>
#include <chrono>

#include "rollout/engine_state.h"

namespace r1::rollout {

// Whether a guess may be computed beside the newest token: it must have a place in the context.
bool Engine::may_draft(const Sequence& sequence) const {
  return sequence.draft && sequence.num_cached + 2 <= max_context_;
}

// Appends the batch's hidden states to those that the module has yet to meet.
void Engine::keep_hidden(const Batch& batch) {
  if (config_.num_draft_tokens == 0) return;
  const auto all = decoder_.hidden();
  const auto d = static_cast<size_t>(decoder_.config().hidden_size);
  for (const auto& rows : batch.owners) {
    auto& s = *rows.sequence;
    if (s.hidden.empty()) s.hidden_begin = batch.positions[static_cast<size_t>(rows.first)];
    const auto part = all.subspan(static_cast<size_t>(rows.first) * d, static_cast<size_t>(rows.count) * d);
    s.hidden.insert(s.hidden.end(), part.begin(), part.end());
  }
}

void Engine::add_draft_rows(Batch& batch, Sequence& s, std::vector<float>& previous) {
  const auto d = static_cast<size_t>(decoder_.config().hidden_size);
  if (s.hidden.empty()) return;
  auto end = std::min<int64_t>(std::ssize(s.tokens), s.hidden_begin + static_cast<int64_t>(s.hidden.size() / d) + 1);
  if (std::ssize(s.blocks) * kernels::kKvBlockTokens < end && !make_room(s, 1)) {
    end = std::ssize(s.blocks) * kernels::kKvBlockTokens;  // the rest waits for a block
  }
  const auto begin = std::max(s.num_met, s.hidden_begin + 1);
  if (begin >= end) return;
  batch.owners.push_back({&s, std::ssize(batch.token_ids), end - begin});
  for (auto p = begin; p < end; ++p) {
    add_row(batch, s, p, s.tokens[p]);
    const auto* const hidden = s.hidden.data() + static_cast<size_t>(p - 1 - s.hidden_begin) * d;
    previous.insert(previous.end(), hidden, hidden + d);
  }
  if (s.completion && end == std::ssize(s.tokens)) {
    batch.logit_rows.push_back(static_cast<int32_t>(batch.token_ids.size()) - 1);
    batch.logit_owners.push_back(&s);
  }
  s.num_met = static_cast<int32_t>(end);
  const auto num_done = static_cast<size_t>(end - 1 - s.hidden_begin);
  s.hidden.erase(s.hidden.begin(), s.hidden.begin() + static_cast<std::ptrdiff_t>(num_done * d));
  s.hidden_begin = static_cast<int32_t>(end) - 1;
}

void Engine::advance_drafts() {
  if (config_.num_draft_tokens == 0) return;
  const auto start = std::chrono::steady_clock::now();
  Batch batch;
  std::vector<float> previous;
  for (const auto& sequence : running_) add_draft_rows(batch, *sequence, previous);
  if (batch.token_ids.empty()) return;
  const auto logits = decoder_.draft({.token_ids = batch.token_ids,
                                      .positions = batch.positions,
                                      .slots = batch.slots,
                                      .rows = batch.rows,
                                      .logit_rows = batch.logit_rows,
                                      .first_context = 1},
                                     previous, blocks_.cache());
  const auto vocab = static_cast<size_t>(decoder_.config().vocab_size);
  decoder_.pool().parallel_for(std::ssize(batch.logit_owners), 1, [&](int64_t begin, int64_t end) {
    static thread_local SamplerScratch scratch;
    for (int64_t i = begin; i < end; ++i) {
      auto& s = *batch.logit_owners[static_cast<size_t>(i)];
      const auto row = logits.subspan(static_cast<size_t>(i) * vocab, vocab);
      s.draft = draw(row, *s.request->params, s.completion->next_uniform(), scratch).token;
    }
  });
  stats_.draft_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace r1::rollout
