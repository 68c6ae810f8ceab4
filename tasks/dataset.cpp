#include "tasks/dataset.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "tasks/permutation.h"

namespace r1::tasks {
namespace {

constexpr uint64_t kMixStream = 0x6D69780000000000;      // "mix"
constexpr uint64_t kShuffleStream = 0x73687566666C6500;  // "shuffle"
constexpr int64_t kTriesPerQuestion = 1000;

uint64_t get_count(const json::bj::object& o, std::string_view key, const std::string& where) {
  return static_cast<uint64_t>(json::get_int(o, key, where));
}

// Which question stands at `cursor`. Endless sets are random by themselves and come in order.
uint64_t index_at(const SetCursor& cursor, uint64_t seed, uint64_t set_number) {
  if (cursor.size == kEndless) return cursor.position;
  const uint64_t key = RandomStream(seed, kShuffleStream ^ set_number, cursor.epoch).bits_at(0);
  return Permutation(cursor.size, key)(cursor.position);
}

}  // namespace

json::bj::value to_json(const DataCursor& cursor) {
  json::bj::array sets;
  for (const auto& set : cursor.sets) {
    sets.push_back({{"name", set.name}, {"size", set.size}, {"epoch", set.epoch}, {"position", set.position}});
  }
  return {{"num_taken", cursor.num_taken}, {"sets", std::move(sets)}};
}

DataCursor cursor_from_json(const json::bj::value& value, const std::string& where) {
  if (!value.is_object()) throw Error(where, "the data cursor is not a JSON object", "take another checkpoint");
  const auto& object = value.get_object();
  DataCursor cursor{.num_taken = get_count(object, "num_taken", where)};
  for (const auto& item : json::get_array(object, "sets", where)) {
    if (!item.is_object()) throw Error(where, "'sets' holds other than objects", "take another checkpoint");
    const auto& set = item.get_object();
    cursor.sets.push_back({.name = json::get_string(set, "name", where),
                           .size = get_count(set, "size", where),
                           .epoch = get_count(set, "epoch", where),
                           .position = get_count(set, "position", where)});
  }
  return cursor;
}

PromptSource::PromptSource(std::vector<WeightedSet> sets, PromptMaker maker, uint64_t seed)
    : sets_(std::move(sets)), maker_(std::move(maker)), seed_(seed) {
  if (sets_.empty()) throw Error("tasks", "there is no question set", "add a generator or a JSONL file");
  for (const auto& [set, weight] : sets_) {
    if (!(weight > 0 && std::isfinite(weight))) {
      throw Error(fmt::format("tasks: set '{}'", set.name), fmt::format("weight must be above 0, got {}", weight),
                  "give it a weight such as 1, or leave the set out");
    }
    weight_sum_ += weight;
    cursor_.sets.push_back({.name = set.name, .size = set.size});
  }
}

size_t PromptSource::choose_set() const {
  double rest = RandomStream(seed_, kMixStream).uniform_at(cursor_.num_taken) * weight_sum_;
  for (size_t i = 0; i + 1 < sets_.size(); ++i) {
    rest -= sets_[i].weight;
    if (rest < 0) return i;
  }
  return sets_.size() - 1;
}

Question PromptSource::next_question(size_t chosen) {
  auto& cursor = cursor_.sets[chosen];
  auto question = sets_[chosen].set.at(index_at(cursor, seed_, chosen));
  ++cursor_.num_taken;
  if (++cursor.position == cursor.size) {  // never for an endless set: position is above 0 by now
    cursor.position = 0;
    ++cursor.epoch;
  }
  return question;
}

Prompt PromptSource::next() {
  const auto chosen = choose_set();
  auto prompt = maker_.make(next_question(chosen));
  prompt.source = sets_[chosen].set.name;
  return prompt;
}

std::vector<Prompt> PromptSource::take(int count) {
  std::vector<Prompt> prompts;
  for (int i = 0; i < count; ++i) prompts.push_back(next());
  return prompts;
}

void PromptSource::restore(const DataCursor& cursor) {
  const auto refuse = [](const std::string& what) {
    throw Error("data cursor", what, "resume with the data sets that the run was started with, or start a new run");
  };
  if (cursor.sets.size() != sets_.size()) {
    refuse(fmt::format("was saved over {} question sets, and there are {} now", cursor.sets.size(), sets_.size()));
  }
  for (size_t i = 0; i < sets_.size(); ++i) {
    const auto& saved = cursor.sets[i];
    const auto& set = sets_[i].set;
    if (saved.name != set.name || saved.size != set.size) {
      refuse(fmt::format("was saved over '{}' of {} questions, and set {} is '{}' of {} now", saved.name, saved.size, i,
                         set.name, set.size));
    }
    if (set.size != kEndless && saved.position >= set.size) {
      refuse(fmt::format("stands at question {} of '{}', which has {}", saved.position, set.name, set.size));
    }
  }
  cursor_ = cursor;
}

std::vector<Prompt> first_prompts(const QuestionSet& set, int count, const PromptMaker& maker) {
  std::vector<Prompt> prompts;
  std::unordered_set<std::string> seen;
  const uint64_t end =
      set.size == kEndless ? static_cast<uint64_t>(count) * static_cast<uint64_t>(kTriesPerQuestion) : set.size;
  for (uint64_t i = 0; i < end && prompts.size() < static_cast<size_t>(count); ++i) {
    auto prompt = maker.make(set.at(i));
    prompt.source = set.name;
    if (seen.insert(prompt.text).second) prompts.push_back(std::move(prompt));
  }
  if (prompts.size() < static_cast<size_t>(count)) {
    throw Error(fmt::format("tasks: set '{}'", set.name),
                fmt::format("holds {} different questions; {} are wanted", prompts.size(), count),
                "ask for fewer, or widen the task");
  }
  return prompts;
}

}  // namespace r1::tasks
