#pragma once
// What the database's tests share: a folder that removes itself, and small groups with every field filled.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/types.h"
#include "rollout/database.h"
#include "rollout/sqlite.h"

namespace r1::rollout::test {

class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "r1_rollout_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path() const { return path_; }
  std::filesystem::path file() const { return path_ / kRolloutsFile; }

 private:
  std::filesystem::path path_;
};

inline RunInfo run_info() {
  return {
      .run_id = "zero", .config_toml = "[rl]\nsteps = 3\n", .version = "0.1.0", .started_at = "2026-11-23T10:00:00Z"};
}

inline Sample make_sample(const std::string& prompt_id, int index, std::string text) {
  Sample s{.prompt_id = prompt_id, .index = index, .text = std::move(text)};
  for (int i = 0; i < 20 + index; ++i) {
    s.token_ids.push_back(100 * index + i);
    s.logprobs.push_back(-0.125f * static_cast<float>(i));
    s.sampling_logprobs.push_back(-0.125f * static_cast<float>(i) + (i == 3 ? 0.5f : 0.0f));
    s.weights_versions.push_back(static_cast<uint32_t>(7 + (i > 10 && index == 1)));
  }
  s.finish = index % 2 == 0 ? FinishReason::kStop : FinishReason::kLength;
  return s;
}

// Samples 0, 1, ... say texts[0], texts[1], ...; the first is right, the others are wrong.
inline Group make_group(const std::string& prompt_id, const std::vector<std::string>& texts) {
  Group g{.prompt = {.id = prompt_id,
                     .task = "countdown",
                     .token_ids = {5, 6, 7},
                     .text = "3 5 2 = 17\n",
                     .answer = "17",
                     .metadata_json = "{\"numbers\":[3,5,2]}"}};
  for (size_t i = 0; i < texts.size(); ++i) {
    g.samples.push_back(make_sample(prompt_id, static_cast<int>(i), texts[i]));
    const bool is_right = i == 0;
    g.scores.push_back({.value = is_right ? 1.1 : 0.1,
                        .verdict = is_right ? Verdict::kRight : Verdict::kWrong,
                        .parts = {{"accuracy", is_right ? 1.0 : 0.0}, {"format", 0.1}},
                        .detail = is_right ? "" : "is 16, not 17"});
    g.advantages.push_back(is_right ? 1.5 : -0.5);
  }
  return g;
}

inline const char* kRight = "<think>3+5=8, 8*2=16 no wait 3*5=15, 15+2=17 yes</think><answer>(3*5)+2</answer>";
inline const char* kWrong = "<think>3+5=8, 8*2=16</think><answer>(3+5)*2</answer>";

// Every row of every table but the full-text index's own, as text: two files with the same content give the same dump.
inline std::string dump(const std::filesystem::path& file) {
  Sqlite db(file, Sqlite::Mode::kReadOnly);
  std::string text;
  for (const std::string table :
       {"runs", "stages", "steps", "metric_names", "metrics", "weights_versions", "evaluations", "prompts", "groups",
        "samples", "completions", "part_names", "score_parts", "words", "reflection_events", "step_totals",
        "word_totals", "lineage"}) {
    text += "== " + table + "\n";
    Statement columns(
        db, fmt::format("SELECT group_concat('quote(' || name || ')', ' || char(44) || ') FROM pragma_table_info('{}') "
                        "WHERE name NOT IN ('finished_at', 'num_sessions')",
                        table));
    columns.step();
    const auto list = columns.get_text(0);
    columns.reset();
    Statement rows(db, fmt::format("SELECT {} AS row FROM {} ORDER BY row", list, table));
    while (rows.step()) text += rows.get_text(0) + "\n";
  }
  return text;
}

inline int64_t count(const std::filesystem::path& file, const std::string& sql) {
  Sqlite db(file, Sqlite::Mode::kReadOnly);
  return Statement(db, sql).find_int().value_or(-1);
}

}  // namespace r1::rollout::test
