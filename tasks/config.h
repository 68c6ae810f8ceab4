#pragma once
// Question sets and prompt templates by their settings. Keys in a recipe carry the fields' names.
//
//   [[tasks]]                      [[tasks]]
//   generator = "countdown"        file = "data/arithmetic.jsonl"
//   num_numbers = 4                weight = 2.0

#include <cstdint>
#include <string>

#include "core/config.h"
#include "tasks/arithmetic.h"
#include "tasks/countdown.h"
#include "tasks/dataset.h"
#include "tasks/jsonl.h"
#include "tasks/prompt_template.h"
#include "tasks/traces.h"

namespace r1::tasks {

struct SetConfig {
  std::string generator;  // "countdown" or "arithmetic" ...
  std::string file;       // ... or a JSONL file; one of the two
  double weight = 1;
  uint64_t size = kEndless;  // generators: questions in the set; kEndless makes new ones for ever
  CountdownOptions countdown;
  ArithmeticOptions arithmetic;
  JsonlOptions jsonl;  // its split is chosen by open_set
};

// Each reads the settings of its struct from `table`, defaults where absent, and throws Error for values that cannot
// work.
CountdownOptions read_countdown_options(const ConfigTable& table, CountdownOptions defaults = {});
ArithmeticOptions read_arithmetic_options(const ConfigTable& table, ArithmeticOptions defaults = {});
TraceOptions read_trace_options(const ConfigTable& table, TraceOptions defaults = {});
PromptStyle read_prompt_style(const ConfigTable& table,
                              PromptStyle defaults = {});  // keys template, suffix, system, ...
SetConfig read_set_config(const ConfigTable& table, const SetConfig& defaults = {});

// Which questions a set gives to training and which it holds out does not depend on `seed` (see Split). A file is split
// by the hash of each question's text if held_out_modulus is above 0; Split::kAll takes it whole.
QuestionSet open_set(const SetConfig& config, Split split, uint64_t seed);

}  // namespace r1::tasks
