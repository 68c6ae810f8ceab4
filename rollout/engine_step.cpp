// One step of the engine: who gets rows, the forward pass, and what becomes of the logits.

#include <algorithm>
#include <chrono>

#include "rollout/engine_state.h"

namespace r1::rollout {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void Engine::step(const OnSample& on_sample) {
  fork_samples();
  for (size_t i = running_.size(); i-- > 0;) {  // a first token may have ended a completion
    if (running_[i]->completion && running_[i]->num_pending() == 0) finish(*running_[i], on_sample);
  }
  admit();
  advance_drafts();
  Batch batch{.budget = config_.max_batch_tokens};
  plan(batch);
  if (batch.token_ids.empty()) return;
  const auto start = std::chrono::steady_clock::now();
  auto logits = decoder_.forward({.token_ids = batch.token_ids, .positions = batch.positions, .slots = batch.slots,
                                        .rows = batch.rows, .logit_rows = batch.logit_rows},
                                       blocks_.cache());
  stats_.forward_seconds += seconds_since(start);
  ++stats_.num_steps;
  std::vector<float> copy;
  if (config_.num_draft_tokens > 0) {
    copy.assign(logits.begin(), logits.end());  // the module writes logits too
    logits = copy;
    keep_hidden(batch);
    advance_drafts();  // prompts' blocks are complete before samples share them
  }
  const auto sampling = std::chrono::steady_clock::now();
  take_logits(batch, logits, on_sample);
  stats_.sample_seconds += seconds_since(sampling);
  stats_.num_prefix_hits = blocks_.num_prefix_hits();
}

// Starts samples of prefilled prompts while there is room: they share the prompt's full blocks, and all but the last copy the
// block that the prompt fills only in part.
void Engine::fork_samples() {
  static thread_local SamplerScratch scratch;
  while (!forking_.empty() && std::ssize(running_) < config_.max_running) {
    auto& request = *forking_.front();
    const auto& prompt = request.prompt->token_ids;
    const bool is_last = request.next_sample + 1 == request.params->num_samples;
    const bool copies = !is_last && prompt.size() % kernels::kKvBlockTokens != 0;
    if (copies && blocks_.num_available() == 0) return;
    auto sequence = std::make_unique<Sequence>();
    sequence->request = &request;
    sequence->tokens = prompt;
    sequence->num_cached = static_cast<int32_t>(prompt.size());
    sequence->blocks = request.blocks;
    sequence->hidden = request.hidden;
    sequence->hidden_begin = sequence->num_cached - 1;
    sequence->num_met = std::max(sequence->num_cached, 1);
    if (is_last) {
      request.blocks.clear();
    } else {
      for (const auto block : std::span(sequence->blocks).first(sequence->blocks.size() - copies)) blocks_.retain(block);
      if (copies) {
        const auto fresh = blocks_.allocate();
        blocks_.copy(sequence->blocks.back(), fresh);
        sequence->blocks.back() = fresh;
      }
    }
    auto& completion = sequence->completion.emplace(*request.prompt, *request.params, request.next_sample++,
                                                    static_cast<int32_t>(max_context_ - std::ssize(prompt)), tokenizer_, eos_ids_);
    const auto drawn = draw(request.logits, *request.params, completion.next_uniform(), scratch);
    ++stats_.num_generated_tokens;
    const bool has_ended = completion.append(drawn, static_cast<uint32_t>(version_.number));
    if (!has_ended) sequence->tokens.push_back(drawn.token);  // else nothing is pending, and step() finishes it
    if (on_text_) on_text_(request.index, completion.sample().index, completion.take_new_text());
    running_.push_back(std::move(sequence));
    if (is_last) {
      request.logits = {};
      forking_.pop_front();
    }
  }
}

// Lets prompts and preempted sequences in, oldest first, while blocks last with one to spare for each that runs.
void Engine::admit() {
  while ((!preempted_.empty() || !waiting_.empty()) && std::ssize(running_) < config_.max_running && forking_.empty()) {
    const bool returns = !preempted_.empty();
    const auto& tokens = returns ? preempted_.front()->tokens : waiting_.front()->prompt->token_ids;
    auto found = blocks_.find_prefix(std::span(tokens).first(tokens.size() - 1));  // at least one row must be computed
    const auto needed = blocks_for(std::ssize(tokens)) - std::ssize(found);
    if (!running_.empty() && blocks_.num_available() < needed + std::ssize(running_)) {
      for (const auto block : found) blocks_.release(block);
      return;
    }
    std::unique_ptr<Sequence> sequence;
    if (returns) {
      sequence = std::move(preempted_.front());
      preempted_.pop_front();
    } else {
      sequence = std::make_unique<Sequence>(Sequence{.request = waiting_.front(), .tokens = tokens});
      waiting_.pop_front();
    }
    sequence->num_cached = sequence->num_shared = static_cast<int32_t>(found.size()) * kernels::kKvBlockTokens;
    sequence->blocks = std::move(found);
    if (config_.num_draft_tokens > 0 && sequence->num_shared > 0) {
      sequence->num_met = sequence->num_shared;
      --sequence->num_cached;  // its hidden state is wanted again, for the token after it
    }
    running_.push_back(std::move(sequence));
  }
}

bool Engine::make_room(Sequence& sequence, int64_t num_tokens) {
  const auto needed = blocks_for(sequence.num_cached + num_tokens) - std::ssize(sequence.blocks);
  if (needed > blocks_.num_available()) return false;
  for (int64_t i = 0; i < needed; ++i) sequence.blocks.push_back(blocks_.allocate());
  return true;
}

void Engine::preempt_newest() {
  auto sequence = std::move(running_.back());
  running_.pop_back();
  release_blocks(*sequence);
  ++stats_.num_preemptions;
  if (sequence->completion) {
    preempted_.push_front(std::move(sequence));
  } else {
    waiting_.push_front(sequence->request);
  }
}

// Decodes first: every running completion gets its row, taking blocks from the newest sequences if none are left. Prompts
// share what remains of the budget.
void Engine::plan(Batch& batch) {
  for (size_t i = 0; i < running_.size() && batch.budget > 0; ++i) {
    if (running_[i]->num_pending() != 1) continue;
    const bool drafts = batch.budget > 1 && may_draft(*running_[i]) && make_room(*running_[i], 2);
    while (i < running_.size() && !make_room(*running_[i], 1)) preempt_newest();
    if (i >= running_.size()) break;
    auto& sequence = *running_[i];
    add_rows(batch, sequence, 1);
    if (!drafts) {
      sequence.draft.reset();
      continue;
    }
    add_row(batch, sequence, sequence.num_cached, *sequence.draft);  // becomes cached if the guess comes true
    ++batch.owners.back().count;
    --batch.budget;
    batch.logit_rows.push_back(static_cast<int32_t>(batch.token_ids.size()) - 1);
    batch.logit_owners.push_back(&sequence);
  }
  for (size_t i = 0; i < running_.size() && batch.budget > 0; ++i) {
    auto& sequence = *running_[i];
    if (sequence.num_pending() <= 1) continue;
    auto num_rows = std::min(batch.budget, sequence.num_pending());
    while (num_rows > 0 && !make_room(sequence, num_rows)) num_rows /= 2;
    if (num_rows > 0) add_rows(batch, sequence, num_rows);
  }
  if (batch.token_ids.empty() && running_.size() > 1) preempt_newest();  // prompts block each other: one must go back
}

void Engine::add_row(Batch& batch, const Sequence& sequence, int32_t position, int32_t token) const {
  const int64_t block = sequence.blocks[position / kernels::kKvBlockTokens];
  const bool is_shared = position < sequence.num_shared;
  batch.token_ids.push_back(token);
  batch.positions.push_back(position);
  batch.slots.push_back(is_shared ? -1 : block * kernels::kKvBlockTokens + position % kernels::kKvBlockTokens);
  batch.rows.push_back({.block_table = sequence.blocks.data(), .context = position + 1});
}

void Engine::add_rows(Batch& batch, Sequence& sequence, int64_t num_rows) {
  const auto first = sequence.num_cached;
  batch.owners.push_back({&sequence, std::ssize(batch.token_ids), num_rows});
  for (auto position = first; position < first + num_rows; ++position) {
    add_row(batch, sequence, position, sequence.tokens[position]);
  }
  sequence.num_cached += static_cast<int32_t>(num_rows);
  batch.budget -= num_rows;
  if (!sequence.completion || num_rows > 1) stats_.num_prompt_tokens += num_rows;
  if (sequence.num_pending() == 0) {
    batch.logit_rows.push_back(static_cast<int32_t>(batch.token_ids.size()) - 1);
    batch.logit_owners.push_back(&sequence);
  }
}

void Engine::take_logits(const Batch& batch, std::span<const float> logits, const OnSample& on_sample) {
  const auto vocab = static_cast<size_t>(decoder_.config().vocab_size);
  const auto& owners = batch.logit_owners;
  const auto row = [&](size_t i) { return logits.subspan(i * vocab, vocab); };
  std::vector<Draw> draws(owners.size());
  decoder_.pool().parallel_for(std::ssize(owners), 1, [&](int64_t begin, int64_t end) {
    static thread_local SamplerScratch scratch;
    for (int64_t i = begin; i < end; ++i) {
      const auto& completion = owners[i]->completion;
      if (!completion) continue;
      const bool is_second = i > 0 && owners[i - 1] == owners[i];
      draws[i] = draw(row(i), *owners[i]->request->params, completion->uniform_after(is_second), scratch);
    }
  });
  for (size_t i = 0; i < owners.size(); ++i) {
    auto& sequence = *owners[i];
    if (!sequence.completion) {
      start_samples(sequence, row(i));
      continue;
    }
    const bool has_second = i + 1 < owners.size() && owners[i + 1] == owners[i];
    bool has_ended = take_token(sequence, draws[i]);
    if (has_second) {
      const bool is_true = draws[i].token == *sequence.draft;
      ++stats_.num_drafted;
      stats_.num_accepted += is_true;
      if (is_true) {
        ++sequence.num_cached;
        if (!has_ended) has_ended = take_token(sequence, draws[i + 1]);
      } else {
        sequence.hidden.resize(sequence.hidden.size() - static_cast<size_t>(decoder_.config().hidden_size));
      }
      ++i;
    }
    sequence.draft.reset();
    if (has_ended) finish(sequence, on_sample);
  }
}

// A prompt is prefilled: its samples may start.
void Engine::start_samples(Sequence& sequence, std::span<const float> logits) {
  auto& request = *sequence.request;
  request.logits.assign(logits.begin(), logits.end());
  request.hidden = std::move(sequence.hidden);
  blocks_.publish(sequence.tokens, sequence.blocks);
  request.blocks = std::move(sequence.blocks);
  forking_.push_back(&request);
  std::erase_if(running_, [&](const auto& s) { return s.get() == &sequence; });
}

// Returns whether the completion has ended.
bool Engine::take_token(Sequence& sequence, const Draw& draw) {
  ++stats_.num_generated_tokens;
  const bool has_ended = sequence.completion->append(draw, static_cast<uint32_t>(version_.number));
  sequence.tokens.push_back(draw.token);
  if (on_text_) on_text_(sequence.request->index, sequence.completion->sample().index, sequence.completion->take_new_text());
  return has_ended;
}

void Engine::finish(Sequence& sequence, const OnSample& on_sample) {
  release_blocks(sequence);
  auto sample = sequence.completion->take();
  auto& slot = results_[sequence.request->index][sample.index];
  slot = std::move(sample);
  const auto prompt = sequence.request->index;
  std::erase_if(running_, [&](const auto& s) { return s.get() == &sequence; });
  if (on_sample) on_sample(prompt, slot);
}

}  // namespace r1::rollout
