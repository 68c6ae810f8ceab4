#include "core/thread_pool.h"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/core/child.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

// How often each index of a loop was visited.
std::vector<int> visits(ThreadPool& pool, int64_t count, int64_t grain) {
  std::vector<std::atomic<int>> seen(count);
  pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++seen[i];
  });
  return {seen.begin(), seen.end()};
}

TEST_CASE("parallel_for visits every index once, in ranges no longer than the grain") {
  struct Row {
    int threads;
    int64_t count, grain;
    const char* why;
  };
  const Row rows[] = {
      {1, 100, 7, "no worker"},
      {2, 100, 7, "the last range is short"},
      {4, 100, 1, "single indices"},
      {3, 5, 100, "one range"},
      {4, 64, 64, "exactly one range"},
      {4, 64, 0, "a grain of 0 counts as 1"},
      {8, 3, 1, "more threads than ranges"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    ThreadPool pool(row.threads);
    std::mutex mutex;
    int64_t longest = 0;
    CHECK(visits(pool, row.count, row.grain) == std::vector<int>(row.count, 1));
    pool.parallel_for(row.count, row.grain, [&](int64_t begin, int64_t end) {
      const std::scoped_lock lock(mutex);
      longest = std::max(longest, end - begin);
    });
    CHECK(longest <= std::max<int64_t>(row.grain, 1));
  }
}

TEST_CASE("A loop over nothing calls nothing") {
  ThreadPool pool(2);
  for (const int64_t count : {int64_t{0}, int64_t{-5}, std::numeric_limits<int64_t>::min()}) {
    int calls = 0;
    pool.parallel_for(count, 1, [&](int64_t, int64_t) { ++calls; });
    CHECK(calls == 0);
  }
}

TEST_CASE("Counts and grains near the largest integer do not overflow") {
  ThreadPool pool(2);
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  std::mutex mutex;
  std::set<std::pair<int64_t, int64_t>> ranges;
  pool.parallel_for(kMax, kMax / 2, [&](int64_t begin, int64_t end) {
    const std::scoped_lock lock(mutex);
    ranges.emplace(begin, end);
  });
  CHECK(ranges == std::set<std::pair<int64_t, int64_t>>{{0, kMax / 2}, {kMax / 2, kMax - 1}, {kMax - 1, kMax}});
}

TEST_CASE("Workers take part: two ranges that wait for each other both run") {
  ThreadPool pool(2);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> arrived = 0;
    pool.parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    REQUIRE(arrived == 2);
  }
}

TEST_CASE("A sleeping pool wakes") {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(200);  // past the spinning
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    std::atomic<int> arrived = 0;
    pool.parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    REQUIRE(arrived == 2);
  }
}

TEST_CASE("Hundreds of thousands of small loops lose no range") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  constexpr int kLoops = 50000;
  for (int i = 0; i < kLoops; ++i) {
    pool.parallel_for(4, 1, [&](int64_t begin, int64_t) { sum.fetch_add(begin, std::memory_order_relaxed); });
  }
  CHECK(sum == int64_t{kLoops} * 6);
}

TEST_CASE("What one loop writes, the code after it reads") {
  ThreadPool pool(4);
  std::vector<int64_t> values(1000);  // plain memory: the sanitizer would see a missing order
  for (int round = 0; round < 100; ++round) {
    pool.parallel_for(1000, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[i] += i;
    });
  }
  int64_t wrong = 0;
  for (int64_t i = 0; i < 1000; ++i) wrong += values[i] != 100 * i;
  CHECK(wrong == 0);
}

TEST_CASE("An exception in a body reaches the caller, and the pool works on") {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int64_t bad = 0; bad < 8; ++bad) {
      CHECK_THROWS_WITH(pool.parallel_for(8, 1,
                                          [&](int64_t begin, int64_t) {
                                            if (begin == bad) throw std::runtime_error("bad range");
                                          }),
                        "bad range");
      CHECK(visits(pool, 100, 3) == std::vector<int>(100, 1));
    }
  }
}

TEST_CASE("When every range throws, one exception arrives and no body still runs") {
  ThreadPool pool(4);
  std::atomic<int> running = 0;
  for (int round = 0; round < 100; ++round) {
    CHECK_THROWS_AS(pool.parallel_for(64, 1,
                                      [&](int64_t, int64_t) {
                                        ++running;
                                        std::this_thread::yield();
                                        --running;
                                        throw std::runtime_error("each");
                                      }),
                    std::runtime_error);
    REQUIRE(running == 0);
  }
}

TEST_CASE("A loop inside a loop runs on its caller alone") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> seen(16 * 16);
  std::atomic<int> strangers = 0;
  pool.parallel_for(16, 1, [&](int64_t outer, int64_t) {
    const auto self = std::this_thread::get_id();
    pool.parallel_for(16, 1, [&](int64_t inner, int64_t) {
      ++seen[outer * 16 + inner];
      strangers += std::this_thread::get_id() != self;
    });
  });
  CHECK(strangers == 0);
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("Loops from several threads at once all finish whole") {
  ThreadPool pool(2);
  std::atomic<int> bad = 0;
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([&] {
        for (int round = 0; round < 200; ++round) bad += visits(pool, 50, 3) != std::vector<int>(50, 1);
      });
    }
  }
  CHECK(bad == 0);
}

TEST_CASE("A number of threads out of range is refused") {
  for (const int threads : {0, -1, 1 << 20}) CHECK_THROWS_AS(ThreadPool(threads), Error);
  CHECK_THROWS_WITH(ThreadPool(0), Catch::Contains("num_threads is 0, allowed are 1 to"));
}

TEST_CASE("The compute pool's size is R1_NUM_THREADS until set_compute_threads") {
  CHECK(run_in_child([] {
          ::setenv("R1_NUM_THREADS", "3", 1);
          const bool is_from_environment = compute_pool().size() == 3;
          set_compute_threads(2);
          return is_from_environment && compute_pool().size() == 2 ? 0 : 1;
        }) == 0);
  CHECK(run_in_child([] {
          ::unsetenv("R1_NUM_THREADS");
          return compute_pool().size() >= 1 ? 0 : 1;
        }) == 0);
}

TEST_CASE("R1_NUM_THREADS that is no number of threads is an error") {
  for (const char* bad : {"", "0", "-2", "two", "2x", "99999999999"}) {
    INFO("R1_NUM_THREADS='" << bad << "'");
    CHECK(run_in_child([&] {
            ::setenv("R1_NUM_THREADS", bad, 1);
            compute_pool();
            return 0;
          }) == kThrew);
  }
}

TEST_CASE("A forked child may run loops and exit") {
  ThreadPool pool(4);
  CHECK(visits(pool, 10, 1) == std::vector<int>(10, 1));
  CHECK(run_in_child([&] { return visits(pool, 10, 1) == std::vector<int>(10, 1) ? 0 : 1; }) == 0);
}

}  // namespace
}  // namespace r1
