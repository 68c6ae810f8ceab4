// The sandbox against what it cannot beat: a bare fork and exec of the same program. One key=value line each.
// usage: bench_sandbox [THREADS]

#include "rewards/sandbox/sandbox.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "rewards/code/judge.h"

namespace {

using namespace r1;

constexpr int kRuns = 300;

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Times {
  double p50, p95;
};

template <typename Call>
Times measure(const Call& call) {
  std::vector<double> times;
  for (int i = 0; i < kRuns + 10; ++i) {
    const double begin = now_ms();
    call();
    if (i >= 10) times.push_back(now_ms() - begin);
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 95 / 100]};
}

void spawn_and_wait(std::vector<std::string> argv) {
  std::vector<char*> pointers;
  for (auto& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  char* const environment[]{nullptr};
  if (posix_spawn(&pid, pointers[0], nullptr, nullptr, pointers.data(), environment) != 0) std::exit(1);
  waitpid(pid, nullptr, 0);
}

void print(const char* name, const Times& bare, const Times& boxed) {
  fmt::print(
      "{} bare_p50_ms={:.2f} bare_p95_ms={:.2f} sandbox_p50_ms={:.2f} sandbox_p95_ms={:.2f} over_p50_ms={:.2f}\n", name,
      bare.p50, bare.p95, boxed.p50, boxed.p95, boxed.p50 - bare.p50);
}

}  // namespace

int main(int argc, char** argv) {
  const int num_threads = argc > 1 ? std::atoi(argv[1]) : static_cast<int>(std::thread::hardware_concurrency());
  rewards::code::Toolchain tools;
  sandbox::Sandbox box({.num_slots = num_threads, .warm = rewards::code::warm_python(tools)});
  box.start_all();
  print("true", measure([] { spawn_and_wait({"/usr/bin/true"}); }),
        measure([&] { box.run({.argv = {"/usr/bin/true"}}, {}); }));
  const std::string program = "print(1)";
  print("python", measure([&] {
          spawn_and_wait({tools.python, "-I", "-c", "pass"});
        }),
        measure([&] { box.run(rewards::code::kPython.script({.source = program, .binary = nullptr}, ""), {}); }));

  const double begin = now_ms();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < num_threads; ++i) {
      threads.emplace_back([&] {
        for (int run = 0; run < 4 * kRuns; ++run) {
          const auto outcome = box.run(rewards::code::kPython.script({.source = program, .binary = nullptr}, ""), {});
          if (outcome.out != "1\n") std::exit(1);
        }
      });
    }
  }
  const double seconds = (now_ms() - begin) / 1000;
  fmt::print("warm_python threads={} runs={} runs_per_s={:.1f}\n", num_threads, 4 * kRuns * num_threads,
             4 * kRuns * num_threads / seconds);
}
