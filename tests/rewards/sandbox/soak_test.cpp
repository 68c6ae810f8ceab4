// Many runs on the same slots, of programs that end in every way: nothing of them stays. R1_SOAK_RUNS=5000 makes it a
// soak.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rewards/sandbox/sandbox.h"
#include "tests/rewards/code/programs.h"
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1::sandbox;
using code_programs::in_parallel;
using code_programs::read_text;

namespace {

constexpr int kSlots = 2;
constexpr int64_t kSlackKib = kIsSanitized ? 512 * 1024 : 8 * 1024;  // sanitizers hold freed memory back

// A helper that is clearing up or starting afresh holds some more or fewer descriptors and a child; what leaks with every
// run, or with every tenth, is far more after 200.
constexpr size_t kSlackDescriptors = 4 * kSlots, kSlackProcesses = kSlots;

// What of this process and its helpers could pile up.
struct Holdings {
  size_t num_descriptors = 0, num_mounts = 0, num_processes = 0;
  int64_t resident_kib = 0;  // of this process and all below it
};

int64_t resident_kib(const std::string& pid) {
  std::istringstream lines(read_text("/proc/" + pid + "/status"));
  for (std::string word; lines >> word;) {
    if (word == "VmRSS:") return lines >> word ? std::stoll(word) : 0;
  }
  return 0;  // gone meanwhile, or a zombie, which counts as a process
}

void add_processes(const std::string& pid, Holdings& holdings) {
  ++holdings.num_processes;
  holdings.resident_kib += resident_kib(pid);
  std::error_code unreadable;  // of another user, where this one is not root
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd", unreadable)) {
    holdings.num_descriptors += !entry.path().empty();
  }
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + pid + "/task", unreadable)) {
    std::istringstream children(read_text(task.path() / "children"));
    for (std::string child; children >> child;) add_processes(child, holdings);
  }
}

Holdings holdings() {
  Holdings now;
  add_processes("self", now);
  for (const char c : read_text("/proc/self/mountinfo")) now.num_mounts += c == '\n';
  return now;
}

// Programs that end by themselves, by a signal, by each limit, with children, with files left and with much to say.
// False if the sandbox failed.
bool run_one(Sandbox& sandbox, size_t number) {
  static const std::vector<std::string> scripts{
      "echo $$ > f; cat f",
      "exit 3",
      "kill -9 $$",
      "sleep 100 & sleep 100 & echo started",
      "while :; do :; done",
      "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
      "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done",
      "mkdir -p a/b/c; for i in 1 2 3 4 5 6 7 8 9; do echo $i > a/b/c/$i; done; exec 5<a/b/c/1 6<a/b/c/2; true",
      "(setsid sleep 100 &); mkfifo pipe; echo done",
      "true",
  };
  Job job;
  job.argv = {"/bin/sh", "-c", scripts[number % scripts.size()]};
  job.programs = Children::kAllowed;
  const auto outcome =
      sandbox.run(job, {.cpu_ms = 60, .wall_ms = 400, .memory_bytes = 64 << 20, .output_bytes = 16 << 10});
  return outcome.end != End::kFailed;
}

}  // namespace

TEST_CASE("after many runs no process, descriptor, mount or memory of them is left") {
  const char* wanted = std::getenv("R1_SOAK_RUNS");
  const size_t num_runs = wanted != nullptr ? std::stoul(wanted) : 200;
  const auto before = holdings();
  {
    Sandbox sandbox({.num_slots = kSlots});
    sandbox.start_all();
    std::atomic<int> num_failed{0};
    in_parallel(40,
                [&](size_t i) { num_failed += !run_one(sandbox, i); });  // buffers and arenas have grown to their sizes
    const auto warm = holdings();
    in_parallel(num_runs, [&](size_t i) { num_failed += !run_one(sandbox, i); });
    const auto after = holdings();
    if (wanted != nullptr)
      WARN(num_runs << " runs: resident " << warm.resident_kib << " -> " << after.resident_kib << " KiB, processes "
                    << warm.num_processes << " -> " << after.num_processes << ", descriptors " << warm.num_descriptors
                    << " -> " << after.num_descriptors << ", mounts " << warm.num_mounts << " -> " << after.num_mounts);
    CHECK(num_failed == 0);
    CHECK(after.num_processes <= warm.num_processes + kSlackProcesses);
    CHECK(after.num_descriptors <= warm.num_descriptors + kSlackDescriptors);
    CHECK(after.num_mounts <= warm.num_mounts);
    CHECK(after.resident_kib < warm.resident_kib + kSlackKib);
    CHECK(sandbox.report().is_available);
  }
  const auto end = holdings();
  CHECK(end.num_processes == before.num_processes);
  CHECK(end.num_descriptors == before.num_descriptors);
  CHECK(end.num_mounts == before.num_mounts);
}
