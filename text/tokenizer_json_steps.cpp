// The sections of a tokenizer.json that cut text and that put ids around it.

#include "core/error.h"
#include "text/tokenizer_json.h"

namespace r1::text {
namespace {

namespace bj = json::bj;

const bj::object& object_of(const bj::value& value, const std::string& where) {
  if (const auto* object = value.if_object()) return *object;
  throw Error(where, fmt::format("is {}: an object is expected", json::dump(value).substr(0, 80)), "correct the file");
}

SplitStep read_split(const bj::object& split, const std::string& where) {
  check_keys(split, {"type", "pattern", "behavior", "invert"}, where);
  const auto behavior = json::get_string(split, "behavior", where);
  if (behavior != "Isolated") refuse_feature(where, fmt::format("Split behavior '{}'", behavior), "Isolated");
  if (json::get_bool(split, "invert", where)) refuse_feature(where, "Split with invert", "invert false");
  const auto& pattern = json::get_object(split, "pattern", where);
  if (!pattern.contains("Regex")) refuse_feature(where, "a Split pattern that is a String", "Regex");
  check_keys(pattern, {"Regex"}, where);
  return step_of_regex(json::get_string(pattern, "Regex", where), where);
}

// Whether a ByteLevel was read, after which nothing may follow.
enum class Reached { kStep, kByteLevel };

Reached read_step(const bj::value& value, const std::string& where, TokenizerParts& parts) {
  const auto& step = object_of(value, where);
  const auto type = json::get_string(step, "type", where);
  if (type == "Split") {
    parts.steps.push_back(read_split(step, where));
  } else if (type == "Digits") {
    check_keys(step, {"type", "individual_digits"}, where);
    const bool is_single = json::get_bool(step, "individual_digits", where);
    parts.steps.push_back(step_of_kind(is_single ? SplitKind::kDigits : SplitKind::kDigitRuns));
  } else if (type == "ByteLevel") {
    check_keys(step, {"type", "add_prefix_space", "trim_offsets", "use_regex"}, where);
    if (json::get_bool(step, "add_prefix_space", where)) refuse_feature(where, "add_prefix_space", "false");
    if (json::find_bool(step, "use_regex", where).value_or(true)) parts.steps.push_back(step_of_kind(SplitKind::kGpt2));
    return Reached::kByteLevel;
  } else {
    refuse_feature(where, fmt::format("type '{}'", type), "Sequence, Split, Digits, ByteLevel");
  }
  return Reached::kStep;
}

// The ids that one part of a template adds.
std::vector<int32_t> template_ids(const bj::object& processor, const std::string& id, const std::string& where) {
  const auto& tokens = json::get_object(processor, "special_tokens", where);
  const auto& token = json::get_object(tokens, id, where);
  std::vector<int32_t> ids;
  for (const auto& value : json::get_array(token, "ids", where)) {
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > INT32_MAX) {
      throw Error(where, fmt::format("special_tokens['{}'].ids holds {}", id, json::dump(value)), "correct the file");
    }
    ids.push_back(static_cast<int32_t>(value.get_int64()));
  }
  return ids;
}

void read_template(const bj::object& processor, const std::string& where, TokenizerParts& parts) {
  check_keys(processor, {"type", "single", "pair", "special_tokens"}, where);
  if (!parts.prefix_ids.empty() || !parts.suffix_ids.empty()) {
    refuse_feature(where, "a second TemplateProcessing", "one");
  }
  int num_sequences = 0;
  for (const auto& value : json::get_array(processor, "single", where)) {
    const auto& part = object_of(value, where);
    if (part.contains("Sequence")) {
      const auto id = json::get_string(json::get_object(part, "Sequence", where), "id", where);
      if (id != "A") refuse_feature(where, fmt::format("sequence '${}' in a single template", id), "$A");
      ++num_sequences;
    } else {
      const auto id = json::get_string(json::get_object(part, "SpecialToken", where), "id", where);
      auto& ids = num_sequences == 0 ? parts.prefix_ids : parts.suffix_ids;
      const auto added = template_ids(processor, id, where);
      ids.insert(ids.end(), added.begin(), added.end());
    }
  }
  if (num_sequences != 1) refuse_feature(where, fmt::format("a template with {} times $A", num_sequences), "once");
}

}  // namespace

void read_pre_tokenizer(const bj::value& pre_tokenizer, TokenizerParts& parts) {
  const auto where = parts.where + ": pre_tokenizer";
  auto reached = Reached::kStep;
  if (pre_tokenizer.is_object() && json::get_string(pre_tokenizer.get_object(), "type", where) == "Sequence") {
    const auto& sequence = pre_tokenizer.get_object();
    check_keys(sequence, {"type", "pretokenizers"}, where);
    for (const auto& step : json::get_array(sequence, "pretokenizers", where)) {
      if (reached == Reached::kByteLevel) refuse_feature(where, "a step after ByteLevel", "ByteLevel as the last step");
      reached = read_step(step, where, parts);
    }
  } else if (!pre_tokenizer.is_null()) {
    reached = read_step(pre_tokenizer, where, parts);
  }
  if (reached != Reached::kByteLevel)
    refuse_feature(where, "BPE that is not byte-level", "a ByteLevel step at the end");
}

void read_post_processor(const bj::value& processor, TokenizerParts& parts) {
  if (processor.is_null()) return;
  const auto where = parts.where + ": post_processor";
  const auto read_one = [&](const bj::value& value) {
    const auto& object = object_of(value, where);
    const auto type = json::get_string(object, "type", where);
    if (type == "TemplateProcessing") return read_template(object, where, parts);
    // ByteLevel here moves offsets and no ids.
    if (type != "ByteLevel") {
      refuse_feature(where, fmt::format("type '{}'", type), "Sequence, ByteLevel, TemplateProcessing, null");
    }
  };
  const auto& object = object_of(processor, where);
  if (json::get_string(object, "type", where) != "Sequence") return read_one(processor);
  check_keys(object, {"type", "processors"}, where);
  for (const auto& value : json::get_array(object, "processors", where)) read_one(value);
}

}  // namespace r1::text
