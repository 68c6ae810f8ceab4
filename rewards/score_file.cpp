// score_file() of scorer.h: lines in, lines out in the same order, scored by threads between.

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "rewards/scorer.h"

namespace r1::rewards {
namespace {

class Pipeline {
 public:
  Pipeline(const Scorer& scorer, const ScoreFileOptions& options, const std::function<void(std::string_view)>& write,
           const std::function<void()>& flush)
      : scorer_(scorer), max_open_(options.max_waiting), write_(write), flush_(flush) {
    for (int i = 0; i < options.num_threads; ++i) threads_.emplace_back([this] { work(); });
  }

  ~Pipeline() { close(); }

  // Waits for room; throws what a thread has thrown.
  void add(std::string line, std::string where) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return num_added_ - num_written_ < max_open_ || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    jobs_.push_back({num_added_++, std::move(line), std::move(where)});
    has_job_.notify_one();
  }

  ScoreCounts finish() {
    close();
    if (failure_) std::rethrow_exception(failure_);
    return counts_;
  }

 private:
  struct Job {
    size_t number;
    std::string line, where;
  };

  void close() {
    {
      const std::lock_guard lock(mutex_);
      is_closing_ = true;
    }
    has_job_.notify_all();
    threads_.clear();  // joins
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      has_job_.wait(lock, [this] { return !jobs_.empty() || is_closing_; });
      if (jobs_.empty() || failure_) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      try {
        auto scored = scorer_.score_line(job.line, job.where);
        lock.lock();
        scored_.emplace(job.number, std::move(scored));
        if (!failure_) write_ready();
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        failure_ = std::current_exception();
        has_job_.notify_all();
        has_room_.notify_all();
      }
    }
  }

  // Writes the lines whose turn it is. Called with the lock, which keeps them in order.
  void write_ready() {
    bool has_written = false;
    for (auto next = scored_.find(num_written_); next != scored_.end(); next = scored_.find(num_written_)) {
      const auto& line = next->second;
      auto& count = line.verdict == Verdict::kRight   ? counts_.num_right
                    : line.verdict == Verdict::kWrong ? counts_.num_wrong
                                                      : counts_.num_undecided;
      ++count;
      counts_.num_unread += !line.was_read;
      write_(line.json);
      scored_.erase(next);
      ++num_written_;
      has_written = true;
    }
    if (!has_written) return;
    if (scored_.empty() && jobs_.empty()) flush_();
    has_room_.notify_one();
  }

  const Scorer& scorer_;
  const size_t max_open_;
  const std::function<void(std::string_view)>& write_;
  const std::function<void()>& flush_;
  std::mutex mutex_;  // guards all below but the threads
  std::condition_variable has_job_, has_room_;
  std::deque<Job> jobs_;
  std::map<size_t, ScoredLine> scored_;  // by the number of their line: those that wait for one before them
  size_t num_added_ = 0, num_written_ = 0;
  ScoreCounts counts_;
  std::exception_ptr failure_;
  bool is_closing_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace

ScoreCounts score_file(const Scorer& scorer, const std::filesystem::path& path, const ScoreFileOptions& options,
                       const std::function<void(std::string_view)>& write, const std::function<void()>& flush) {
  if (options.num_threads < 1 || options.max_waiting < 1) {
    throw Error("score_file",
                fmt::format("{} threads and {} waiting lines cannot work", options.num_threads, options.max_waiting),
                "use 1 or more of both");
  }
  const bool is_stdin = path == "-";
  const auto name = is_stdin ? std::string("stdin") : path.string();
  Pipeline pipeline(scorer, options, write, flush);
  for_each_line(is_stdin ? "/dev/stdin" : path, [&](int64_t number, std::string_view line) {
    if (line.find_first_not_of(" \t\r") == line.npos) return;
    pipeline.add(std::string(line), fmt::format("{}:{}", name, number));
  });
  return pipeline.finish();
}

}  // namespace r1::rewards
