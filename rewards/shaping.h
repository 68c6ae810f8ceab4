#pragma once
// The parts of a reward besides accuracy and format, and the rules that give parts other weights by task, data set and
// step: settings, and what they make.
//
//   [rewards]
//   language_weight = 0.1        # R1 v2, Eq. 7; language_target = "prompt" or a language such as "en"
//   overlong_tokens = 4096       # DAPO, Eq. 13: 0 to -overlong_weight over the last so many tokens
//   cosine_weight = 1.0          # arXiv:2502.03373; cosine_right_short, ..._long, cosine_wrong_..., cosine_exceeded
//   repetition_weight = 1.0      # repetition_ngram, repetition_free_share
//
//   [[rewards.rules]]            # the last rule that fits counts
//   part = "language"
//   task = "math"                # any task if left out
//   source = "gsm8k.jsonl"       # any data set if left out
//   first_step = -400            # the last 400 steps; ramp_steps goes there gently
//   weight = 0.5

#include <string_view>
#include <vector>

#include "core/config.h"
#include "rewards/composite.h"
#include "rewards/language.h"
#include "rewards/length.h"
#include "rewards/repetition.h"

namespace r1::rewards {

struct ShapingOptions {
  double language_weight = 0;
  LanguageOptions language;
  double overlong_weight = 1;
  int64_t overlong_tokens = 0;  // 0: no such part
  double cosine_weight = 0;
  CosineOptions cosine;
  double repetition_weight = 0;
  RepetitionOptions repetition;
  std::vector<WeightRule> rules;

  // Whether a rule weighs this part, so that it is made even if its own weight is 0.
  bool has_rule(std::string_view part) const;
  // Whether any part can have another weight than 0.
  bool has_effect() const;
};

ShapingOptions read_shaping_options(const ConfigTable& rewards, ShapingOptions defaults = {});
// Throws Error naming the first key that cannot work.
void validate(const ShapingOptions& options);

// "language", "overlong", "cosine", "repetition": those that have a weight.
void add_shaping_parts(const ShapingOptions& options, std::vector<Part>& parts);

}  // namespace r1::rewards
