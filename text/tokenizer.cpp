#include "text/tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "text/byte_map.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

namespace r1::text {
namespace {

// The added tokens that are sought in text as it is, or in normalized text.
AddedTokenMatcher matcher_of(const TokenizerParts& parts, bool is_normalized) {
  std::vector<AddedToken> tokens;
  std::vector<std::string> patterns;
  for (const auto& token : parts.added) {
    if (token.is_normalized != is_normalized) continue;
    const bool to_normalize = is_normalized && parts.normalizer == Normalizer::kNfc;
    patterns.push_back(to_normalize ? to_nfc(token.content) : token.content);
    tokens.push_back(token);
  }
  return {std::move(tokens), patterns};
}

void check_ids(const TokenizerData& data, const std::string& what, std::span<const int32_t> ids) {
  for (const int32_t id : ids) {
    if (id >= 0 && static_cast<size_t>(id) < data.shown.size()) continue;
    throw Error(data.parts.where, fmt::format("{} is id {}, and the ids are 0 to {}", what, id, data.shown.size() - 1),
                "correct the id, or take the tokenizer files from the model's own folder");
  }
}

void check_roles(const TokenizerData& data, const TokenizerRoles& roles) {
  const auto check = [&](const char* what, const std::optional<int32_t>& id) {
    if (id) check_ids(data, what, {&*id, 1});
  };
  check("the beginning-of-text token", roles.bos);
  check("the end-of-text token", roles.eos);
  check("the padding token", roles.pad);
}

// text's pieces through BPE.
void encode_plain(const TokenizerData& data, std::string_view text, std::vector<int32_t>& ids) {
  size_t begin = 0;
  for (const size_t end : piece_ends(data.parts.steps, text)) {
    data.bpe.encode(text.substr(begin, end - begin), ids);
    begin = end;
  }
}

// Text between the tokens that are sought before normalization.
void encode_stretch(const TokenizerData& data, std::string_view text, AddedTokens added, std::vector<int32_t>& ids) {
  std::string normalized;
  if (data.parts.normalizer == Normalizer::kNfc && !is_surely_nfc(text)) text = normalized = to_nfc(text);
  if (data.normalized_matcher.empty()) return encode_plain(data, text, ids);
  for (const auto& segment : data.normalized_matcher.segments(text, added)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
    } else {
      encode_plain(data, text.substr(segment.begin, segment.end - segment.begin), ids);
    }
  }
}

}  // namespace

TokenizerData::TokenizerData(TokenizerParts parts_)
    : parts(std::move(parts_)),
      bpe(parts.vocab, parts.merges, parts.whole_piece, parts.unknown),
      raw_matcher(matcher_of(parts, /*is_normalized=*/false)),
      normalized_matcher(matcher_of(parts, /*is_normalized=*/true)) {
  int32_t max_id = parts.vocab.max_id();
  for (const auto& token : parts.added) max_id = std::max(max_id, token.id);
  shown.resize(max_id + 1);
  for (int32_t id = 0; id <= parts.vocab.max_id(); ++id) shown[id].bytes = parts.vocab.bytes(id);
  added_bytes.reserve(parts.added.size());
  for (const auto& token : parts.added) {
    auto& bytes = added_bytes.emplace_back();
    if (!append_unmapped(token.content, bytes)) bytes = token.content;
    shown[token.id] = {bytes, token.is_special};
  }
}

Tokenizer make_tokenizer(TokenizerParts parts, TokenizerRoles roles) {
  auto data = std::make_shared<const TokenizerData>(std::move(parts));
  check_roles(*data, roles);
  check_ids(*data, "a token that the post-processor adds", data->parts.prefix_ids);
  check_ids(*data, "a token that the post-processor adds", data->parts.suffix_ids);
  return {std::move(data), std::move(roles)};
}

Merge find_merge(const Vocab& vocab, std::string_view left, std::string_view right, size_t rank,
                 const std::string& where) {
  std::string both;
  size_t cut = 0;
  const bool is_mapped =
      append_unmapped(left, both) && (cut = both.size(), append_unmapped(right, both));  // then three look-ups will do
  if (!is_mapped) both = std::string(left).append(right);
  const auto find = [&](std::string_view mapped, std::string_view text) {
    const int32_t id = is_mapped ? vocab.find(mapped) : vocab.find_text(text);
    if (id >= 0) return id;
    throw Error(where,
                fmt::format("merge {} ('{}' with '{}') needs token '{}', which the vocabulary lacks", rank, left, right,
                            is_mapped ? mapped_text(mapped) : std::string(text)),
                "take vocabulary and merges from the same tokenizer");
  };
  const std::string_view view = both;
  return {find(view.substr(0, cut), left), find(view.substr(cut), right), find(view, view)};
}

Tokenizer::Tokenizer(std::shared_ptr<const TokenizerData> data, TokenizerRoles roles)
    : data_(std::move(data)), roles_(std::make_shared<const TokenizerRoles>(std::move(roles))) {}

Tokenizer Tokenizer::with_roles(TokenizerRoles roles) const {
  check_roles(*data_, roles);
  return {data_, std::move(roles)};
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, Specials specials) const {
  return encode(text, EncodeOptions{.specials = specials});
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::string valid;
  if (!is_valid_utf8(text)) text = valid = to_valid_utf8(text);
  const bool adds = options.specials == Specials::kAdd;
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  if (adds) ids = data_->parts.prefix_ids;
  for (const auto& segment : data_->raw_matcher.segments(text, options.added)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
    } else {
      encode_stretch(*data_, text.substr(segment.begin, segment.end - segment.begin), options.added, ids);
    }
  }
  if (adds) ids.insert(ids.end(), data_->parts.suffix_ids.begin(), data_->parts.suffix_ids.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, SkipSpecial skip) const {
  std::string bytes;
  for (const int32_t id : ids) {
    if (skip == SkipSpecial::kYes && is_special(id)) continue;
    bytes += token_text(id);
  }
  return is_valid_utf8(bytes) ? bytes : to_valid_utf8(bytes);
}

std::vector<std::string> Tokenizer::pre_tokenize(std::string_view text) const {
  auto valid = to_valid_utf8(text);
  if (data_->parts.normalizer == Normalizer::kNfc) valid = to_nfc(valid);
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const size_t end : piece_ends(data_->parts.steps, valid)) {
    pieces.push_back(valid.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(data_->shown.size()); }

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  for (const auto& added : data_->parts.added) {
    if (added.content == token) return added.id;
  }
  const int32_t id = data_->parts.vocab.find_text(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::string_view Tokenizer::token_text(int32_t id) const {
  return id >= 0 && id < vocab_size() ? data_->shown[id].bytes : std::string_view();
}

bool Tokenizer::is_special(int32_t id) const { return id >= 0 && id < vocab_size() && data_->shown[id].is_special; }

std::optional<int32_t> Tokenizer::bos_id() const { return roles().bos; }
std::optional<int32_t> Tokenizer::eos_id() const { return roles().eos; }
std::optional<int32_t> Tokenizer::pad_id() const { return roles().pad; }
const TokenizerRoles& Tokenizer::roles() const { return *roles_; }
const std::optional<std::string>& Tokenizer::chat_template() const { return roles().chat_template; }

std::string StreamDecoder::push(int32_t id) {
  if (skip_ == SkipSpecial::kYes && tokenizer_.is_special(id)) return {};
  pending_ += tokenizer_.token_text(id);
  size_t whole = 0;
  while (whole < pending_.size()) {
    const auto unit = utf8_unit_at(pending_, whole);
    if (unit.kind == Utf8Unit::Kind::kIncomplete) break;
    whole += unit.size;
  }
  auto text = to_valid_utf8(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
  return text;
}

std::string StreamDecoder::flush() {
  auto text = to_valid_utf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace r1::text
