// A tokenizer as tokenizer.json and tokenizer_config.json, in the form that HF tokenizers 0.20 and later write.

#include "core/files.h"
#include "core/json.h"
#include "text/tokenizer_data.h"

namespace r1::text {
namespace {

namespace bj = json::bj;

bj::object byte_level(bool uses_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", uses_regex}};
}

bj::value step_json(const SplitStep& step) {
  if (step.kind == SplitKind::kDigits || step.kind == SplitKind::kDigitRuns) {
    return bj::object{{"type", "Digits"}, {"individual_digits", step.kind == SplitKind::kDigits}};
  }
  return bj::object{
      {"type", "Split"}, {"pattern", bj::object{{"Regex", step.pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

// The GPT-2 regex has no Split of its own: it is ByteLevel's, so it can only be the last step.
bj::value pre_tokenizer_json(const std::vector<SplitStep>& steps) {
  const bool ends_in_gpt2 = !steps.empty() && steps.back().kind == SplitKind::kGpt2;
  bj::array parts;
  for (size_t i = 0; i + (ends_in_gpt2 ? 1 : 0) < steps.size(); ++i) parts.push_back(step_json(steps[i]));
  parts.push_back(byte_level(ends_in_gpt2));
  if (parts.size() == 1) return parts[0];
  return bj::object{{"type", "Sequence"}, {"pretokenizers", std::move(parts)}};
}

bj::array added_tokens_json(const std::vector<AddedToken>& tokens) {
  bj::array array;
  for (const auto& token : tokens) {
    array.push_back(bj::object{{"id", token.id},
                               {"content", token.content},
                               {"single_word", token.is_single_word},
                               {"lstrip", token.strips_left},
                               {"rstrip", token.strips_right},
                               {"normalized", token.is_normalized},
                               {"special", token.is_special}});
  }
  return array;
}

bj::object model_json(const TokenizerParts& parts) {
  bj::object vocab;
  for (int32_t id = 0; id <= parts.vocab.max_id(); ++id) {
    if (parts.vocab.has(id)) vocab[parts.vocab.text(id)] = id;
  }
  bj::array merges;
  for (const auto& merge : parts.merges) {
    merges.push_back(bj::array{bj::value(parts.vocab.text(merge.left)), bj::value(parts.vocab.text(merge.right))});
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", parts.unknown.id < 0 ? bj::value() : bj::value(parts.vocab.text(parts.unknown.id))},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", parts.unknown.is_fused},
          {"byte_fallback", false},
          {"ignore_merges", parts.whole_piece == WholePiece::kTakeIfToken},
          {"vocab", std::move(vocab)},
          {"merges", std::move(merges)}};
}

bj::value post_processor_json(const Tokenizer& tokenizer) {
  const auto& parts = tokenizer.data().parts;
  if (parts.prefix_ids.empty() && parts.suffix_ids.empty()) return byte_level(/*uses_regex=*/true);
  bj::array single;
  bj::object tokens;
  const auto add = [&](const std::vector<int32_t>& ids) {
    for (const int32_t id : ids) {
      const std::string text(tokenizer.token_text(id));
      single.push_back(bj::object{{"SpecialToken", bj::object{{"id", text}, {"type_id", 0}}}});
      tokens[text] = bj::object{{"id", text}, {"ids", bj::array{id}}, {"tokens", bj::array{bj::value(text)}}};
    }
  };
  add(parts.prefix_ids);
  single.push_back(bj::object{{"Sequence", bj::object{{"id", "A"}, {"type_id", 0}}}});
  add(parts.suffix_ids);
  bj::array pair = single;
  pair.push_back(bj::object{{"Sequence", bj::object{{"id", "B"}, {"type_id", 1}}}});
  return bj::object{{"type", "TemplateProcessing"},
                    {"single", std::move(single)},
                    {"pair", std::move(pair)},
                    {"special_tokens", std::move(tokens)}};
}

bj::object config_json(const Tokenizer& tokenizer) {
  const auto& roles = tokenizer.roles();
  const auto token = [&](const std::optional<int32_t>& id) {
    return id ? bj::value(std::string(tokenizer.token_text(*id))) : bj::value();
  };
  bj::object config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                    {"clean_up_tokenization_spaces", false},
                    {"bos_token", token(roles.bos)},
                    {"eos_token", token(roles.eos)},
                    {"pad_token", token(roles.pad)}};
  if (roles.add_bos_token) config["add_bos_token"] = *roles.add_bos_token;
  if (roles.chat_template) config["chat_template"] = *roles.chat_template;
  return config;
}

}  // namespace

std::string Tokenizer::to_json() const {
  const auto& parts = data_->parts;
  const bool is_nfc = parts.normalizer == Normalizer::kNfc;
  return json::dump_pretty(bj::object{{"version", "1.0"},
                                      {"truncation", nullptr},
                                      {"padding", nullptr},
                                      {"added_tokens", added_tokens_json(parts.added)},
                                      {"normalizer", is_nfc ? bj::value(bj::object{{"type", "NFC"}}) : bj::value()},
                                      {"pre_tokenizer", pre_tokenizer_json(parts.steps)},
                                      {"post_processor", post_processor_json(*this)},
                                      {"decoder", byte_level(/*uses_regex=*/true)},
                                      {"model", model_json(parts)}});
}

void Tokenizer::save(const std::filesystem::path& path) const {
  if (path.extension() == ".json") return write_file_atomic(path, to_json());
  std::filesystem::create_directories(path);
  write_file_atomic(path / "tokenizer.json", to_json());
  write_file_atomic(path / "tokenizer_config.json", json::dump_pretty(config_json(*this)));
}

}  // namespace r1::text
