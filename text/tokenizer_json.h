#pragma once
// Readers of the parts of a tokenizer.json, one function a section. Each throws Error "WHERE: ..." for what is
// malformed and for what is known but not implemented here.

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/json.h"
#include "text/tokenizer_data.h"

namespace r1::text {

// Throws Error if `object` has a key that is not in `known`.
void check_keys(const json::bj::object& object, std::initializer_list<std::string_view> known,
                const std::string& where);
[[noreturn]] void refuse_feature(const std::string& where, const std::string& feature, const std::string& supported);

void read_model(const json::bj::object& model, TokenizerParts& parts);
// Ids are assigned as the reference does: a content that the vocabulary has keeps that id, the others follow the
// vocabulary in order, whatever the file says.
void read_added_tokens(const json::bj::array& tokens, TokenizerParts& parts);
void read_normalizer(const json::bj::value& normalizer, TokenizerParts& parts);
void read_pre_tokenizer(const json::bj::value& pre_tokenizer, TokenizerParts& parts);
void read_post_processor(const json::bj::value& processor, TokenizerParts& parts);
void check_decoder(const json::bj::value& decoder, const TokenizerParts& parts);

}  // namespace r1::text
