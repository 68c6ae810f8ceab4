#include "rewards/worker_pool.h"

#include <fmt/format.h>

#include <atomic>
#include <latch>
#include <stdexcept>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "rewards/registry.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rewards;

namespace {

std::shared_ptr<const Prompt> number_prompt(int answer) {
  return std::make_shared<Prompt>(Prompt{.task = "number", .answer = std::to_string(answer)});
}

// Throws for some texts.
class Moody : public Reward {
 public:
  Score score(const Prompt&, std::string_view text, FinishReason) const override {
    if (text == "runtime") throw std::runtime_error("no mood");
    if (text == "memory") throw std::bad_alloc();
    if (text == "number") throw 42;
    return {.value = 1, .verdict = Verdict::kRight};
  }
};

// Waits until it is let go.
class Gated : public Reward {
 public:
  Score score(const Prompt&, std::string_view, FinishReason) const override {
    ++num_begun;
    gate.wait();
    ++num_done;
    return {.value = 1};
  }
  mutable std::atomic<int> num_begun = 0, num_done = 0;
  mutable std::latch gate{1};
};

std::vector<double> values_with(int num_threads) {
  const auto reward = make_reward({});
  ScoreQueue queue(*reward, {.num_threads = num_threads, .max_waiting = 16});
  std::vector<std::future<Score>> scores;
  for (int i = 0; i < 500; ++i) {
    scores.push_back(queue.submit(number_prompt(i % 7), fmt::format("<think></think><answer>{}</answer>", i % 5),
                                  i % 11 == 0 ? FinishReason::kCancelled : FinishReason::kStop));
  }
  std::vector<double> values;
  for (auto& score : scores) values.push_back(score.get().value);
  return values;
}

struct Answered {
  std::shared_ptr<const Prompt> prompt;
  std::string completion;
};

// Of every kind: the maths corpus, reasoning-gym's puzzles, programs to run.
std::vector<Answered> answers_of_all_tasks() {
  std::vector<Answered> all;
  const auto add = [&](std::string task, std::string key, const std::string& answer) {
    all.push_back({std::make_shared<Prompt>(Prompt{.task = std::move(task), .answer = std::move(key)}),
                   "<think>we think about it</think><answer>" + answer + "</answer>"});
  };
  const auto rows_of = [](const std::string& name, int every, const auto& take) {
    for_each_line(std::string(R1_FIXTURES) + name, [&](int64_t number, std::string_view line) {
      if (number % every == 0) take(json::parse(line, name).get_object());
    });
  };
  rows_of("/math/generated.jsonl", 20, [&](const auto& row) {
    add("math", json::get_string(row, "gold", "row"), json::get_string(row, "answer", "row"));
  });
  rows_of("/reasoning_gym/verdicts.jsonl", 20, [&](const auto& row) {
    add(json::get_string(row, "task", "row"), json::get_string(row, "answer", "row"),
        json::get_string(row, "candidate", "row"));
  });
  for (int i = 0; i < 24; ++i) {
    add("code", R"({"entry_point": "f", "cases": [{"args": [2], "result": 5}]})",
        fmt::format("```python\ndef f(x):\n  return x + {}\n```", i % 4));
  }
  return all;
}

std::vector<Score> scores_of(const std::vector<Answered>& answers, int num_threads) {
  const auto reward =
      make_reward({.shaping = {.language_weight = 0.1, .cosine_weight = 0.1, .repetition_weight = 0.1}});
  ScoreQueue queue(*reward, {.num_threads = num_threads, .context = {.max_new_tokens = 100}});
  std::vector<std::future<Score>> futures;
  for (const auto& [prompt, completion] : answers)
    futures.push_back(queue.submit(prompt, completion, FinishReason::kStop, 50));
  std::vector<Score> scores;
  for (auto& future : futures) scores.push_back(future.get());
  return scores;
}

}  // namespace

TEST_CASE("eight threads score answers to all tasks as one does") {
  const auto answers = answers_of_all_tasks();
  REQUIRE(answers.size() > 300);
  const auto one = scores_of(answers, 1), eight = scores_of(answers, 8);
  for (size_t i = 0; i < answers.size(); ++i) {
    INFO(answers[i].prompt->task << " " << answers[i].prompt->answer << ": " << answers[i].completion);
    CHECK(eight[i].verdict == one[i].verdict);
    CHECK(eight[i].value == one[i].value);
    CHECK(eight[i].detail == one[i].detail);
    CHECK(eight[i].answer == one[i].answer);
  }
}

TEST_CASE("scores come back by sample, whatever the number of threads") {
  const auto one = values_with(1);
  CHECK(one[0] == 0);  // cancelled
  CHECK(one[1] == 2);
  CHECK(one[6] == 1);
  CHECK(values_with(4) == one);
}

TEST_CASE("a reward that throws makes its own sample undecided and no other") {
  const Moody reward;
  ScoreQueue queue(reward, {.num_threads = 2});
  const auto prompt = number_prompt(1);
  std::vector<std::future<Score>> scores;
  for (const char* text : {"fine", "runtime", "fine", "memory", "number", "fine"}) {
    scores.push_back(queue.submit(prompt, text, FinishReason::kStop));
  }
  std::vector<Score> found;
  for (auto& score : scores) found.push_back(score.get());
  for (const int i : {0, 2, 5}) CHECK(found[i].verdict == Verdict::kRight);
  for (const int i : {1, 3, 4}) {
    CHECK(found[i].verdict == Verdict::kUndecided);
    CHECK(found[i].value == 0);
    CHECK_THAT(found[i].detail, Catch::StartsWith("the reward failed"));
  }
  CHECK_THAT(found[1].detail, Catch::EndsWith("no mood"));
}

TEST_CASE("wait_all returns when everything is scored") {
  Gated reward;
  ScoreQueue queue(reward, {.num_threads = 3});
  std::vector<std::future<Score>> scores;
  for (int i = 0; i < 20; ++i) scores.push_back(queue.submit(number_prompt(1), "", FinishReason::kStop));
  CHECK(reward.num_done == 0);
  reward.gate.count_down();
  queue.wait_all();
  CHECK(reward.num_done == 20);
  for (auto& score : scores) CHECK(score.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  queue.wait_all();  // nothing left: returns at once
}

TEST_CASE("submit blocks while the queue is full") {
  Gated reward;
  ScoreQueue queue(reward, {.num_threads = 1, .max_waiting = 2});
  std::atomic<int> num_submitted = 0;
  std::jthread producer([&] {
    for (int i = 0; i < 10; ++i) {
      queue.submit(number_prompt(1), "", FinishReason::kStop);
      ++num_submitted;
    }
  });
  while (reward.num_begun == 0 || num_submitted < 3) std::this_thread::yield();
  CHECK(num_submitted == 3);  // one being scored, two waiting
  reward.gate.count_down();
  producer.join();
  queue.wait_all();
  CHECK(reward.num_done == 10);
}

TEST_CASE("a queue that goes away scores what it was given") {
  const Moody reward;
  std::vector<std::future<Score>> scores;
  {
    ScoreQueue queue(reward, {.num_threads = 2});
    for (int i = 0; i < 100; ++i) scores.push_back(queue.submit(number_prompt(1), "fine", FinishReason::kStop));
  }
  for (auto& score : scores) CHECK(score.get().value == 1);
}

TEST_CASE("a sample is submitted with its own text and end") {
  const auto reward = make_reward({.format_weight = 0});
  ScoreQueue queue(*reward, {});
  CHECK(queue.submit(number_prompt(7), Sample{.text = "<answer>7</answer>"}).get().value == 1);
  CHECK(queue.submit(number_prompt(7), Sample{.finish = FinishReason::kCancelled, .text = "<answer>7</answer>"})
            .get()
            .verdict == Verdict::kUndecided);
}

TEST_CASE("a queue without threads or places is refused") {
  const Moody reward;
  CHECK_THROWS_WITH(ScoreQueue(reward, {.num_threads = 0}), Catch::Contains("rewards.num_threads"));
  CHECK_THROWS_WITH(ScoreQueue(reward, {.max_waiting = 0}), Catch::Contains("rewards.max_waiting"));
}
