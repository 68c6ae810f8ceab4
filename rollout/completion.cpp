#include "rollout/completion.h"

#include <algorithm>

#include "core/hash.h"

namespace r1::rollout {

Completion::Completion(const Prompt& prompt, const SamplingParams& params, int index, int32_t limit,
                       const text::Tokenizer& tokenizer, std::span<const int32_t> eos_ids)
    : params_(params),
      eos_ids_(eos_ids),
      random_(params.seed, hash64(prompt.id), static_cast<uint64_t>(index)),
      limit_(std::min(limit, params.max_new_tokens)),
      decoder_(tokenizer, text::SkipSpecial::kYes) {
  sample_.prompt_id = prompt.id;
  sample_.index = index;
}

bool Completion::append(const Draw& draw, uint32_t weights_version) {
  sample_.token_ids.push_back(draw.token);
  sample_.logprobs.push_back(draw.logprob);
  sample_.sampling_logprobs.push_back(draw.sampling_logprob);
  sample_.weights_versions.push_back(weights_version);
  const bool is_eos = params_.eos == SamplingParams::Eos::kStop && std::ranges::find(eos_ids_, draw.token) != eos_ids_.end();
  const bool is_stop_id = std::ranges::find(params_.stop_ids, draw.token) != params_.stop_ids.end();
  const auto old_size = sample_.text.size();
  if (!is_eos && !is_stop_id) sample_.text += decoder_.push(draw.token);
  has_ended_ = is_eos || is_stop_id || ends_with_stop_string(old_size);
  if (has_ended_) {
    sample_.finish = FinishReason::kStop;
  } else if (std::ssize(sample_.token_ids) >= limit_) {
    sample_.text += decoder_.flush();
    sample_.finish = FinishReason::kLength;
    has_ended_ = true;
  }
  return has_ended_;
}

// Looks for stop strings that end in the text added since old_size, and cuts the text before the earliest.
bool Completion::ends_with_stop_string(size_t old_size) {
  auto earliest = std::string::npos;
  size_t length = 0;
  for (const auto& stop : params_.stop) {
    const auto from = old_size >= stop.size() ? old_size - stop.size() + 1 : 0;
    if (const auto found = sample_.text.find(stop, from); found < earliest) {
      earliest = found;
      length = stop.size();
    }
  }
  if (earliest == std::string::npos) return false;
  sample_.text.resize(earliest + (params_.stop_text == SamplingParams::StopText::kInclude ? length : 0));
  return true;
}

// Length of the longest tail that is a proper prefix of a stop string.
size_t Completion::held_back() const {
  if (has_ended_) return 0;
  const std::string_view text = sample_.text;
  size_t held = 0;
  for (const std::string_view stop : params_.stop) {
    for (size_t length = std::min(stop.size() - 1, text.size()); length > held; --length) {
      if (text.ends_with(stop.substr(0, length))) held = length;
    }
  }
  return held;
}

std::string Completion::take_new_text() {
  const auto end = std::max(taken_, sample_.text.size() - std::min(held_back(), sample_.text.size()));
  if (taken_ >= sample_.text.size()) return {};
  auto piece = sample_.text.substr(taken_, end - taken_);
  taken_ = end;
  return piece;
}

Sample Completion::take() { return std::move(sample_); }

}  // namespace r1::rollout
