// r1 tokenizer train: a small byte-level BPE from text files.

#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/files.h"
#include "text/bpe_trainer.h"

namespace r1::cli {

int run_tokenizer(int argc, const char* const* argv) {
  std::string output, pre_tokenizer = "digits-together";
  std::vector<std::string> files;
  text::BpeTrainerOptions options{.special_tokens = {"<|endoftext|>"}};
  int max_integer = -1;
  CLI::App app("Trains a byte-level BPE tokenizer.", "r1 tokenizer");
  app.require_subcommand(1);
  auto* train = app.add_subcommand("train", "from text files; writes tokenizer.json and tokenizer_config.json");
  train->add_option("output", output, "folder to write")->required();
  train->add_option("files", files, "text files")->required();
  train->add_option("--vocab-size", options.vocab_size, "tokens in all");
  train->add_option("--min-frequency", options.min_frequency, "of a pair that becomes a token");
  train->add_option("--pre-tokenizer", pre_tokenizer, "gpt2, qwen2, llama3 or digits-together");
  train->add_option("--special", options.special_tokens, "special tokens; the first ends texts");
  train->add_option("--max-integer", max_integer, "make 0 .. N single tokens");
  if (const auto status = parse(app, argc, argv)) return *status;

  options.pre_tokenizer = text::pre_tokenizer_of(pre_tokenizer);
  options.eos = options.special_tokens.front();
  for (int i = 0; i <= max_integer; ++i) options.required_tokens.push_back(fmt::format("{}", i));
  text::validate(options);
  text::BpeTrainer trainer(options);
  for (const auto& file : files) {
    for_each_line(file, [&](int64_t, std::string_view line) { trainer.add(line); });
  }
  const auto tokenizer = trainer.train();
  AtomicFolder folder(output);
  tokenizer.save(folder.path());
  folder.commit();
  fmt::print("{} tokens -> {}\n", tokenizer.vocab_size(), output);
  return 0;
}

}  // namespace r1::cli
