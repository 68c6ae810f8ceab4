#pragma once
// Byte-level BPE tokenizers as published models ship them: tokenizer.json and GGUF metadata, with the same ids as the
// reference implementation (HF tokenizers). What a file asks for and is not implemented here is refused by name.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"
#include "text/added_tokens.h"

namespace r1::text {

// Whether encode() adds the ids that the file's post-processor puts around a text (Llama-3: <|begin_of_text|> before
// it).
enum class Specials { kNone, kAdd };
// Whether decode() leaves special tokens out.
enum class SkipSpecial { kNo, kYes };

struct EncodeOptions {
  Specials specials = Specials::kNone;
  AddedTokens added = AddedTokens::kAll;  // kNone for text of unknown origin
};

// Tokens with a role, which tokenizer_config.json and GGUF name beside the vocabulary.
struct TokenizerRoles {
  std::optional<int32_t> bos, eos, pad;
  std::optional<bool> add_bos_token;         // as the file says; encode() itself follows the post-processor only
  std::optional<std::string> chat_template;  // Jinja: text/chat.h renders it
};

struct TokenizerData;

// A value that is cheap to copy; all copies share one immutable vocabulary. Thread-safe.
class Tokenizer {
 public:
  // A tokenizer.json, a .gguf file, or a model folder: its tokenizer.json with tokenizer_config.json and
  // chat_template.jinja beside it, or else the one .gguf file in it.
  static Tokenizer from_file(const std::filesystem::path& path);
  static Tokenizer from_gguf(const formats::GgufFile& file);
  // The content of a tokenizer.json; `where` opens errors.
  static Tokenizer from_json(std::string_view text, const std::string& where);

  // Ids of `text`. Invalid UTF-8 counts as U+FFFD, one for each maximal invalid prefix.
  std::vector<int32_t> encode(std::string_view text, Specials specials = Specials::kNone) const;
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options) const;

  // Text of `ids`; what is not UTF-8 becomes U+FFFD, ids outside the vocabulary become nothing.
  std::string decode(std::span<const int32_t> ids, SkipSpecial skip = SkipSpecial::kNo) const;

  // The normalized text's pieces, within which BPE merges; added tokens are not cut out.
  std::vector<std::string> pre_tokenize(std::string_view text) const;

  int32_t vocab_size() const;                                  // 1 + the largest id
  std::optional<int32_t> id_of(std::string_view token) const;  // by its text in the file: "<|im_end|>", "\u0120the"
  std::string_view token_text(int32_t id) const;               // raw bytes, not always whole characters; "" if unused
  bool is_special(int32_t id) const;

  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  const TokenizerRoles& roles() const;
  const std::optional<std::string>& chat_template() const;
  // The same vocabulary with other roles; throws Error for ids outside it.
  Tokenizer with_roles(TokenizerRoles roles) const;

  // Writes a tokenizer.json that HF tokenizers loads to the same behaviour. A path that does not end in .json is taken
  // as a folder, which gets tokenizer_config.json (roles, chat template) too.
  void save(const std::filesystem::path& path) const;
  std::string to_json() const;

  // From parts that make_tokenizer() (text/tokenizer_data.h) has checked.
  Tokenizer(std::shared_ptr<const TokenizerData> data, TokenizerRoles roles);
  const TokenizerData& data() const { return *data_; }

 private:
  std::shared_ptr<const TokenizerData> data_;
  std::shared_ptr<const TokenizerRoles> roles_;
};

// Text of ids that come one at a time: gives out whole characters only and keeps the rest until it is whole or known to
// be invalid. All pieces together equal decode() of all ids. The tokenizer is kept by value.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, SkipSpecial skip = SkipSpecial::kNo)
      : tokenizer_(std::move(tokenizer)), skip_(skip) {}
  std::string push(int32_t id);
  // What is left at the end: U+FFFD for an unfinished character, or nothing.
  std::string flush();

 private:
  Tokenizer tokenizer_;
  SkipSpecial skip_;
  std::string pending_;  // an unfinished character
};

}  // namespace r1::text
