#pragma once
// Trains a small byte-level BPE: the commonest adjacent pair becomes a token, again and again (Sennrich et al.,
// arXiv:1508.07909, Algorithm 1, on bytes). Counts are kept up to date pair by pair, so megabytes take seconds. The
// result depends on counts only: equal counts go to the pair of lower ids, as in HF tokenizers' trainer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/split.h"
#include "text/tokenizer.h"

namespace r1::text {

// How text is cut before merging. kDigitsTogether: a run of digits is a piece of its own, without the blank before it,
// so that an integer is the same tokens wherever it stands.
enum class PreTokenizer { kGpt2, kQwen2, kLlama3, kDigitsTogether };
// "gpt2", "qwen2", "llama3", "digits-together"; throws Error for another name.
PreTokenizer pre_tokenizer_of(std::string_view name);

struct BpeTrainerOptions {
  int32_t vocab_size = 4096;  // in all; fewer if no pair is left that is frequent enough
  PreTokenizer pre_tokenizer = PreTokenizer::kDigitsTogether;
  int64_t min_frequency = 2;                 // of a pair that is to become a token
  std::vector<std::string> special_tokens;   // get ids 0, 1, ...; text that spells them is not learned from
  std::vector<std::string> required_tokens;  // one token each where they are a whole piece: "0" .. "400", "wait"
  std::optional<std::string> bos, eos, pad;  // which special tokens have a role
  std::optional<std::string> chat_template;
};

// Throws Error for options that contradict each other.
void validate(const BpeTrainerOptions& options);

class BpeTrainer {
 public:
  explicit BpeTrainer(BpeTrainerOptions options);

  // Learns from `text`, a line or a document, as if it occurred `count` times.
  void add(std::string_view text, int64_t count = 1);

  // Ids: the special tokens, the 256 bytes in the order of their characters, then tokens as they were made.
  Tokenizer train() const;

 private:
  void add_pieces(std::string_view text, int64_t count);
  BpeTrainerOptions options_;
  std::vector<SplitStep> steps_;
  AddedTokenMatcher specials_;
  std::unordered_map<std::string, int64_t> piece_counts_;
};

}  // namespace r1::text
