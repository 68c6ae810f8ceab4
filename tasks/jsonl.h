#pragma once
// Questions from a JSONL file: one object a line.
//
//   {"prompt": "What is 2+3?", "answer": 5, "task": "number", "id": "a1", "metadata": {"level": 1}}
//   {"messages": [{"role": "user", "content": "What is 2+3?"}], "answer": "5", "task": "number"}
//
//   {"prompt": "Write f(a, b) ...", "task": "code", "language": "python", "tests": {"entry_point": "f", "cases":
//   [...]}}
//
// `prompt` or `messages`: the question. `answer`: a string, a number (kept as written if a double holds it), or other
// JSON, which becomes its one-line text. `tests`, with `language` or without: the answer of a code task, see
// answer_key_of(). `task`: names the reward. Optional: `id` (default "FILE:LINE") and `metadata` (any JSON). Other keys
// are ignored, so that data sets may carry their own. Lines of blanks are skipped.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/json.h"
#include "tasks/question.h"

namespace r1::tasks {

struct JsonlOptions {
  std::string default_task;   // for lines without `task`; empty makes that an Error
  Split split = Split::kAll;  // kTrain and kHeldOut share a file out by a hash of the question's text
  int held_out_modulus = 10;
};

// One line as a question; `where` is "FILE:LINE". Throws Error naming where and the key.
Question parse_question(std::string_view line, const std::string& where, const JsonlOptions& options);

// The answer key of a row: its `answer`, or of a row that has `tests` instead (rewards/code/tests.h says what may stand
// there) {"language": ..., "tests": ...}, with the tests' text as it is written in `line`, the row's text. Throws Error
// if it has neither or both, if `tests` is no object or `language` no string.
std::string answer_key_of(const json::bj::object& row, std::string_view line, const std::string& where);

// Calls take(question) line by line, holding one line at a time. Throws Error for the first bad line, for an id that an
// earlier line has, and for a file without questions in this split.
void for_each_question(const std::filesystem::path& path, const JsonlOptions& options,
                       const std::function<void(Question)>& take);

// The file as a set, checked whole at once and then read from a memory map line by line: 16 bytes a question stay in
// memory. The file must not change while the set is in use.
QuestionSet jsonl_set(const std::filesystem::path& path, const JsonlOptions& options);

}  // namespace r1::tasks
