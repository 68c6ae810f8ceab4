#pragma once
// What a data file or a generator offers, before a prompt template and a tokenizer turn it into a Prompt.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"

namespace r1::tasks {

struct Message {
  std::string role;  // "system", "user", "assistant" or "tool"
  std::string content;
};

struct Question {
  std::string id;                 // unique within its set
  std::string task;               // names the reward
  std::string text;               // the question, if it is plain text ...
  std::vector<Message> messages;  // ... or the conversation that ends in it; one of the two is empty
  std::string answer;             // answer key, in the task's own notation
  std::string metadata_json = "{}";
};

inline constexpr uint64_t kEndless = 0;  // QuestionSet::size of a generator that never repeats an index

// Questions by index. at() is pure and thread-safe.
struct QuestionSet {
  std::string name;          // for people and for the data cursor
  uint64_t size = kEndless;  // at() takes indices below this
  std::function<Question(uint64_t index)> at;
};

// Which share of a task's instances. Instances are told apart by a hash of what is asked, whatever its wording and
// order, and not by index or seed: no held-out instance is ever seen in training, whoever draws it with what seed.
enum class Split { kAll, kTrain, kHeldOut };

// One instance in `held_out_modulus` is held out; 0 holds none out.
constexpr bool belongs(uint64_t instance_hash, Split split, int held_out_modulus) {
  if (split == Split::kAll) return true;
  const bool is_held_out = held_out_modulus > 0 && mix64(instance_hash) % static_cast<uint64_t>(held_out_modulus) == 0;
  return is_held_out == (split == Split::kHeldOut);
}

}  // namespace r1::tasks
