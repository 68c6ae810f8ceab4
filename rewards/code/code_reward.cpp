#include "rewards/code/code_reward.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"

namespace r1::rewards {
namespace {

// The member "language" of the metadata, if it is a text.
std::string language_in(const std::string& metadata_json) {
  const auto metadata = code::parse_value(metadata_json, code::Syntax::kJson);
  if (!metadata.value || metadata.value->kind != code::Value::Kind::kDict) return "";
  const auto& items = metadata.value->items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == "language" && items[i + 1].kind == code::Value::Kind::kString) return items[i + 1].text;
  }
  return "";
}

int64_t get_positive(const ConfigTable& table, std::string_view key, int64_t fallback, int64_t most) {
  const auto value = table.get_int(key, fallback);
  if (value >= 1 && value <= most) return value;
  throw Error(fmt::format("rewards.{}", key), fmt::format("must be from 1 to {}, got {}", most, value),
              fmt::format("use {}", fallback));
}

}  // namespace

CodeOptions read_code_options(const ConfigTable& table, CodeOptions o) {
  auto& j = o.judge;
  const auto credit = table.get_choice("code_credit", j.credit == code::Credit::kBinary ? "binary" : "fractional",
                                       {"binary", "fractional"});
  j.credit = credit == "binary" ? code::Credit::kBinary : code::Credit::kFractional;
  const auto isolation = table.get_choice(
      "code_isolation", j.isolation == sandbox::Isolation::kFull ? "full" : "unsafe", {"full", "unsafe"});
  j.isolation = isolation == "full" ? sandbox::Isolation::kFull : sandbox::Isolation::kUnsafe;
  j.limits.cpu_ms = get_positive(table, "code_cpu_ms", j.limits.cpu_ms, 600'000);
  j.limits.wall_ms = get_positive(table, "code_wall_ms", std::max(j.limits.wall_ms, 3 * j.limits.cpu_ms), 1'800'000);
  j.limits.memory_bytes = get_positive(table, "code_memory_mb", j.limits.memory_bytes >> 20, 65'536) << 20;
  j.toolchain.python = table.get_string("code_python", j.toolchain.python);
  j.toolchain.cpp = table.get_string("code_cpp", j.toolchain.cpp);
  j.num_slots = static_cast<int>(table.get_int("code_slots", j.num_slots));
  if (j.num_slots < 0 || j.num_slots > 1024) {
    throw Error("rewards.code_slots", fmt::format("must be from 0 to 1024, got {}", j.num_slots),
                "use 0: one per processor");
  }
  for (const auto* path : {&j.toolchain.python, &j.toolchain.cpp}) {
    if (path->starts_with('/')) continue;
    throw Error(path == &j.toolchain.cpp ? "rewards.code_cpp" : "rewards.code_python",
                fmt::format("is no absolute path: '{}'", *path), "use a path such as /usr/bin/python3");
  }
  return o;
}

code::Judge& CodeReward::judge() const {
  std::call_once(is_made_, [this] { judge_ = std::make_unique<code::Judge>(options_.judge); });
  return *judge_;
}

Score CodeReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  Score score{.verdict = Verdict::kUndecided, .parts = {}};
  auto parsed = code::parse_tests(prompt.answer);
  if (!parsed.tests) {
    score.detail = "the tests are unusable: " + parsed.reason;
    return score;
  }
  auto& tests = *parsed.tests;
  if (tests.language.empty()) tests.language = language_in(prompt.metadata_json);
  const auto judged = judge().judge_completion(completion, tests);
  score.detail = fmt::format("{}, passed {} of {}{}{}", code::to_string(judged.finding), judged.num_passed,
                             judged.num_cases, judged.detail.empty() ? "" : "; ", judged.detail);
  if (judged.finding == code::Finding::kUndecided) {
    std::call_once(has_warned_, [&] { log::warn("a code reward is undecided: {}", score.detail); });
    return score;
  }
  const bool is_right = judged.finding == code::Finding::kPassed;
  score.verdict = is_right ? Verdict::kRight : Verdict::kWrong;
  score.value = is_right ? 1 : 0;
  score.answer = fmt::format("{} {}", code::to_string(judged.finding), judged.num_passed);
  if (options_.judge.credit == code::Credit::kFractional && judged.num_cases > 0) {
    score.value = static_cast<double>(judged.num_passed) / judged.num_cases;
  }
  return score;
}

}  // namespace r1::rewards
