#pragma once
// The rollout engine: continuous batching over a paged KV cache. Everything that runs goes through one packed forward pass
// a step: decodes of running completions, chunks of prompts, and preempted completions on their way back. The G samples of
// a prompt share its blocks and its one prefill.
//
// A sample depends on the weights, its prompt, the seed and its index alone: not on what it was batched with, on limits, on
// preemption, on the number of threads or on drafts (tests/rollout/engine_test.cpp, speculation_test.cpp).
//
// Speculation: the MTP module guesses the token after the newest one, and the next pass computes both. The token that plain
// sampling draws at the first row, with the position's own uniform number, decides: if it is the guess, the second row's
// logits give one more token. So samples are those of plain sampling, token for token, at every temperature; guesses only
// cost or save time. The guess is drawn from the module's distribution with the same uniform number, which makes the two
// agree more often than independent draws would.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "model/decoder.h"
#include "rollout/backend.h"
#include "rollout/block_pool.h"
#include "rollout/completion.h"
#include "text/tokenizer.h"

namespace r1::rollout {

struct EngineConfig {
  int64_t max_batch_tokens = 512;  // rows of one forward pass
  int64_t max_running = 512;       // sequences in flight
  int64_t kv_cache_mb = 1024;      // memory of the KV cache; taken as it fills
  int64_t max_context = 0;         // prompt + completion; 0: the model's own limit
  int64_t num_draft_tokens = 0;    // 1: the decoder's MTP module drafts a token a step (DeepSeek-V3 with Mtp::kLoaded)
};
void validate(const EngineConfig& config);

// Counters since the engine was made.
struct EngineStats {
  int64_t num_steps = 0;
  int64_t num_prompt_tokens = 0;     // rows of prompts and of preempted sequences computed
  int64_t num_generated_tokens = 0;
  int64_t num_prefix_hits = 0;       // prompt tokens found in the prefix cache
  int64_t num_preemptions = 0;
  int64_t num_drafted = 0, num_accepted = 0;  // guesses verified, and those that came true
  double forward_seconds = 0, sample_seconds = 0, draft_seconds = 0;
};

class Engine : public Backend {
 public:
  // The decoder and the tokenizer must outlive the engine. `eos_ids` end completions unless SamplingParams says otherwise.
  Engine(model::Decoder& decoder, const text::Tokenizer& tokenizer, std::vector<int32_t> eos_ids, const EngineConfig& config);
  ~Engine() override;

  std::vector<std::vector<Sample>> generate(std::span<const Prompt> prompts, const SamplingParams& params,
                                            const OnSample& on_sample) override;

  // Called with each piece of text as it becomes final, for streaming to a terminal.
  using OnText = std::function<void(size_t prompt, int index, std::string_view piece)>;
  void set_on_text(OnText on_text) { on_text_ = std::move(on_text); }

  // The decoder's weights were reloaded: later tokens carry this version, and cached prefixes are forgotten.
  void weights_changed(WeightsVersion version);
  WeightsVersion weights_version() const override { return version_; }

  const EngineStats& stats() const { return stats_; }
  int64_t max_context() const { return max_context_; }

 private:
  struct Request;
  struct Sequence;
  struct Batch;
  void check(const Prompt& prompt) const;
  void start(std::span<const Prompt> prompts, const SamplingParams& params);
  void step(const OnSample& on_sample);
  void fork_samples();
  void admit();
  bool make_room(Sequence& sequence, int64_t num_tokens);
  void preempt_newest();
  void plan(Batch& batch);
  void add_rows(Batch& batch, Sequence& sequence, int64_t num_rows);
  void add_row(Batch& batch, const Sequence& sequence, int32_t position, int32_t token) const;
  bool may_draft(const Sequence& sequence) const;
  void advance_drafts();
  void add_draft_rows(Batch& batch, Sequence& sequence, std::vector<float>& previous);
  void keep_hidden(const Batch& batch);
  void start_samples(Sequence& sequence, std::span<const float> logits);
  bool take_token(Sequence& sequence, const Draw& draw);
  void take_logits(const Batch& batch, std::span<const float> logits, const OnSample& on_sample);
  void finish(Sequence& sequence, const OnSample& on_sample);
  void release_blocks(Sequence& sequence);
  void cancel_all();

  model::Decoder& decoder_;
  const text::Tokenizer& tokenizer_;
  std::vector<int32_t> eos_ids_;
  EngineConfig config_;
  int64_t max_context_;
  BlockPool blocks_;
  WeightsVersion version_;
  OnText on_text_;
  EngineStats stats_;

  std::vector<std::unique_ptr<Request>> requests_;       // of the current generate()
  std::deque<Request*> waiting_;                         // prompts not begun
  std::deque<Request*> forking_;                         // prefilled, with samples yet to start
  std::deque<std::unique_ptr<Sequence>> preempted_;
  std::vector<std::unique_ptr<Sequence>> running_;       // oldest first
  std::vector<std::vector<Sample>> results_;
};

}  // namespace r1::rollout
