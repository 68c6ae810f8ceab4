#include "rewards/scorer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "rewards/worker_pool.h"
#include "tasks/jsonl.h"
#include "text/unicode.h"

namespace r1::rewards {
namespace {

namespace bj = json::bj;

bj::string text_of(std::string_view text) { return bj::string(text::to_valid_utf8(text)); }

FinishReason finish_of(const bj::object& row, const std::string& where) {
  const auto name = json::find_string(row, "finish", where).value_or("stop");
  if (name == "stop") return FinishReason::kStop;
  if (name == "length") return FinishReason::kLength;
  throw Error(where, fmt::format("key 'finish' is '{}'", name), "use stop or length, or leave it out");
}

StepContext context_of(const bj::object& row, const std::string& where) {
  return {.step = json::find_int(row, "step", where).value_or(0),
          .num_steps = json::find_int(row, "num_steps", where).value_or(0),
          .max_new_tokens = json::find_int(row, "max_new_tokens", where).value_or(0)};
}

std::string output_line(const std::string& id_json, const Score& score) {
  bj::object parts;
  for (const auto& [name, value] : score.parts) parts[name] = value;
  const bj::object rest{{"verdict", bj::string(to_string(score.verdict))},
                        {"value", std::isfinite(score.value) ? bj::value(score.value) : bj::value(nullptr)},
                        {"reason", text_of(score.detail)},
                        {"parts", std::move(parts)}};
  return fmt::format("{{\"id\":{},{}", id_json, json::dump(rest).substr(1));
}

// The row's id, as JSON, for a row that is no other use.
std::string id_of_bad(std::string_view line, const std::string& where) {
  bj::error_code error;
  const auto document = bj::parse(line, error);
  const auto* id = !error && document.is_object() ? document.get_object().if_contains("id") : nullptr;
  return json::dump(id != nullptr && !id->is_null() ? *id : bj::value(text_of(where)));
}

}  // namespace

ScoreRow parse_score_row(std::string_view line, const std::string& where) {
  const auto document = json::parse(line, where);
  if (!document.is_object()) throw Error(where, "is no JSON object", "give each line one object");
  const auto& row = document.get_object();
  const auto* id = row.if_contains("id");
  ScoreRow out{.id_json = json::dump(id != nullptr && !id->is_null() ? *id : bj::value(text_of(where)))};
  out.prompt.id = out.id_json;
  out.prompt.task = json::get_string(row, "task", where);
  require_known_task(out.prompt.task, where);
  out.prompt.answer = tasks::answer_key_of(row, line, where);
  out.prompt.text = json::find_string(row, "prompt", where).value_or("");
  out.prompt.source = json::find_string(row, "source", where).value_or("");
  const auto* metadata = row.if_contains("metadata");
  if (metadata != nullptr && !metadata->is_null()) out.prompt.metadata_json = json::dump(*metadata);
  out.completion = json::get_string(row, "completion", where);
  out.reply.finish = finish_of(row, where);
  out.reply.num_tokens = json::find_int(row, "num_tokens", where);
  out.reply.context = context_of(row, where);
  return out;
}

Scorer::Scorer(const RewardOptions& options) : reward_(make_reward(options)) {}

Score Scorer::score(const Prompt& prompt, const Reply& reply) const { return score_safely(*reward_, prompt, reply); }

Score Scorer::score(std::string_view task, std::string_view answer, std::string_view completion) const {
  return score({.task = std::string(task), .answer = std::string(answer)}, {.text = completion});
}

ScoredLine Scorer::score_line(std::string_view line, const std::string& where) const {
  try {
    const auto row = parse_score_row(line, where);
    auto reply = row.reply;
    reply.text = row.completion;
    const auto result = score(row.prompt, reply);
    return {.json = output_line(row.id_json, result), .verdict = result.verdict};
  } catch (const Error& e) {
    const std::string_view reason = e.what();
    return {.json = output_line(id_of_bad(line, where), to_score({Verdict::kUndecided, std::string(reason)})),
            .verdict = Verdict::kUndecided,
            .was_read = false};
  }
}

}  // namespace r1::rewards
