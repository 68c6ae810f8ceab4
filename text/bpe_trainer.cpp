#include "text/bpe_trainer.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "text/bpe_learner.h"
#include "text/byte_map.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

namespace r1::text {
namespace {

constexpr const char* kWhere = "tokenizer training";
constexpr int32_t kNumBytes = 256;
constexpr int32_t kMaxVocab = 1 << 24;
// A longer piece is no word, and merging it would be slow: its parts are learned from.
constexpr size_t kMaxPiece = 256;

std::vector<SplitStep> steps_of(PreTokenizer pre_tokenizer) {
  switch (pre_tokenizer) {
    case PreTokenizer::kGpt2:
      return {step_of_kind(SplitKind::kGpt2)};
    case PreTokenizer::kQwen2:
      return {step_of_kind(SplitKind::kQwen2)};
    case PreTokenizer::kLlama3:
      return {step_of_kind(SplitKind::kLlama3)};
    case PreTokenizer::kDigitsTogether:
      break;
  }
  return {step_of_kind(SplitKind::kDigitRuns), step_of_kind(SplitKind::kGpt2)};
}

std::vector<AddedToken> special_tokens_of(const BpeTrainerOptions& options) {
  std::vector<AddedToken> tokens;
  for (const auto& content : options.special_tokens) {
    tokens.push_back({.id = static_cast<int32_t>(tokens.size()), .content = content});
  }
  return tokens;
}

void check_token(const char* kind, const std::string& token) {
  if (token.empty() || !is_valid_utf8(token)) {
    throw Error(kWhere, fmt::format("{} '{}' is empty or not UTF-8", kind, to_valid_utf8(token)), "give text");
  }
}

void check_special(const BpeTrainerOptions& options) {
  std::unordered_set<std::string> seen;
  for (const auto& token : options.special_tokens) {
    check_token("special token", token);
    std::string bytes;
    if (append_unmapped(token, bytes) && bytes.size() == 1) {
      throw Error(kWhere, fmt::format("special token '{}' is how a byte is written", token), "make it longer");
    }
    if (!seen.insert(token).second) {
      throw Error(kWhere, fmt::format("special token '{}' is given twice", token), "give it once");
    }
  }
  for (const auto* role : {&options.bos, &options.eos, &options.pad}) {
    if (*role && !seen.contains(**role)) {
      throw Error(kWhere, fmt::format("token '{}' has a role and is no special token", **role),
                  "add it to special_tokens");
    }
  }
}

void check_required(const BpeTrainerOptions& options) {
  const auto steps = steps_of(options.pre_tokenizer);
  for (const auto& token : options.required_tokens) {
    check_token("required token", token);
    for (const auto& special : options.special_tokens) {
      if (token.find(special) == std::string::npos) continue;
      throw Error(kWhere, fmt::format("required token '{}' holds the special token '{}'", token, special),
                  "leave one of the two out");
    }
    const size_t num_pieces = piece_ends(steps, token).size();
    if (num_pieces != 1 || token.size() > kMaxPiece) {
      throw Error(kWhere,
                  fmt::format("required token '{}' is cut into {} pieces, or longer than {} bytes", token, num_pieces,
                              kMaxPiece),
                  "require its pieces, or choose another pre-tokenizer");
    }
  }
}

TokenizerRoles roles_of(const BpeTrainerOptions& options) {
  const auto id_of = [&](const std::optional<std::string>& token) -> std::optional<int32_t> {
    if (!token) return std::nullopt;
    const auto& all = options.special_tokens;
    return static_cast<int32_t>(std::find(all.begin(), all.end(), *token) - all.begin());
  };
  return {id_of(options.bos), id_of(options.eos), id_of(options.pad), std::nullopt, options.chat_template};
}

}  // namespace

PreTokenizer pre_tokenizer_of(std::string_view name) {
  if (name == "gpt2") return PreTokenizer::kGpt2;
  if (name == "qwen2") return PreTokenizer::kQwen2;
  if (name == "llama3") return PreTokenizer::kLlama3;
  if (name == "digits-together") return PreTokenizer::kDigitsTogether;
  throw Error(kWhere, fmt::format("no pre-tokenizer '{}'", name), "use gpt2, qwen2, llama3 or digits-together");
}

void validate(const BpeTrainerOptions& options) {
  check_special(options);
  check_required(options);
  const auto least = static_cast<int64_t>(options.special_tokens.size()) + kNumBytes;
  if (options.vocab_size < least || options.vocab_size > kMaxVocab) {
    throw Error(kWhere,
                fmt::format("vocab_size is {}: {} to {} are possible with {} special tokens and 256 bytes",
                            options.vocab_size, least, kMaxVocab, options.special_tokens.size()),
                fmt::format("set vocab_size to {} or more", least));
  }
}

BpeTrainer::BpeTrainer(BpeTrainerOptions options) : options_(std::move(options)) {
  validate(options_);
  steps_ = steps_of(options_.pre_tokenizer);
  specials_ = AddedTokenMatcher(special_tokens_of(options_), options_.special_tokens);
}

void BpeTrainer::add(std::string_view text, int64_t count) {
  const auto valid = to_valid_utf8(text);
  for (const auto& segment : specials_.segments(valid, AddedTokens::kAll)) {
    if (segment.id < 0) add_pieces(std::string_view(valid).substr(segment.begin, segment.end - segment.begin), count);
  }
}

void BpeTrainer::add_pieces(std::string_view text, int64_t count) {
  size_t begin = 0;
  for (const size_t end : piece_ends(steps_, text)) {
    for (; begin < end; begin += std::min(end - begin, kMaxPiece)) {
      piece_counts_[std::string(text.substr(begin, std::min(end - begin, kMaxPiece)))] += count;
    }
  }
}

Tokenizer BpeTrainer::train() const {
  BpeLearner learner(static_cast<int32_t>(options_.special_tokens.size()));
  for (const auto& token : options_.required_tokens) learner.require(token);
  if (learner.num_tokens() > options_.vocab_size) {
    throw Error(kWhere,
                fmt::format("{} tokens are needed for {} required ones, and vocab_size is {}", learner.num_tokens(),
                            options_.required_tokens.size(), options_.vocab_size),
                fmt::format("set vocab_size to {} or more", learner.num_tokens()));
  }
  for (const auto& [piece, count] : piece_counts_) learner.add_word(piece, count);
  learner.learn(options_.vocab_size, options_.min_frequency);

  TokenizerParts parts;
  parts.where = kWhere;
  parts.vocab = Vocab(static_cast<size_t>(learner.num_tokens()));
  parts.added = special_tokens_of(options_);
  for (const auto& token : parts.added) parts.vocab.add(token.content, token.id);
  for (auto id = static_cast<int32_t>(parts.added.size()); id < learner.num_tokens(); ++id) {
    parts.vocab.add(mapped_text(learner.bytes(id)), id);
  }
  parts.merges = learner.merges();
  parts.steps = steps_;
  return make_tokenizer(std::move(parts), roles_of(options_));
}

}  // namespace r1::text
