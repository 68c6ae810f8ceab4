#include "cli/commands.h"

namespace r1::cli {
namespace {

constexpr Command kCommands[]{
    {"pretrain", "train a base model on text or synthetic traces", run_pretrain},
    {"rl", "reinforcement learning: sample, score, update (GRPO)", run_rl},
    {"generate", "complete a prompt or a chat, streaming to the terminal", run_generate},
    {"score", "verdicts on completions: JSONL in, JSONL out", run_score},
    {"traces", "read a run's rollout database: steps, groups, samples, search", run_traces},
    {"summary", "a run's curves, and a first and a last sample side by side", run_summary},
    {"tokenize", "text on standard input to token ids, and back", run_tokenize},
    {"tokenizer", "train a byte-level BPE tokenizer", run_tokenizer},
    {"logits", "logits and gradient norms of given token ids", run_logits},
    {"convert", "write any readable model as a Hugging Face folder", run_convert},
    {"bench", "measure decode, prefill, training or a GRPO step", run_bench},
    {"doctor", "this machine, its libraries, and what is missing", run_doctor},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace r1::cli
