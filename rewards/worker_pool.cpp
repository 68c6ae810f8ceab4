#include "rewards/worker_pool.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace r1::rewards {

Score score_safely(const Reward& reward, const Prompt& prompt, const Reply& reply) {
  try {
    return reward.score_reply(prompt, reply);
  } catch (const std::exception& e) {
    return {.verdict = Verdict::kUndecided, .parts = {}, .detail = fmt::format("the reward failed: {}", e.what())};
  } catch (...) {
    return {.verdict = Verdict::kUndecided, .parts = {}, .detail = "the reward failed: an exception of unknown type"};
  }
}

ScoreQueue::ScoreQueue(const Reward& reward, const ScoreQueueOptions& options)
    : reward_(reward), max_waiting_(options.max_waiting), context_(options.context) {
  if (options.num_threads < 1) {
    throw Error("rewards.num_threads", fmt::format("must be at least 1, got {}", options.num_threads), "use 1 or more");
  }
  if (max_waiting_ < 1) throw Error("rewards.max_waiting", "must be at least 1, got 0", "use 1 or more");
  for (int i = 0; i < options.num_threads; ++i) threads_.emplace_back([this] { work(); });
}

ScoreQueue::~ScoreQueue() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  has_job_.notify_all();
}

std::future<Score> ScoreQueue::submit(std::shared_ptr<const Prompt> prompt, std::string completion, FinishReason finish,
                                      std::optional<int64_t> num_tokens) {
  Job job{std::move(prompt), std::move(completion), finish, num_tokens, {}};
  auto score = job.score.get_future();
  {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return jobs_.size() < max_waiting_; });
    jobs_.push_back(std::move(job));
    ++num_unscored_;
  }
  has_job_.notify_one();
  return score;
}

void ScoreQueue::wait_all() {
  std::unique_lock lock(mutex_);
  is_scored_.wait(lock, [this] { return num_unscored_ == 0; });
}

void ScoreQueue::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    has_job_.wait(lock, [this] { return !jobs_.empty() || is_closing_; });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    has_room_.notify_one();
    const Reply reply{.text = job.completion, .finish = job.finish, .num_tokens = job.num_tokens, .context = context_};
    job.score.set_value(score_safely(reward_, *job.prompt, reply));
    lock.lock();
    if (--num_unscored_ == 0) is_scored_.notify_all();
  }
}

}  // namespace r1::rewards
