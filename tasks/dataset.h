#pragma once
// The endless stream of training prompts: question sets mixed by weight, each shuffled anew every epoch. What comes
// next depends on nothing but (sets, options, cursor), so a restored cursor goes on exactly where it was saved.

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "tasks/prompt_template.h"
#include "tasks/question.h"

namespace r1::tasks {

struct WeightedSet {
  QuestionSet set;
  double weight = 1;  // its share of prompts, relative to the other sets'
};

// Where one set stands: the next question is number `position` of epoch `epoch`.
struct SetCursor {
  std::string name;  // of the set, with its size: to tell when a cursor meets other data
  uint64_t size = 0;
  uint64_t epoch = 0;
  uint64_t position = 0;
  bool operator==(const SetCursor&) const = default;
};

struct DataCursor {
  uint64_t num_taken = 0;  // prompts taken since the start
  std::vector<SetCursor> sets;
  bool operator==(const DataCursor&) const = default;
};

json::bj::value to_json(const DataCursor& cursor);
// Throws Error "WHERE: ..." for a missing key or one of another type.
DataCursor cursor_from_json(const json::bj::value& value, const std::string& where);

class PromptSource {
 public:
  // Throws Error if there is no set, or a weight is not a finite number above 0.
  PromptSource(std::vector<WeightedSet> sets, PromptMaker maker, uint64_t seed);

  Prompt next();
  std::vector<Prompt> take(int count);

  const DataCursor& cursor() const { return cursor_; }
  // Throws Error if the cursor was saved over other sets (by number, name or size).
  void restore(const DataCursor& cursor);

 private:
  size_t choose_set() const;
  Question next_question(size_t chosen);

  std::vector<WeightedSet> sets_;
  PromptMaker maker_;
  uint64_t seed_;
  double weight_sum_ = 0;
  DataCursor cursor_;
};

// The first `count` questions of a set in its own order, for evaluation: always the same ones. Generators repeat
// themselves in small tasks; a question whose text came before is passed over. Throws Error if the set holds fewer, or
// a generator shows too few new ones.
std::vector<Prompt> first_prompts(const QuestionSet& set, int count, const PromptMaker& maker);

}  // namespace r1::tasks
