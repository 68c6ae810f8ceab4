#include "sft/fresh_tokenizer.h"

#include "core/error.h"
#include "core/files.h"
#include "text/bpe_trainer.h"

namespace r1::sft {

text::Tokenizer train_tokenizer(const FreshTokenizer& o) {
  if (o.vocab_size < 257 || o.vocab_size > 1 << 20) {
    throw Error("tokenizer.vocab_size", fmt::format("must lie in 257 .. {}, got {}", 1 << 20, o.vocab_size),
                "256 bytes and the end-of-text token are always there; 512 to 8192 is usual");
  }
  text::BpeTrainerOptions options{.vocab_size = static_cast<int32_t>(o.vocab_size),
                                  .special_tokens = {"<|endoftext|>"},
                                  .bos = "<|endoftext|>",
                                  .eos = "<|endoftext|>"};
  for (int64_t i = 0; o.max_integer > 0 && i <= o.max_integer; ++i) options.required_tokens.push_back(fmt::format("{}", i));
  text::BpeTrainer trainer(std::move(options));
  for (const auto& file : o.files) {
    for_each_line(file, [&](int64_t, std::string_view line) { trainer.add(line); });
  }
  if (o.files.empty()) {
    const tasks::TraceMaker maker(o.traces, o.seed);
    for (int64_t i = 0; i < o.num_documents; ++i) {
      const auto trace = maker.make(i);
      trainer.add(trace.prompt);
      trainer.add(trace.completion);
    }
  }
  return trainer.train();
}

}  // namespace r1::sft
