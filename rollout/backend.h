#pragma once
// The one seam on the sampling side: the engine in this process, or a server that speaks the same (a later issue).

#include <functional>
#include <span>
#include <vector>

#include "core/types.h"

namespace r1::rollout {

class Backend {
 public:
  virtual ~Backend() = default;

  // params.num_samples completions for each prompt, in the prompts' order and by index. `on_sample` (may be empty) is called
  // from the calling thread as each completion ends, in any order: rewards start while others still run. Returns early
  // with finish = kCancelled for what had not ended if a stop is requested (core/cancel.h).
  using OnSample = std::function<void(size_t prompt, const Sample& sample)>;
  virtual std::vector<std::vector<Sample>> generate(std::span<const Prompt> prompts, const SamplingParams& params,
                                                    const OnSample& on_sample) = 0;

  virtual WeightsVersion weights_version() const = 0;
};

}  // namespace r1::rollout
