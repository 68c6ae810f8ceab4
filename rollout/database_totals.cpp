#include "rollout/database_totals.h"

namespace r1::rollout {
namespace {

constexpr std::string_view kAddStep = R"sql(
INSERT INTO step_totals (step_id, split, num_samples, num_scored, num_right, num_undecided, num_truncated, sum_tokens,
                         sum_value, num_turns, num_aha)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (step_id, split) DO UPDATE SET
  num_samples = num_samples + excluded.num_samples, num_scored = num_scored + excluded.num_scored,
  num_right = num_right + excluded.num_right, num_undecided = num_undecided + excluded.num_undecided,
  num_truncated = num_truncated + excluded.num_truncated, sum_tokens = sum_tokens + excluded.sum_tokens,
  sum_value = sum_value + excluded.sum_value, num_turns = num_turns + excluded.num_turns,
  num_aha = num_aha + excluded.num_aha)sql";

constexpr std::string_view kAddWord = R"sql(
INSERT INTO word_totals (step_id, split, word_id, num_events, num_samples) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (step_id, split, word_id) DO UPDATE SET
  num_events = num_events + excluded.num_events, num_samples = num_samples + excluded.num_samples)sql";

constexpr std::string_view kSumStep = R"sql(
INSERT INTO step_totals (step_id, split, num_samples, num_scored, num_right, num_undecided, num_truncated, sum_tokens,
                         sum_value, num_turns, num_aha)
SELECT g.step_id, g.split, count(*), count(s.verdict), count(*) FILTER (WHERE s.verdict = 'right'),
       count(*) FILTER (WHERE s.verdict = 'undecided'), count(*) FILTER (WHERE s.finish = 'length'),
       sum(s.num_tokens), total(s.value), sum(s.num_turns),
       sum((SELECT count(*) FROM reflection_events e
            WHERE e.sample_id = s.id AND e.kind = 'turn' AND e.from_right = 0 AND e.to_right = 1))
FROM groups g JOIN samples s ON s.group_id = g.id
WHERE g.step_id = ?1 GROUP BY g.split)sql";

constexpr std::string_view kSumWords = R"sql(
INSERT INTO word_totals (step_id, split, word_id, num_events, num_samples)
SELECT g.step_id, g.split, e.word_id, count(*), count(DISTINCT e.sample_id)
FROM groups g JOIN samples s ON s.group_id = g.id JOIN reflection_events e ON e.sample_id = s.id
WHERE g.step_id = ?1 AND e.kind = 'word' GROUP BY g.split, e.word_id)sql";

}  // namespace

Totals::Totals(Sqlite& db)
    : add_step_(db, kAddStep),
      add_word_(db, kAddWord),
      drop_step_(db, "DELETE FROM step_totals WHERE step_id = ?1"),
      drop_words_(db, "DELETE FROM word_totals WHERE step_id = ?1"),
      sum_step_(db, kSumStep),
      sum_words_(db, kSumWords) {}

void Totals::write() {
  for (const auto& [key, t] : steps_) {
    if (changed_.contains(key.first)) continue;
    add_step_.run(key.first, to_string(key.second), t.num_samples, t.num_scored, t.num_right, t.num_undecided,
                  t.num_truncated, t.sum_tokens, t.sum_value, t.num_turns, t.num_aha);
  }
  for (const auto& [key, t] : words_) {
    if (changed_.contains(key.first.first)) continue;
    add_word_.run(key.first.first, to_string(key.first.second), key.second, t.num_events, t.num_samples);
  }
  for (const auto step_id : changed_) write_recomputed(step_id);
  clear();
}

void Totals::write_recomputed(int64_t step_id) {
  drop_step_.run(step_id);
  drop_words_.run(step_id);
  sum_step_.run(step_id);
  sum_words_.run(step_id);
}

void Totals::clear() {
  steps_.clear();
  words_.clear();
  changed_.clear();
}

}  // namespace r1::rollout
