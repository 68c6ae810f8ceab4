#pragma once
// Rewards computed by threads of their own while sampling goes on.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

struct ScoreQueueOptions {
  int num_threads = 1;
  size_t max_waiting = 4096;  // submit() blocks while so many wait to be scored
  StepContext context;        // of every completion
};

// A bounded queue with worker threads. Scores do not depend on the number of threads or on their order. A reward that
// throws makes its own sample undecided, with the reason as detail, and nothing else.
// submit() and wait_all() may be called from several threads, but not from within a reward.
class ScoreQueue {
 public:
  // `reward` must outlive this. Throws Error for fewer than one thread or place.
  ScoreQueue(const Reward& reward, const ScoreQueueOptions& options);
  // Scores what was submitted; every future gets its value.
  ~ScoreQueue();
  ScoreQueue(const ScoreQueue&) = delete;
  ScoreQueue& operator=(const ScoreQueue&) = delete;

  // `num_tokens`: of the completion; nothing if nobody knows, and then no reward may depend on it.
  std::future<Score> submit(std::shared_ptr<const Prompt> prompt, std::string completion, FinishReason finish,
                            std::optional<int64_t> num_tokens = {});
  std::future<Score> submit(std::shared_ptr<const Prompt> prompt, const Sample& sample) {
    return submit(std::move(prompt), sample.text, sample.finish, static_cast<int64_t>(sample.token_ids.size()));
  }

  // Returns at a moment when everything submitted is scored.
  void wait_all();

 private:
  struct Job {
    std::shared_ptr<const Prompt> prompt;
    std::string completion;
    FinishReason finish;
    std::optional<int64_t> num_tokens;
    std::promise<Score> score;
  };
  void work();

  const Reward& reward_;
  const size_t max_waiting_;
  const StepContext context_;
  std::mutex mutex_;
  std::condition_variable has_job_, has_room_, is_scored_;
  std::deque<Job> jobs_;  // guarded by mutex_, like all below
  size_t num_unscored_ = 0;
  bool is_closing_ = false;
  std::vector<std::jthread> threads_;  // last: joined before the members above go
};

// reward.score_reply(), with an exception turned into an undecided score.
Score score_safely(const Reward& reward, const Prompt& prompt, const Reply& reply);

}  // namespace r1::rewards
