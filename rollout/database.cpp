// RolloutWriter: a bounded queue, and the thread that takes from it into a RolloutStore.

#include "rollout/database.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "rollout/database_store.h"

namespace r1::rollout {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
int64_t bytes_of(const std::vector<T>& v) {
  return static_cast<int64_t>(v.size() * sizeof(T));
}

int64_t bytes_of(const Group& group) {
  auto bytes = static_cast<int64_t>(sizeof(Group) + group.prompt.text.size() + group.prompt.metadata_json.size());
  bytes += bytes_of(group.prompt.token_ids) + bytes_of(group.scores);
  for (const auto& s : group.samples) {
    bytes += static_cast<int64_t>(sizeof(Sample) + s.text.size()) + bytes_of(s.token_ids) + bytes_of(s.logprobs);
    bytes += bytes_of(s.sampling_logprobs) + bytes_of(s.weights_versions);
  }
  return bytes;
}

void check_sizes(const Group& group) {
  const auto check = [&](std::string_view field, size_t size, size_t wanted) {
    if (size == wanted || size == 0) return;
    throw Error("RolloutWriter::add_group",
                fmt::format("group '{}' has {} {} for {}", log::printable(group.prompt.id), size, field, wanted),
                "leave the vector empty, or give it one entry per sample (or per token)");
  };
  check("scores", group.scores.size(), group.samples.size());
  check("advantages", group.advantages.size(), group.samples.size());
  for (const auto& s : group.samples) {
    check("logprobs", s.logprobs.size(), s.token_ids.size());
    check("sampling_logprobs", s.sampling_logprobs.size(), s.token_ids.size());
    check("weights_versions", s.weights_versions.size(), s.token_ids.size());
  }
}

void check_step(std::string_view stage, int64_t step) {
  if (!stage.empty() && step >= 0) return;
  throw Error("rollout database",
              fmt::format("stage '{}', step {}: a stage has a name, and steps count from 0", stage, step),
              "pass the stage's name and its step number");
}

}  // namespace

struct RolloutWriter::State {
  // Work for the writer's thread. A waiting caller gets `done`: it is set when the work is done, or has failed.
  struct Job {
    std::function<void(RolloutStore&)> run;
    int64_t bytes = 0;
    std::shared_ptr<std::promise<void>> done;
  };

  State(const std::filesystem::path& path, const RunInfo& run, const WriterOptions& options)
      : options(options), store(path, run, options), thread([this](std::stop_token stop) { work(stop); }) {}

  void push(std::function<void(RolloutStore&)> run, int64_t bytes) {
    std::unique_lock lock(mutex);
    // A job larger than the whole queue may enter when the queue is empty.
    has_room.wait(lock, [&] { return failure || queue.empty() || queued_bytes + bytes <= options.queue_bytes; });
    if (failure) std::rethrow_exception(failure);
    queued_bytes += bytes;
    queue.push_back({std::move(run), bytes, nullptr});
    has_work.notify_one();
  }

  // Runs on the writer's thread after all that was pushed before, and waits for it.
  void run_and_wait(std::function<void(RolloutStore&)> run) {
    auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    {
      std::unique_lock lock(mutex);
      if (failure) std::rethrow_exception(failure);
      queue.push_back({std::move(run), 0, std::move(done)});
      has_work.notify_one();
    }
    finished.get();
  }

  void work(std::stop_token stop) {
    while (auto job = next(stop)) {
      try {
        if (!failed_here) job->run(store);
        if (!failed_here && store.samples_in_transaction() >= options.batch_samples) store.commit();
        if (failed_here && job->done) job->done->set_exception(failed_here);
        if (!failed_here && job->done) job->done->set_value();
      } catch (...) {
        fail(std::current_exception());
        if (job->done) job->done->set_exception(failed_here);
      }
      release(job->bytes);
    }
  }

  // The next job; commits while there is none and the transaction is old enough. Nothing once all is done and stop is
  // requested.
  std::optional<Job> next(std::stop_token stop) {
    std::unique_lock lock(mutex);
    for (;;) {
      const auto is_ready = [&] { return !queue.empty(); };
      if (failed_here || !store.has_open_transaction()) {
        has_work.wait(lock, stop, is_ready);
      } else {
        has_work.wait_until(lock, stop, transaction_deadline, is_ready);
      }
      if (is_ready()) break;
      if (stop.stop_requested()) return {};
      lock.unlock();
      try {
        store.commit();
      } catch (...) {
        fail(std::current_exception());
      }
      lock.lock();
    }
    if (!store.has_open_transaction())
      transaction_deadline = Clock::now() + std::chrono::milliseconds(options.batch_ms);
    auto job = std::move(queue.front());
    queue.pop_front();
    return job;
  }

  void fail(std::exception_ptr error) {
    store.rollback();
    failed_here = error;
    std::lock_guard lock(mutex);
    failure = error;
    has_room.notify_all();
  }

  void release(int64_t bytes) {
    std::lock_guard lock(mutex);
    queued_bytes -= bytes;
    has_room.notify_all();
  }

  const WriterOptions options;
  RolloutStore store;              // the thread's, once it runs
  std::exception_ptr failed_here;  // the thread's own copy of `failure`
  Clock::time_point transaction_deadline;

  std::mutex mutex;  // guards the four below
  std::condition_variable_any has_work, has_room;
  std::deque<Job> queue;
  int64_t queued_bytes = 0;
  std::exception_ptr failure;
  std::jthread thread;  // last: it uses all of the above
};

RolloutWriter::RolloutWriter(const std::filesystem::path& path, const RunInfo& run, const WriterOptions& options)
    : state_(std::make_unique<State>(path, run, options)) {}

RolloutWriter::~RolloutWriter() {
  try {
    flush();
  } catch (const std::exception& e) {
    log::error("{}", e.what());
  }
}

void RolloutWriter::add_group(std::string_view stage, int64_t step, Split split, Group group) {
  check_step(stage, step);
  check_sizes(group);
  const auto bytes = bytes_of(group);
  // Shared, because std::function wants to be copyable; never copied in fact.
  auto shared = std::make_shared<const Group>(std::move(group));
  state_->push([stage = std::string(stage), step, split, shared](auto& s) { s.add_group(stage, step, split, *shared); },
               bytes);
}

void RolloutWriter::add_step(const StepRecord& record) {
  check_step(record.stage, record.step);
  state_->push([record](auto& s) { s.add_step(record); }, static_cast<int64_t>(record.metrics.size() * 100));
}

void RolloutWriter::add_weights(std::string_view stage, int64_t step, const WeightsVersion& version) {
  check_step(stage, step);
  state_->push([stage = std::string(stage), step, version](auto& s) { s.add_weights(stage, step, version); }, 100);
}

void RolloutWriter::add_evaluation(const Evaluation& evaluation) {
  check_step(evaluation.stage, evaluation.step);
  state_->push([evaluation](auto& s) { s.add_evaluation(evaluation); }, 200);
}

void RolloutWriter::add_alarms(std::string_view stage, int64_t step, std::vector<Alarm> alarms) {
  check_step(stage, step);
  state_->push(
      [stage = std::string(stage), step, alarms = std::move(alarms)](auto& s) { s.add_alarms(stage, step, alarms); },
      200);
}

void RolloutWriter::add_lineage(std::string_view child_kind, std::string_view child_id,
                                std::vector<int64_t> sample_ids) {
  const auto bytes = bytes_of(sample_ids);
  state_->push([kind = std::string(child_kind), id = std::string(child_id),
                ids = std::move(sample_ids)](auto& s) { s.add_lineage(kind, id, ids); },
               bytes);
}

void RolloutWriter::flush() {
  state_->run_and_wait([](RolloutStore& s) { s.commit_and_sync(); });
}

void RolloutWriter::truncate_after(std::string_view stage, int64_t step) {
  check_step(stage, std::max<int64_t>(step, 0));
  state_->run_and_wait([stage = std::string(stage), step](auto& s) { s.truncate_after(stage, step); });
}

RolloutPosition RolloutWriter::position(std::string_view stage) {
  check_step(stage, 0);
  RolloutPosition position;
  state_->run_and_wait([&, stage = std::string(stage)](auto& s) {
    s.commit_and_sync();
    position = s.position(stage);
  });
  return position;
}

}  // namespace r1::rollout
