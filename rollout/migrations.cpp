// The schema, one literal per migration. Never edit a literal that has been released: append a migration.

#include "rollout/schema.h"

namespace r1::rollout {
namespace {

constexpr const char* kRollouts = R"sql(
-- A run writes one file; a resumed run is the same run.
CREATE TABLE runs (
  id           INTEGER PRIMARY KEY,
  run_id       TEXT    NOT NULL UNIQUE CHECK (run_id <> ''),
  config_toml  TEXT    NOT NULL,             -- the settings in force, of the latest process
  version      TEXT    NOT NULL,             -- r1's version and git commit, of the latest process
  started_at   TEXT    NOT NULL,             -- ISO 8601, UTC
  num_sessions INTEGER NOT NULL DEFAULT 1 CHECK (num_sessions >= 1)  -- processes that have written to it
) STRICT;

CREATE TABLE stages (
  id      INTEGER PRIMARY KEY,
  run_key INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name    TEXT    NOT NULL CHECK (name <> ''),
  UNIQUE (run_key, name)
) STRICT;

-- One row per optimizer step. Everything a step made hangs on it, so that deleting it takes all of that away.
CREATE TABLE steps (
  id          INTEGER PRIMARY KEY,
  stage_id    INTEGER NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  step        INTEGER NOT NULL CHECK (step >= 0),
  finished_at TEXT,                          -- ISO 8601, UTC; NULL while the step runs
  seconds     REAL CHECK (seconds >= 0),     -- wall time of the whole step; NULL while it runs
  UNIQUE (stage_id, step)
) STRICT;

CREATE TABLE metric_names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK (name <> '')
) STRICT;

CREATE TABLE metrics (
  step_id INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  name_id INTEGER NOT NULL REFERENCES metric_names (id),
  value   REAL,                              -- NULL: not a number
  PRIMARY KEY (step_id, name_id)
) STRICT, WITHOUT ROWID;
-- A curve is one metric over all steps: read from this index alone.
CREATE INDEX metrics_by_name ON metrics (name_id, step_id, value);

CREATE TABLE weights_versions (
  step_id INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,  -- the step whose update made them
  number  INTEGER NOT NULL CHECK (number >= 0),  -- optimizer steps behind them
  hash    TEXT    NOT NULL CHECK (length(hash) = 16),  -- hexadecimal, over the weights' bytes
  PRIMARY KEY (step_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluations (
  step_id     INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  name        TEXT    NOT NULL CHECK (name <> ''),  -- "avg", "pass", "cons", with the data set's name
  k           INTEGER NOT NULL CHECK (k >= 1),      -- samples per prompt
  value       REAL,
  low         REAL,                                 -- confidence interval
  high        REAL,
  num_prompts INTEGER NOT NULL CHECK (num_prompts >= 0),
  PRIMARY KEY (step_id, name, k)
) STRICT, WITHOUT ROWID;

CREATE TABLE prompts (
  id            INTEGER PRIMARY KEY,
  prompt_id     TEXT    NOT NULL,            -- unique within its data set only, hence content_hash
  task          TEXT    NOT NULL,
  text          TEXT    NOT NULL,
  answer        TEXT    NOT NULL,            -- key, in the task's own notation
  metadata_json TEXT    NOT NULL,
  token_ids     BLOB    NOT NULL,
  num_tokens    INTEGER NOT NULL CHECK (num_tokens >= 0),
  content_hash  INTEGER NOT NULL,            -- over text, answer, metadata and token ids
  UNIQUE (prompt_id, task, content_hash)
) STRICT;

-- The samples of one prompt at one step.
CREATE TABLE groups (
  id         INTEGER PRIMARY KEY,
  step_id    INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  split      TEXT    NOT NULL CHECK (split IN ('train', 'eval')),
  prompt_key INTEGER NOT NULL REFERENCES prompts (id),
  draw       INTEGER NOT NULL CHECK (draw >= 0),  -- 0, or more where a step asks the same prompt again
  UNIQUE (step_id, split, prompt_key, draw)
) STRICT;
CREATE INDEX groups_by_prompt ON groups (prompt_key);

-- One row per completion: the numbers that filters and sorts look at, narrow so that a million rows are read in a
-- blink. step, split and task repeat what steps, groups and prompts say, for the same reason.
CREATE TABLE samples (
  id              INTEGER PRIMARY KEY,
  group_id        INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  sample_index    INTEGER NOT NULL CHECK (sample_index >= 0),
  stage_id        INTEGER NOT NULL,
  step            INTEGER NOT NULL CHECK (step >= 0),
  split           TEXT    NOT NULL CHECK (split IN ('train', 'eval')),
  task            TEXT    NOT NULL,
  num_tokens      INTEGER NOT NULL CHECK (num_tokens >= 0),
  finish          TEXT    NOT NULL CHECK (finish IN ('stop', 'length', 'cancelled')),
  verdict         TEXT CHECK (verdict IN ('right', 'wrong', 'undecided')),  -- NULL until scored
  value           REAL,                      -- reward; NULL until scored
  advantage       REAL,                      -- NULL where none was computed
  weights_version INTEGER NOT NULL CHECK (weights_version >= 0),  -- of the first token
  num_turns       INTEGER NOT NULL CHECK (num_turns >= 0),  -- answers stated, then dropped for another
  word_mask       INTEGER NOT NULL,          -- bit i: the word with words.id = i occurs
  UNIQUE (group_id, sample_index)
) STRICT;
CREATE INDEX samples_by_step ON samples (step);

-- What is read only for samples that are shown.
CREATE TABLE completions (
  sample_id         INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE,
  text              TEXT NOT NULL,
  detail            TEXT NOT NULL,           -- why the reward says what it says
  token_ids         BLOB NOT NULL,
  logprobs          BLOB,                    -- under the full policy; NULL: the sampler gave none
  sampling_logprobs BLOB,                    -- under the distribution drawn from; NULL: equal to logprobs bit for bit
  weights_versions  BLOB                     -- per token; NULL: all are samples.weights_version
) STRICT;

CREATE VIRTUAL TABLE completions_fts USING fts5 (
  text, content = 'completions', content_rowid = 'sample_id', tokenize = "unicode61 remove_diacritics 2");
-- A larger hash table makes fewer and longer segments: a third less time per insert.
INSERT INTO completions_fts (completions_fts, rank) VALUES ('hashsize', 16777216);
CREATE TRIGGER completions_added AFTER INSERT ON completions BEGIN
  INSERT INTO completions_fts (rowid, text) VALUES (new.sample_id, new.text);
END;
CREATE TRIGGER completions_deleted AFTER DELETE ON completions BEGIN
  INSERT INTO completions_fts (completions_fts, rowid, text) VALUES ('delete', old.sample_id, old.text);
END;

CREATE TABLE part_names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Weighted parts of samples.value, by name.
CREATE TABLE score_parts (
  sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  part_id   INTEGER NOT NULL REFERENCES part_names (id),
  value     REAL,
  PRIMARY KEY (sample_id, part_id)
) STRICT, WITHOUT ROWID;

-- Reflection words. "r1": the ten of DeepSeek-R1 (arXiv:2501.12948v2, C.2). "dr_grpo": the fifteen of Dr. GRPO
-- (arXiv:2503.20783). "extra": of the run's settings. "drop": not counted, but they can begin a turn.
CREATE TABLE words (
  id   INTEGER PRIMARY KEY CHECK (id >= 0),
  list TEXT NOT NULL CHECK (list IN ('r1', 'dr_grpo', 'extra', 'drop')),
  word TEXT NOT NULL UNIQUE CHECK (word <> '')
) STRICT;

CREATE TABLE reflection_events (
  sample_id   INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  byte_offset INTEGER NOT NULL CHECK (byte_offset >= 0),  -- into completions.text
  kind        TEXT    NOT NULL CHECK (kind IN ('word', 'turn')),
  word_id     INTEGER NOT NULL REFERENCES words (id),     -- of a turn: the word that began it
  from_answer TEXT,                          -- turns only: the answer stated first
  to_answer   TEXT,                          -- and the one it was dropped for
  from_right  INTEGER CHECK (from_right IN (0, 1)),  -- NULL: nobody checked
  to_right    INTEGER CHECK (to_right IN (0, 1)),
  PRIMARY KEY (sample_id, byte_offset, kind, word_id),
  CHECK ((kind = 'turn') = (from_answer IS NOT NULL AND to_answer IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Sums over the samples of a step, kept up by the writer, so that curves over a long run are read at once.
CREATE TABLE step_totals (
  step_id        INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  split          TEXT    NOT NULL CHECK (split IN ('train', 'eval')),
  num_samples    INTEGER NOT NULL CHECK (num_samples >= 0),
  num_scored     INTEGER NOT NULL,
  num_right      INTEGER NOT NULL,
  num_undecided  INTEGER NOT NULL,
  num_truncated  INTEGER NOT NULL,           -- finish = 'length'
  sum_tokens     INTEGER NOT NULL,
  sum_value      REAL    NOT NULL,
  num_turns      INTEGER NOT NULL,
  num_aha        INTEGER NOT NULL,           -- turns from a wrong answer to a right one
  PRIMARY KEY (step_id, split)
) STRICT, WITHOUT ROWID;

CREATE TABLE word_totals (
  step_id     INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  split       TEXT    NOT NULL CHECK (split IN ('train', 'eval')),
  word_id     INTEGER NOT NULL REFERENCES words (id),
  num_events  INTEGER NOT NULL CHECK (num_events >= 0),
  num_samples INTEGER NOT NULL CHECK (num_samples >= 0),  -- samples with at least one
  PRIMARY KEY (step_id, split, word_id)
) STRICT, WITHOUT ROWID;

-- What was made of a sample later: a row of an SFT data set, a distilled example.
CREATE TABLE lineage (
  child_kind TEXT    NOT NULL CHECK (child_kind <> ''),
  child_id   TEXT    NOT NULL,
  sample_id  INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  PRIMARY KEY (child_kind, child_id, sample_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_by_sample ON lineage (sample_id);
)sql";

constexpr const char* kAlarms = R"sql(
-- What the rewards of a step raised: signs of reward hacking and of training without signal (rewards/alarms.h).
CREATE TABLE alarms (
  step_id INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  kind    TEXT    NOT NULL CHECK (kind <> ''),  -- "no_signal", "dominance", "length_drift", "jump", "undecided", ...
  subject TEXT    NOT NULL,                     -- a part of the reward or a metric; '' is the whole step
  value   REAL,
  bound   REAL,                                 -- that the value went beyond
  message TEXT    NOT NULL,
  PRIMARY KEY (step_id, kind, subject)
) STRICT, WITHOUT ROWID;
)sql";

constexpr Migration kMigrations[] = {
    {1, "rollouts", kRollouts},
    {2, "alarms", kAlarms},
};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

}  // namespace r1::rollout
