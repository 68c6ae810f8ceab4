#pragma once
// One completion while it grows: ids, log-probs, text, and where it ends.

#include <cstdint>
#include <span>
#include <string>

#include "core/random.h"
#include "core/types.h"
#include "rollout/sampler.h"
#include "text/tokenizer.h"

namespace r1::rollout {

class Completion {
 public:
  // `limit`: most tokens it may have (max_new_tokens, or less where the context ends).
  Completion(const Prompt& prompt, const SamplingParams& params, int index, int32_t limit, const text::Tokenizer& tokenizer,
             std::span<const int32_t> eos_ids);

  // The uniform number of the next draw: a function of (seed, prompt, index, position) alone.
  double next_uniform() const { return uniform_after(0); }
  // That of the draw after `ahead` more.
  double uniform_after(uint64_t ahead) const { return random_.uniform_at(sample_.token_ids.size() + ahead); }

  // Takes a token; returns whether the completion has ended.
  bool append(const Draw& draw, uint32_t weights_version);
  void cancel() { sample_.finish = FinishReason::kCancelled; }

  // Text that has become final since the last call: text that could still turn out to begin a stop string is held back.
  std::string take_new_text();

  const Sample& sample() const { return sample_; }
  Sample take();

 private:
  bool ends_with_stop_string(size_t old_size);
  size_t held_back() const;

  const SamplingParams& params_;
  std::span<const int32_t> eos_ids_;
  RandomStream random_;
  int32_t limit_;
  text::StreamDecoder decoder_;
  Sample sample_;
  size_t taken_ = 0;
  bool has_ended_ = false;
};

}  // namespace r1::rollout
