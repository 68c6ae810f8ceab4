#include "rollout/trace_json.h"

#include <utf8proc.h>

#include <cmath>

namespace r1::rollout {
namespace {

namespace bj = boost::json;

bj::value number(double value) { return std::isfinite(value) ? bj::value(value) : bj::value(nullptr); }
bj::value number(std::optional<double> value) { return value ? number(*value) : bj::value(nullptr); }
bj::value string(std::string_view text) { return bj::value(bj::string(valid_utf8(text))); }
bj::value text_of(std::string_view enumerator) { return bj::value(bj::string(enumerator)); }
bj::value claim(std::optional<bool> value) { return value ? bj::value(*value) : bj::value(nullptr); }

template <typename T>
bj::array numbers(const std::vector<T>& values) {
  bj::array array;
  array.reserve(values.size());
  for (const auto v : values) {
    if constexpr (std::is_floating_point_v<T>) {
      array.push_back(number(static_cast<double>(v)));
    } else {
      array.push_back(static_cast<int64_t>(v));
    }
  }
  return array;
}

bj::object pairs(const std::map<std::string, double>& values) {
  bj::object object;
  for (const auto& [name, value] : values) object[valid_utf8(name)] = number(value);
  return object;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t code = -1;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + i);
    const auto size = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - i), &code);
    if (size < 1) {
      result += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    result.append(text, i, static_cast<size_t>(size));
    i += static_cast<size_t>(size);
  }
  return result;
}

bj::object to_json(const SampleSums& s) {
  return {{"num_samples", s.num_samples},
          {"num_scored", s.num_scored},
          {"num_right", s.num_right},
          {"num_undecided", s.num_undecided},
          {"num_truncated", s.num_truncated},
          {"num_turns", s.num_turns},
          {"num_aha", s.num_aha},
          {"accuracy", number(s.accuracy())},
          {"mean_tokens", number(s.mean_tokens())},
          {"mean_value", number(s.mean_value())}};
}

bj::object to_json(const StageRow& s) {
  return {{"name", string(s.name)},       {"first_step", s.first_step}, {"last_step", s.last_step},
          {"seconds", number(s.seconds)}, {"train", to_json(s.train)},  {"eval", to_json(s.eval)}};
}

bj::object to_json(const EventRow& e) {
  bj::object o{{"offset", e.offset}, {"word", string(e.word)}, {"kind", e.is_turn ? "turn" : "word"}};
  if (!e.is_turn) return o;
  o["from_answer"] = string(e.from_answer);
  o["to_answer"] = string(e.to_answer);
  o["from_right"] = claim(e.from_right);
  o["to_right"] = claim(e.to_right);
  return o;
}

bj::object to_json(const RunRow& r) {
  return {{"run_id", string(r.run_id)},           {"version", string(r.version)},
          {"started_at", string(r.started_at)},   {"num_sessions", r.num_sessions},
          {"config_toml", string(r.config_toml)}, {"stages", to_json_array(r.stages)}};
}

bj::object to_json(const StepRow& s) {
  return {{"step", s.step},
          {"finished_at", string(s.finished_at)},
          {"seconds", number(s.seconds)},
          {"train", to_json(s.train)},
          {"eval", to_json(s.eval)},
          {"metrics", pairs(s.metrics)}};
}

bj::object to_json(const WordStep& s) {
  return {{"step", s.step},
          {"num_samples", s.num_samples},
          {"mean_turns", number(s.mean_turns)},
          {"mean_aha", number(s.mean_aha)},
          {"mean_per_sample", pairs(s.mean_per_sample)}};
}

bj::object to_json(const Evaluation& e) {
  return {{"stage", string(e.stage)}, {"step", e.step},       {"name", string(e.name)}, {"k", e.k},
          {"value", number(e.value)}, {"low", number(e.low)}, {"high", number(e.high)}, {"num_prompts", e.num_prompts}};
}

bj::object to_json(const AlarmRow& a) {
  return {{"step", a.step},
          {"kind", string(a.alarm.kind)},
          {"subject", string(a.alarm.subject)},
          {"value", number(a.alarm.value)},
          {"limit", number(a.alarm.limit)},
          {"message", string(a.alarm.message)}};
}

bj::object to_json(const GroupRow& g) {
  return {{"group_id", g.group_id},
          {"stage", string(g.stage)},
          {"step", g.step},
          {"split", text_of(to_string(g.split))},
          {"prompt_id", string(g.prompt_id)},
          {"task", string(g.task)},
          {"prompt_text", string(g.prompt_text)},
          {"sums", to_json(g.sums)}};
}

bj::object to_json(const SampleRow& s) {
  return {{"sample_id", s.sample_id},
          {"group_id", s.group_id},
          {"stage", string(s.stage)},
          {"step", s.step},
          {"split", text_of(to_string(s.split))},
          {"prompt_id", string(s.prompt_id)},
          {"task", string(s.task)},
          {"index", s.index},
          {"num_tokens", s.num_tokens},
          {"finish", text_of(to_string(s.finish))},
          {"verdict", s.verdict ? text_of(to_string(*s.verdict)) : bj::value(nullptr)},
          {"value", number(s.value)},
          {"advantage", number(s.advantage)},
          {"weights_version", s.weights_version},
          {"num_turns", s.num_turns}};
}

bj::object to_json(const SampleDetail& d) {
  auto o = to_json(d.row);
  o["text"] = string(d.sample.text);
  o["token_ids"] = numbers(d.sample.token_ids);
  o["logprobs"] = numbers(d.sample.logprobs);
  o["sampling_logprobs"] = numbers(d.sample.sampling_logprobs);
  o["weights_versions"] = numbers(d.sample.weights_versions);
  bj::object parts;
  for (const auto& [name, value] : d.parts) parts[valid_utf8(name)] = number(value);
  o["parts"] = std::move(parts);
  o["detail"] = string(d.detail);
  o["reflection_events"] = to_json_array(d.events);
  bj::array lineage;
  for (const auto& [kind, id] : d.children)
    lineage.push_back(bj::object{{"child_kind", string(kind)}, {"child_id", string(id)}});
  o["lineage"] = std::move(lineage);
  return o;
}

bj::object to_json(const GroupDetail& g) {
  auto o = to_json(g.row);
  o["prompt"] = to_json(g.prompt);
  o["samples"] = to_json_array(g.samples);
  return o;
}

bj::object to_json(const Prompt& p) {
  return {{"prompt_id", string(p.id)},
          {"task", string(p.task)},
          {"text", string(p.text)},
          {"answer", string(p.answer)},
          {"metadata_json", string(p.metadata_json)},
          {"token_ids", numbers(p.token_ids)}};
}

bj::object to_json(const Hit& h) {
  auto o = to_json(h.row);
  o["snippet"] = string(h.snippet);
  return o;
}

}  // namespace r1::rollout
