#include "text/tokenizer_json.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"

namespace r1::text {
namespace {

namespace bj = json::bj;

// A longer added token is no token, and would slow down the search for them all.
constexpr size_t kMaxAddedToken = 4096;

std::string as_text(const bj::value& value) {
  auto text = json::dump(value);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

void read_vocab(const bj::object& vocab, TokenizerParts& parts) {
  parts.vocab = Vocab(vocab.size());
  const int64_t limit = max_plausible_id(vocab.size());
  for (const auto& [token, value] : vocab) {
    const int64_t id = value.is_int64() ? value.get_int64() : -1;
    if (id < 0 || id >= limit) {
      throw Error(parts.where,
                  fmt::format("model.vocab['{}'] is {}: an id below {} is expected", std::string_view(token),
                              as_text(value), limit),
                  "take the file from the model's own folder again");
    }
    if (!parts.vocab.add(token, static_cast<int32_t>(id))) {
      throw Error(parts.where,
                  fmt::format("model.vocab gives id {} to '{}' and to '{}'", id,
                              parts.vocab.text(static_cast<int32_t>(id)), std::string_view(token)),
                  "each token must have its own id");
    }
  }
}

// "a b" of older files, ["a", "b"] of newer ones.
std::pair<std::string_view, std::string_view> merge_pair(const bj::value& merge, size_t rank,
                                                         const std::string& where) {
  if (const auto* pair = merge.if_array();
      pair && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string()) {
    return {(*pair)[0].get_string(), (*pair)[1].get_string()};
  }
  if (const auto* line = merge.if_string()) {
    const std::string_view text = *line;
    const size_t space = text.find(' ');
    if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  throw Error(
      where,
      fmt::format("model.merges[{}] is {}: \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"] is expected", rank, as_text(merge)),
      "take the file from the model's own folder again");
}

void read_merges(const bj::array& merges, TokenizerParts& parts) {
  parts.merges.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    if (merges[rank].is_string() && merges[rank].get_string().starts_with("#version")) continue;
    const auto [left, right] = merge_pair(merges[rank], rank, parts.where);
    parts.merges.push_back(find_merge(parts.vocab, left, right, rank, parts.where));
  }
}

AddedToken read_added_token(const bj::value& value, size_t index, const std::string& file) {
  const auto where = fmt::format("{}: added_tokens[{}]", file, index);
  const auto* object = value.if_object();
  if (!object) throw Error(where, fmt::format("is {}: an object is expected", as_text(value)), "correct the file");
  check_keys(*object, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}, where);
  AddedToken token;
  token.content = json::get_string(*object, "content", where);
  token.is_special = json::get_bool(*object, "special", where);
  token.is_normalized = json::get_bool(*object, "normalized", where);
  token.is_single_word = json::get_bool(*object, "single_word", where);
  token.strips_left = json::get_bool(*object, "lstrip", where);
  token.strips_right = json::get_bool(*object, "rstrip", where);
  if (token.content.empty() || token.content.size() > kMaxAddedToken) {
    throw Error(where, fmt::format("content has {} bytes: 1 to {} are expected", token.content.size(), kMaxAddedToken),
                "correct the file");
  }
  return token;
}

}  // namespace

void check_keys(const bj::object& object, std::initializer_list<std::string_view> known, const std::string& where) {
  for (const auto& [key, value] : object) {
    if (value.is_null() || std::find(known.begin(), known.end(), std::string_view(key)) != known.end()) continue;
    throw Error(
        where,
        fmt::format("has '{}': {}, a setting that this program does not know", std::string_view(key), as_text(value)),
        "take the tokenizer of a Qwen2, Llama-3, SmolLM2, GPT-2 or DeepSeek-V3 model");
  }
}

void refuse_feature(const std::string& where, const std::string& feature, const std::string& supported) {
  throw Error(where, fmt::format("{} is not supported; supported: {}", feature, supported),
              "take the tokenizer of a Qwen2, Llama-3, SmolLM2, GPT-2 or DeepSeek-V3 model");
}

namespace {

// Byte fallback spells a character by tokens such as <0x41>; without any it does nothing.
bool has_fallback_tokens(const Vocab& vocab) {
  for (int byte = 0; byte < 256; ++byte) {
    if (vocab.find_text(fmt::format("<0x{:02X}>", byte)) >= 0) return true;
  }
  return false;
}

void read_unknown(const bj::object& model, const std::string& where, TokenizerParts& parts) {
  if (json::find_bool(model, "byte_fallback", where).value_or(false) && has_fallback_tokens(parts.vocab)) {
    refuse_feature(where, "byte_fallback with tokens such as <0x41>", "byte_fallback without them, which does nothing");
  }
  parts.unknown.is_fused = json::find_bool(model, "fuse_unk", where).value_or(false);
  const auto unk = json::find_string(model, "unk_token", where);
  if (!unk) return;
  parts.unknown.id = parts.vocab.find_text(*unk);
  if (parts.unknown.id < 0)
    throw Error(where, fmt::format("unk_token '{}' is not in the vocabulary", *unk), "correct it");
}

}  // namespace

void read_model(const bj::object& model, TokenizerParts& parts) {
  const auto where = parts.where + ": model";
  const auto type = json::find_string(model, "type", where).value_or("BPE");
  if (type != "BPE") refuse_feature(where, fmt::format("type '{}'", type), "BPE");
  check_keys(model,
             {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"},
             where);
  if (json::find_double(model, "dropout", where).value_or(0) != 0) refuse_feature(where, "dropout", "none");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto affix = json::find_string(model, key, where).value_or("");
    if (!affix.empty()) refuse_feature(where, fmt::format("{} '{}'", key, affix), "none");
  }
  const bool takes_whole = json::find_bool(model, "ignore_merges", where).value_or(false);
  parts.whole_piece = takes_whole ? WholePiece::kTakeIfToken : WholePiece::kMerge;
  read_vocab(json::get_object(model, "vocab", where), parts);
  read_unknown(model, where, parts);
  read_merges(json::get_array(model, "merges", where), parts);
}

void read_added_tokens(const bj::array& tokens, TokenizerParts& parts) {
  const auto num_tokens = static_cast<int32_t>(parts.vocab.size());
  int32_t max_added = -1;
  int num_moved = 0;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < tokens.size(); ++i) {
    auto token = read_added_token(tokens[i], i, parts.where);
    const int64_t written_id = json::get_int(tokens[i].get_object(), "id", parts.where);
    const int32_t known = parts.vocab.find_text(token.content);
    token.id = known >= 0 ? known : std::max(max_added + 1, num_tokens);
    max_added = std::max(max_added, token.id);
    if (!seen.insert(token.content).second) {
      throw Error(parts.where, fmt::format("added_tokens lists '{}' twice", token.content), "remove one of the two");
    }
    if (token.id != written_id) ++num_moved;
    parts.added.push_back(std::move(token));
  }
  if (num_moved > 0) {
    log::warn(
        "{}: {} added tokens get other ids than the file writes, as in the reference tokenizers: the ids that "
        "follow the vocabulary",
        parts.where, num_moved);
  }
}

void read_normalizer(const bj::value& normalizer, TokenizerParts& parts) {
  if (normalizer.is_null()) return;
  const auto where = parts.where + ": normalizer";
  const auto* object = normalizer.if_object();
  if (!object)
    throw Error(where, fmt::format("is {}: an object or null is expected", as_text(normalizer)), "correct it");
  const auto type = json::get_string(*object, "type", where);
  if (type == "NFC") {
    check_keys(*object, {"type"}, where);
    parts.normalizer = Normalizer::kNfc;
  } else if (type == "Sequence") {
    check_keys(*object, {"type", "normalizers"}, where);
    for (const auto& part : json::get_array(*object, "normalizers", where)) {
      if (part.is_object() && json::find_string(part.get_object(), "type", where) == "Sequence") {
        refuse_feature(where, "a Sequence within a Sequence", "one level");
      }
      read_normalizer(part, parts);
    }
  } else {
    refuse_feature(where, fmt::format("type '{}'", type), "NFC, Sequence, null");
  }
}

namespace {

// What stands before a final ByteLevel does nothing to the texts of byte-level tokens: there are no <0x41> among them
// (see read_unknown), and the character that Replace looks for is not in their alphabet.
void check_part_of_sequence(const bj::value& part, bool is_last, const std::string& where) {
  const auto* object = part.if_object();
  const auto type = object ? json::find_string(*object, "type", where).value_or("") : "";
  if (is_last ? type == "ByteLevel" : type == "ByteFallback" || type == "Fuse") return;
  if (type == "Replace" && !is_last) {
    const auto& pattern = json::get_object(*object, "pattern", where);
    if (json::find_string(pattern, "String", where) == "\xE2\x96\x81") return;
  }
  refuse_feature(where, fmt::format("'{}' {} a Sequence of decoders", type, is_last ? "at the end of" : "in"),
                 "ByteLevel, after nothing or ByteFallback, Fuse and Replace of U+2581");
}

}  // namespace

void check_decoder(const bj::value& decoder, const TokenizerParts& parts) {
  const auto where = parts.where + ": decoder";
  const auto* object = decoder.if_object();
  if (!object) refuse_feature(where, "no decoder (tokens joined by spaces)", "ByteLevel");
  const auto type = json::get_string(*object, "type", where);
  if (type == "Sequence") {
    const auto& decoders = json::get_array(*object, "decoders", where);
    if (decoders.empty()) refuse_feature(where, "an empty Sequence of decoders", "one that ends with ByteLevel");
    for (const auto& part : decoders) check_part_of_sequence(part, &part == &decoders.back(), where);
    return;
  }
  if (type != "ByteLevel") refuse_feature(where, fmt::format("type '{}'", type), "ByteLevel");
}

}  // namespace r1::text
