// Where tokenizers come from: a tokenizer.json, a model folder, a GGUF file.

#include <algorithm>

#include "core/config.h"
#include "core/error.h"
#include "core/files.h"
#include "text/tokenizer_json.h"

namespace r1::text {
namespace {

namespace bj = json::bj;
namespace fs = std::filesystem;

TokenizerParts parts_of_json(const bj::value& document, const std::string& where) {
  const auto* root = document.if_object();
  if (!root) throw Error(where, "is not an object", "give a tokenizer.json of HF tokenizers");
  check_keys(*root,
             {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
              "decoder", "model"},
             where);
  const auto version = json::find_string(*root, "version", where).value_or("1.0");
  if (version != "1.0") refuse_feature(where, fmt::format("version '{}'", version), "1.0");
  const auto value_of = [&](const char* key) {
    const auto* value = root->if_contains(key);
    return value ? *value : bj::value();
  };
  for (const char* key : {"truncation", "padding"}) {
    if (!value_of(key).is_null()) refuse_feature(where, fmt::format("'{}'", key), "null");
  }
  TokenizerParts parts;
  parts.where = where;
  read_model(json::get_object(*root, "model", where), parts);
  const auto added = value_of("added_tokens");
  if (!added.is_null()) read_added_tokens(json::get_array(*root, "added_tokens", where), parts);
  read_normalizer(value_of("normalizer"), parts);
  read_pre_tokenizer(value_of("pre_tokenizer"), parts);
  read_post_processor(value_of("post_processor"), parts);
  check_decoder(value_of("decoder"), parts);
  return parts;
}

// A token named in tokenizer_config.json: its text, or {"content": text, ...}.
std::optional<int32_t> role_of(const bj::object& config, const char* key, const Tokenizer& tokenizer,
                               const std::string& where) {
  const auto* value = config.if_contains(key);
  if (!value || value->is_null()) return std::nullopt;
  const auto content = value->is_object() ? json::get_string(value->get_object(), "content", where)
                                          : json::get_string(config, key, where);
  if (const auto id = tokenizer.id_of(content)) return id;
  throw Error(where, fmt::format("{} '{}' is not in the vocabulary", key, content),
              "take tokenizer.json and this file from the same model");
}

// A template, or a list of {"name", "template"} of which "default" is meant.
std::optional<std::string> chat_template_of(const bj::object& config, const std::string& where) {
  const auto* value = config.if_contains("chat_template");
  if (!value || value->is_null()) return std::nullopt;
  if (!value->is_array()) return json::get_string(config, "chat_template", where);
  for (const auto& entry : value->get_array()) {
    const auto* object = entry.if_object();
    if (object && json::get_string(*object, "name", where) == "default") {
      return json::get_string(*object, "template", where);
    }
  }
  throw Error(where, "chat_template is a list without an entry named 'default'", "name one of its entries 'default'");
}

// Roles in `path`, where `roles` has none yet.
void read_roles(const fs::path& path, const Tokenizer& tokenizer, TokenizerRoles& roles) {
  if (!fs::exists(path)) return;
  const auto where = path.string();
  const auto document = json::parse_file(path);
  const auto* config = document.if_object();
  if (!config) throw Error(where, "is not an object", "take the file from the model's own folder again");
  if (!roles.bos) roles.bos = role_of(*config, "bos_token", tokenizer, where);
  if (!roles.eos) roles.eos = role_of(*config, "eos_token", tokenizer, where);
  if (!roles.pad) roles.pad = role_of(*config, "pad_token", tokenizer, where);
  if (!roles.add_bos_token) roles.add_bos_token = json::find_bool(*config, "add_bos_token", where);
  if (!roles.chat_template) roles.chat_template = chat_template_of(*config, where);
}

Tokenizer from_json_file(const fs::path& path) {
  return make_tokenizer(parts_of_json(json::parse_file(path), path.string()), {});
}

Tokenizer from_folder(const fs::path& folder) {
  if (fs::exists(folder / "tokenizer.json")) {
    const auto tokenizer = from_json_file(folder / "tokenizer.json");
    TokenizerRoles roles;
    if (const auto path = folder / "chat_template.jinja"; fs::exists(path)) roles.chat_template = read_file(path);
    read_roles(folder / "tokenizer_config.json", tokenizer, roles);
    read_roles(folder / "special_tokens_map.json", tokenizer, roles);
    return tokenizer.with_roles(std::move(roles));
  }
  std::vector<fs::path> gguf_files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".gguf") gguf_files.push_back(entry.path());
  }
  if (gguf_files.size() == 1) return Tokenizer::from_gguf(formats::GgufFile(gguf_files[0]));
  throw Error(folder.string(), fmt::format("holds no tokenizer.json and {} .gguf files", gguf_files.size()),
              "give a folder with a tokenizer.json, or name one .gguf file");
}

// The pre-tokenizers that tokenizer.ggml.pre names.
struct GgufPre {
  std::string_view name;
  std::vector<SplitKind> steps;
  Normalizer normalizer = Normalizer::kNone;
  WholePiece whole_piece = WholePiece::kMerge;
  bool adds_bos = false;  // unless tokenizer.ggml.add_bos_token says otherwise
};

const GgufPre& gguf_pre(const std::string& name, const std::string& where) {
  using Kind = SplitKind;
  // No normalizer is stored: the reference applies form C for Qwen.
  static const std::vector<GgufPre> known = {
      {"gpt-2", {Kind::kGpt2}},
      {"smollm", {Kind::kDigits, Kind::kGpt2}},
      {"qwen2", {Kind::kQwen2}, Normalizer::kNfc},
      {"deepseek-r1-qwen", {Kind::kQwen2}, Normalizer::kNfc},
      {"llama-bpe", {Kind::kLlama3}, Normalizer::kNone, WholePiece::kTakeIfToken, true},
      {"llama3", {Kind::kLlama3}, Normalizer::kNone, WholePiece::kTakeIfToken, true},
      {"llama-v3", {Kind::kLlama3}, Normalizer::kNone, WholePiece::kTakeIfToken, true},
      {"deepseek-v3", {Kind::kDeepSeekNumbers, Kind::kDeepSeekCjk, Kind::kDeepSeekText}},
  };
  std::string names;
  for (const auto& pre : known) {
    if (pre.name == name) return pre;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", pre.name);
  }
  refuse_feature(where, fmt::format("tokenizer.ggml.pre '{}'", name), names);
}

enum GgufTokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

void read_gguf_tokens(const formats::GgufFile& file, TokenizerParts& parts) {
  const auto* tokens = file.find_strings("tokenizer.ggml.tokens");
  const auto* types = file.find_ints("tokenizer.ggml.token_type");
  if (!tokens || (types && types->size() != tokens->size())) {
    throw Error(
        parts.where,
        tokens ? fmt::format("tokenizer.ggml.token_type has {} entries for {} tokens", types->size(), tokens->size())
               : std::string("metadata has no array of strings 'tokenizer.ggml.tokens'"),
        "convert the model again");
  }
  parts.vocab = Vocab(tokens->size());
  for (size_t id = 0; id < tokens->size(); ++id) {
    const int64_t type = types ? (*types)[id] : int64_t{kNormal};
    const auto& token = (*tokens)[id];
    if (type == kUnused) continue;  // padding rows of the embedding
    if (type == kByte) refuse_feature(parts.where, fmt::format("byte token '{}'", token), "byte-level BPE");
    if (parts.vocab.find_text(token) >= 0) {
      throw Error(parts.where, fmt::format("tokenizer.ggml.tokens has '{}' twice, the second time as id {}", token, id),
                  "convert the model again");
    }
    parts.vocab.add(token, static_cast<int32_t>(id));
    const bool is_added = type == kControl || type == kUserDefined;
    if (is_added && !token.empty()) {
      parts.added.push_back({.id = static_cast<int32_t>(id), .content = token, .is_special = type == kControl});
    }
  }
}

void read_gguf_merges(const formats::GgufFile& file, TokenizerParts& parts) {
  const auto* merges = file.find_strings("tokenizer.ggml.merges");
  if (!merges) {
    throw Error(parts.where, "metadata has no array of strings 'tokenizer.ggml.merges'", "convert the model again");
  }
  parts.merges.reserve(merges->size());
  for (size_t rank = 0; rank < merges->size(); ++rank) {
    const std::string_view merge = (*merges)[rank];
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos) {
      throw Error(parts.where,
                  fmt::format("tokenizer.ggml.merges[{}] is '{}': \"LEFT RIGHT\" is expected", rank, merge),
                  "convert the model again");
    }
    parts.merges.push_back(find_merge(parts.vocab, merge.substr(0, space), merge.substr(space + 1), rank, parts.where));
  }
}

std::optional<int32_t> gguf_role(const formats::GgufFile& file, std::string_view key) {
  const auto id = file.find_int(key);
  if (!id || *id < 0 || *id > INT32_MAX) return std::nullopt;  // writers store -1 or 0xffffffff for "none"
  return static_cast<int32_t>(*id);
}

}  // namespace

Tokenizer Tokenizer::from_json(std::string_view text, const std::string& where) {
  return make_tokenizer(parts_of_json(json::parse(text, where), where), {});
}

Tokenizer Tokenizer::from_gguf(const formats::GgufFile& file) {
  TokenizerParts parts;
  parts.where = file.path().string();
  const auto model = file.get_string("tokenizer.ggml.model");
  if (model != "gpt2") refuse_feature(parts.where, fmt::format("tokenizer.ggml.model '{}'", model), "gpt2");
  if (file.find_bool("tokenizer.ggml.add_space_prefix").value_or(false)) {
    refuse_feature(parts.where, "tokenizer.ggml.add_space_prefix", "false");
  }
  const auto& pre = gguf_pre(file.get_string("tokenizer.ggml.pre"), parts.where);
  for (const auto kind : pre.steps) parts.steps.push_back(step_of_kind(kind));
  parts.normalizer = pre.normalizer;
  parts.whole_piece = pre.whole_piece;
  read_gguf_tokens(file, parts);
  read_gguf_merges(file, parts);

  TokenizerRoles roles;
  roles.bos = gguf_role(file, "tokenizer.ggml.bos_token_id");
  roles.eos = gguf_role(file, "tokenizer.ggml.eos_token_id");
  roles.pad = gguf_role(file, "tokenizer.ggml.padding_token_id");
  roles.add_bos_token = file.find_bool("tokenizer.ggml.add_bos_token").value_or(pre.adds_bos);
  roles.chat_template = file.find_string("tokenizer.chat_template");
  if (*roles.add_bos_token && roles.bos) parts.prefix_ids = {*roles.bos};
  if (file.find_bool("tokenizer.ggml.add_eos_token").value_or(false) && roles.eos) parts.suffix_ids = {*roles.eos};
  return make_tokenizer(std::move(parts), std::move(roles));
}

Tokenizer Tokenizer::from_file(const std::filesystem::path& path) {
  if (fs::is_directory(path)) return from_folder(path);
  if (path.extension() == ".gguf") return from_gguf(formats::GgufFile(path));
  return from_json_file(path);
}

}  // namespace r1::text
