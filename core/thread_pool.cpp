#include "core/thread_pool.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"

namespace r1 {
namespace {

constexpr int kMaxThreads = 4096;
constexpr auto kSpinTime = std::chrono::microseconds(40);  // longer than the gap between two loops of a decode step
constexpr uint32_t kOpen = uint32_t{1} << 31;
constexpr size_t kCacheLine = 64;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True as soon as is_ready() is; false after kSpinTime.
template <typename Ready>
bool spin_until(Ready is_ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (is_ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return is_ready();
}

struct Loop {
  int64_t count = 0, grain = 1, num_ranges = 0;
  FunctionRef<void(int64_t, int64_t)>* body = nullptr;
};

void run_range(const Loop& loop, int64_t range) {
  const int64_t begin = range * loop.grain;
  (*loop.body)(begin, begin + std::min(loop.grain, loop.count - begin));
}

}  // namespace

// A worker takes part in a loop only between passing `gate` while it is open and leaving it. The caller writes `loop`
// before it opens the gate, and after closing it waits for those inside, not for those asleep: a worker that the
// system is slow to wake costs nothing but its help.
struct ThreadPool::State {
  alignas(kCacheLine) std::atomic<uint32_t> gate = 0;   // kOpen, plus the number of workers inside
  alignas(kCacheLine) std::atomic<uint32_t> epoch = 0;  // counts loops; workers wait for it to change
  std::atomic<int> num_sleeping = 0;
  std::atomic<bool> is_stopping = false;
  alignas(kCacheLine) std::atomic<int64_t> next_range = 0;
  alignas(kCacheLine) std::atomic_flag is_busy = ATOMIC_FLAG_INIT;  // a loop runs
  std::atomic_flag has_failed = ATOMIC_FLAG_INIT;
  std::exception_ptr failure;  // written by who sets has_failed, read by the caller after the gate is empty
  Loop loop;
  const pid_t process = ::getpid();
  std::vector<std::jthread> workers;

  ~State();
  void wake_workers();
  void work();
  bool enter_gate();
  void leave_gate();
  void close_gate();
  uint32_t wait_for_epoch_after(uint32_t seen);
  void take_ranges() noexcept;
};

ThreadPool::State::~State() {
  if (::getpid() != process) {  // after a fork the threads are not in this process, and joining them would hang
    new std::vector<std::jthread>(std::move(workers));
    return;
  }
  is_stopping = true;
  wake_workers();
}

// Sequentially consistent on purpose: either the worker about to sleep sees the new epoch, or we see it sleeping.
void ThreadPool::State::wake_workers() {
  epoch.fetch_add(1);
  if (num_sleeping.load() > 0) epoch.notify_all();
}

uint32_t ThreadPool::State::wait_for_epoch_after(uint32_t seen) {
  if (!spin_until([&] { return epoch.load() != seen; })) {
    num_sleeping.fetch_add(1);
    epoch.wait(seen);
    num_sleeping.fetch_sub(1);
  }
  return epoch.load();
}

bool ThreadPool::State::enter_gate() {
  uint32_t now = gate.load(std::memory_order_relaxed);
  while (now & kOpen) {
    if (gate.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
  }
  return false;
}

void ThreadPool::State::leave_gate() {
  if (gate.fetch_sub(1, std::memory_order_acq_rel) == 1) gate.notify_one();  // closed, and the last one out
}

void ThreadPool::State::close_gate() {
  if (gate.fetch_and(~kOpen, std::memory_order_acq_rel) == kOpen) return;
  if (spin_until([&] { return gate.load(std::memory_order_acquire) == 0; })) return;
  for (uint32_t now = gate.load(std::memory_order_acquire); now != 0; now = gate.load(std::memory_order_acquire)) {
    gate.wait(now);
  }
}

void ThreadPool::State::take_ranges() noexcept {
  try {
    for (;;) {
      const int64_t range = next_range.fetch_add(1, std::memory_order_relaxed);
      if (range >= loop.num_ranges) return;
      run_range(loop, range);
    }
  } catch (...) {  // carried to the caller of parallel_for
    next_range.store(loop.num_ranges, std::memory_order_relaxed);
    if (!has_failed.test_and_set()) failure = std::current_exception();
  }
}

void ThreadPool::State::work() {
  uint32_t seen = 0;
  for (;;) {
    seen = wait_for_epoch_after(seen);
    if (is_stopping) return;
    if (!enter_gate()) continue;
    take_ranges();
    leave_gate();
  }
}

ThreadPool::ThreadPool(int num_threads) : state_(std::make_unique<State>()) {
  if (num_threads < 1 || num_threads > kMaxThreads) {
    throw Error("ThreadPool", fmt::format("num_threads is {}, allowed are 1 to {}", num_threads, kMaxThreads),
                "set a number of threads near the number of cores (nproc)");
  }
  try {
    for (int i = 1; i < num_threads; ++i) {
      state_->workers.emplace_back([state = state_.get()] { state->work(); });
    }
  } catch (const std::system_error& e) {
    throw Error("ThreadPool",
                fmt::format("cannot start thread {} of {}: {}", state_->workers.size() + 2, num_threads, e.what()),
                "use fewer threads (R1_NUM_THREADS), or allow more: ulimit -u");
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (count <= 0) return;
  grain = std::clamp<int64_t>(grain, 1, count);
  const Loop loop{.count = count, .grain = grain, .num_ranges = (count - 1) / grain + 1, .body = &body};
  State& s = *state_;
  if (loop.num_ranges == 1 || s.workers.empty() || s.is_busy.test_and_set(std::memory_order_acquire)) {
    for (int64_t range = 0; range < loop.num_ranges; ++range) run_range(loop, range);
    return;
  }
  s.loop = loop;
  s.next_range.store(0, std::memory_order_relaxed);
  s.gate.store(kOpen, std::memory_order_release);
  s.wake_workers();
  s.take_ranges();
  s.close_gate();
  std::exception_ptr failure;
  std::swap(failure, s.failure);
  s.has_failed.clear();
  s.is_busy.clear(std::memory_order_release);
  if (failure) std::rethrow_exception(failure);
}

namespace {

int default_num_threads() {
  if (const char* setting = std::getenv("R1_NUM_THREADS"); setting != nullptr) {
    const std::string_view text = setting;
    int value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < 1 || value > kMaxThreads) {
      throw Error("environment variable R1_NUM_THREADS",
                  fmt::format("it is '{}', allowed are 1 to {}", text, kMaxThreads),
                  "export R1_NUM_THREADS=$(nproc), or unset it");
    }
    return value;
  }
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof(cores), &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));  // over 1024 cores
}

struct ComputePool {
  std::mutex mutex;
  std::unique_ptr<ThreadPool> owner;
  std::atomic<ThreadPool*> pool = nullptr;

  ThreadPool& replace(int num_threads) {
    pool = nullptr;
    owner.reset();  // first, so that two pools' threads never run side by side
    owner = std::make_unique<ThreadPool>(num_threads);
    pool = owner.get();
    return *owner;
  }
};

ComputePool& compute() {
  static ComputePool instance;
  return instance;
}

}  // namespace

ThreadPool& compute_pool() {
  ComputePool& c = compute();
  if (ThreadPool* pool = c.pool.load(std::memory_order_acquire)) return *pool;
  const std::scoped_lock lock(c.mutex);
  if (ThreadPool* pool = c.pool.load(std::memory_order_acquire)) return *pool;
  return c.replace(default_num_threads());
}

void set_compute_threads(int num_threads) {
  ComputePool& c = compute();
  const std::scoped_lock lock(c.mutex);
  c.replace(num_threads);
}

}  // namespace r1
