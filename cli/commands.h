#pragma once
// The words after `r1`. Adding a command is one row in commands.cpp and one file; a command only reads its arguments, calls
// a library and prints.

#include <span>
#include <string_view>

namespace r1::cli {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, const char* const* argv);  // exit status; throws Error on a mistake
};

std::span<const Command> commands();

int run_bench(int argc, const char* const* argv);      // bench.cpp: speed, one key=value line a case
int run_convert(int argc, const char* const* argv);    // convert.cpp: GGUF or folder -> Hugging Face folder
int run_doctor(int argc, const char* const* argv);     // doctor.cpp: this machine and what is missing
int run_generate(int argc, const char* const* argv);   // generate.cpp: completions to the terminal
int run_logits(int argc, const char* const* argv);     // logits.cpp: logits and gradient norms, for parity checks
int run_pretrain(int argc, const char* const* argv);   // pretrain.cpp: a base model from text or traces
int run_rl(int argc, const char* const* argv);         // rl.cpp: GRPO
int run_score(int argc, const char* const* argv);      // score.cpp: verdicts on completions outside any run
int run_summary(int argc, const char* const* argv);    // summary.cpp: a run's curve and first and last samples
int run_tokenize(int argc, const char* const* argv);   // tokenize.cpp: text <-> ids
int run_tokenizer(int argc, const char* const* argv);  // tokenizer.cpp: train a byte-level BPE
int run_traces(int argc, const char* const* argv);     // traces.cpp: read the rollout database

}  // namespace r1::cli
