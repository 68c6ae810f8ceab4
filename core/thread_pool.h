#pragma once
// Fork-join loops over a fixed set of threads, for the kernels. Threads spin for a short while after a loop (decode
// runs hundreds of small loops a step) and then sleep.

#include <cstdint>
#include <memory>
#include <type_traits>

namespace r1 {

// A non-owning reference to something callable: no allocation per loop.
template <typename Signature>
class FunctionRef;
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>) FunctionRef(F&& f)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))), call_([](void* o, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(o))(static_cast<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, static_cast<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

// One loop runs at a time; a loop started from inside a loop's body, or while another thread's loop runs, runs
// on its caller alone. Thread-safe.
class ThreadPool {
 public:
  // num_threads counts the caller: 1 makes no threads.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls body(begin, end) for consecutive ranges of at most `grain` indices that cover [0, count), each once, on any
  // thread, and returns when all are done. Ranges are claimed in order as threads come free. The first exception thrown
  // by a body is rethrown here once every thread has stopped.
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The process's pool for kernels called from where no pool can be passed (autograd functions). Its size is
// R1_NUM_THREADS, else the number of cores this process may run on, until set_compute_threads() replaces it.
ThreadPool& compute_pool();
void set_compute_threads(int num_threads);

}  // namespace r1
