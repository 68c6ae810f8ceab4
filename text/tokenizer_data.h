#pragma once
// What a tokenizer is made of, shared by its readers, its writer and the trainer.

#include <memory>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/split.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

namespace r1::text {

enum class Normalizer { kNone, kNfc };

// A tokenizer as its file describes it. Added tokens carry the ids that they will have.
struct TokenizerParts {
  std::string where;  // opens errors
  Vocab vocab{0};
  std::vector<Merge> merges;
  WholePiece whole_piece = WholePiece::kMerge;
  UnknownByte unknown;
  std::vector<AddedToken> added;
  Normalizer normalizer = Normalizer::kNone;
  std::vector<SplitStep> steps;
  std::vector<int32_t> prefix_ids, suffix_ids;  // what Specials::kAdd puts around a text
};

// Immutable and ready to use. Not movable: the encoder refers to the vocabulary.
struct TokenizerData {
  explicit TokenizerData(TokenizerParts parts_);
  TokenizerData(const TokenizerData&) = delete;
  TokenizerData& operator=(const TokenizerData&) = delete;

  // An id as decoding shows it: an added token goes before a vocabulary token of the same id.
  struct Shown {
    std::string_view bytes;
    bool is_special = false;
  };

  TokenizerParts parts;
  Bpe bpe;
  AddedTokenMatcher raw_matcher, normalized_matcher;  // sought before and after normalization
  std::vector<Shown> shown;                           // by id
  std::vector<std::string> added_bytes;               // what `shown` points to
};

// Checks that the ids of roles and post-processor exist, and builds.
Tokenizer make_tokenizer(TokenizerParts parts, TokenizerRoles roles);

// Finds the two parts of merge number `rank` and what they make; throws Error naming the token that is absent.
Merge find_merge(const Vocab& vocab, std::string_view left, std::string_view right, size_t rank,
                 const std::string& where);

}  // namespace r1::text
