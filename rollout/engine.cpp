#include "rollout/engine.h"

#include <algorithm>

#include "core/cancel.h"
#include "core/error.h"
#include "rollout/engine_state.h"

namespace r1::rollout {
namespace {

void at_least(int64_t value, int64_t least, std::string_view key) {
  if (value < least) {
    throw Error(fmt::format("engine.{}", key), fmt::format("must be at least {}, got {}", least, value),
                fmt::format("set engine.{} to {} or more", key, least));
  }
}

int32_t num_cache_blocks(const model::ModelConfig& model, const EngineConfig& config) {
  const auto bytes = static_cast<int64_t>(model::KvCache::bytes_per_block(model, config.num_draft_tokens));
  const auto blocks = (config.kv_cache_mb << 20) / bytes;
  return static_cast<int32_t>(std::clamp<int64_t>(blocks, 1, 1 << 30));
}

}  // namespace

void validate(const EngineConfig& c) {
  at_least(c.max_batch_tokens, 1, "max_batch_tokens");
  at_least(c.max_running, 1, "max_running");
  at_least(c.kv_cache_mb, 1, "kv_cache_mb");
  at_least(c.max_context, 0, "max_context");
  if (c.num_draft_tokens < 0 || c.num_draft_tokens > 1) {
    throw Error("engine.num_draft_tokens", fmt::format("must be 0 or 1, got {}", c.num_draft_tokens),
                "set engine.num_draft_tokens to 1 to draft with the model's MTP module");
  }
}

Engine::Engine(model::Decoder& decoder, const text::Tokenizer& tokenizer, std::vector<int32_t> eos_ids,
               const EngineConfig& config)
    : decoder_(decoder),
      tokenizer_(tokenizer),
      eos_ids_(std::move(eos_ids)),
      config_((validate(config), config)),
      max_context_(config.max_context > 0 ? std::min(config.max_context, decoder.config().max_position)
                                          : decoder.config().max_position),
      blocks_(decoder.config(), num_cache_blocks(decoder.config(), config), config.num_draft_tokens) {
  if (config.num_draft_tokens > 0 && !decoder.has_mtp()) {
    throw Error("engine.num_draft_tokens", "the decoder holds no MTP module", "load the model with Mtp::kLoaded");
  }
}

Engine::~Engine() = default;

void Engine::weights_changed(WeightsVersion version) {
  version_ = version;
  blocks_.clear_prefixes();
}

void Engine::check(const Prompt& prompt) const {
  const auto where = fmt::format("prompt '{}'", prompt.id);
  if (prompt.token_ids.empty()) throw Error(where, "it has no tokens", "give a prompt of at least one token");
  const auto length = std::ssize(prompt.token_ids);
  if (length >= max_context_) {
    throw Error(where, fmt::format("{} tokens, and the context holds {} with at least one new token", length, max_context_),
                "shorten the prompt, or raise engine.max_context up to the model's limit");
  }
  for (const auto id : prompt.token_ids) {
    if (id < 0 || id >= decoder_.config().vocab_size) {
      throw Error(where, fmt::format("token id {} is outside the vocabulary of {}", id, decoder_.config().vocab_size),
                  "tokenize the prompt with the model's own tokenizer");
    }
  }
}

void Engine::start(std::span<const Prompt> prompts, const SamplingParams& params) {
  validate(params, "sampling");
  results_.assign(prompts.size(), {});
  for (size_t i = 0; i < prompts.size(); ++i) {
    check(prompts[i]);
    const auto longest = std::min<int64_t>(std::ssize(prompts[i].token_ids) + params.max_new_tokens, max_context_);
    if (blocks_for(longest) + 1 > blocks_.num_blocks()) {
      throw Error("engine.kv_cache_mb",
                  fmt::format("{} MiB hold {} tokens, and one completion of prompt '{}' may take {}", config_.kv_cache_mb,
                              int64_t{blocks_.num_blocks() - 1} * kernels::kKvBlockTokens, prompts[i].id, longest),
                  "raise engine.kv_cache_mb or lower max_new_tokens");
    }
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    results_[i].resize(params.num_samples);
    requests_.push_back(std::make_unique<Request>(Request{.prompt = &prompts[i], .params = &params, .index = i}));
    waiting_.push_back(requests_.back().get());
  }
}

std::vector<std::vector<Sample>> Engine::generate(std::span<const Prompt> prompts, const SamplingParams& params,
                                                  const OnSample& on_sample) {
  try {
    start(prompts, params);
    while (!waiting_.empty() || !forking_.empty() || !preempted_.empty() || !running_.empty()) {
      if (stop_requested()) cancel_all();
      else step(on_sample);
    }
  } catch (...) {  // leave the engine usable, and let the caller see what happened
    cancel_all();
    requests_.clear();
    throw;
  }
  requests_.clear();
  return std::move(results_);
}

void Engine::cancel_all() {
  for (auto& sequence : running_) preempted_.push_back(std::move(sequence));
  running_.clear();
  for (auto& sequence : preempted_) {
    release_blocks(*sequence);
    if (!sequence->completion) continue;
    sequence->completion->cancel();
    auto sample = sequence->completion->take();
    results_[sequence->request->index][sample.index] = std::move(sample);
  }
  for (auto* request : forking_) {
    for (const auto block : request->blocks) blocks_.release(block);
    request->blocks.clear();
  }
  for (const auto& request : requests_) {  // samples that never began
    for (auto& sample : results_[request->index]) {
      if (!sample.token_ids.empty()) continue;
      sample.prompt_id = request->prompt->id;
      sample.index = static_cast<int>(&sample - results_[request->index].data());
      sample.finish = FinishReason::kCancelled;
    }
  }
  waiting_.clear();
  forking_.clear();
  preempted_.clear();
}

void Engine::release_blocks(Sequence& sequence) {
  for (const auto block : sequence.blocks) blocks_.release(block);
  sequence.blocks.clear();
  sequence.num_cached = sequence.num_shared = 0;
  sequence.hidden.clear();
  sequence.num_met = 1;
  sequence.draft.reset();
}

}  // namespace r1::rollout
