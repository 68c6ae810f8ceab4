#pragma once
// What the commands share: parsing of arguments, and opening a model with its tokenizer.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "model/decoder.h"
#include "model/weights.h"
#include "text/tokenizer.h"

namespace r1::cli {

// Parses argv (the words after the command). Returns an exit status if the command is over: help was printed, or a
// mistake, which goes to stderr.
std::optional<int> parse(CLI::App& app, int argc, const char* const* argv);

// Adds --threads to `app`; apply_threads() makes it so.
void add_threads(CLI::App& app, int& num_threads);
void apply_threads(int num_threads);

// A model to sample from: weights, tokenizer, ids that end a completion.
struct OpenModel {
  model::LoadedModel loaded;
  text::Tokenizer tokenizer;
  std::vector<int32_t> eos_ids;
};
OpenModel open(const std::string& path);

// Whether the decoder needs the MTP module for this many drafts a step.
inline model::Mtp mtp_for(int64_t num_draft_tokens) {
  return num_draft_tokens > 0 ? model::Mtp::kLoaded : model::Mtp::kLeftOut;
}

// "f32", "bf16", "native"; "auto" is native for GGUF files and f32 otherwise.
model::WeightFormat weight_format(const std::string& name, const model::LoadedModel& model);

}  // namespace r1::cli
