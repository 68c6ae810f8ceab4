#pragma once
// Runs programs that may do anything, so that they can do nothing: docs/rewards_code.md says against what, and how.
//
//   Sandbox sandbox({});
//   const auto outcome = sandbox.run({.argv = {"/usr/bin/env"}}, {.cpu_ms = 1000});

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "rewards/sandbox/limits.h"

namespace r1::sandbox {

class Slot;

// An interpreter that starts once per slot and is forked for every run.
struct WarmInterpreter {
  // The sandbox adds: the file of the library to load, the runs' folder, and the readable paths, for r1_serve().
  std::vector<std::string> argv;  // empty: none
};

enum class Isolation {
  kFull,    // namespaces, or nothing runs
  kUnsafe,  // without namespaces: rlimits, no_new_privs, seccomp and Landlock only. A choice for a person to make.
};

struct Options {
  Isolation isolation = Isolation::kFull;
  int num_slots = 0;                 // runs at once; 0: one per processor
  int wait_ms = 300'000;             // for a free slot
  std::vector<std::string> folders;  // further folders that programs may read and execute, such as an interpreter's
  WarmInterpreter warm;
};

// What this machine gives. Fields below is_available say what a slot has.
struct IsolationReport {
  bool is_available = false;
  std::string reason;  // why not: the step that failed and the system's words
  bool has_namespaces = false;
  int landlock_abi = 0;  // 0: none
  bool has_memory_cgroup = false, has_pids_cgroup = false;
  bool can_measure = false;  // sums of memory and processor time over a run's processes
  int uid = -1;              // outside, of all that runs
};

// Bytes to execute, held in memory and shared by all runs.
class Binary {
 public:
  explicit Binary(std::string_view content);  // throws Error
  ~Binary();
  Binary(const Binary&) = delete;
  Binary& operator=(const Binary&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

enum class Children { kForbidden, kAllowed };

// One program to run, in a folder of its own that goes with it.
struct Job {
  enum class Start { kExecute, kWarm };
  Start start = Start::kExecute;
  std::vector<std::string> argv;         // kExecute: argv[0] is a path in the box, or the binary's name
  std::shared_ptr<const Binary> binary;  // executed if there is one
  std::string input;                     // stdin
  std::string message;                   // on descriptor 3
  std::vector<std::pair<std::string, std::string>> files;  // name and content, in the program's folder (kExecute)
  std::string collect;                       // kExecute: a file it leaves there, handed back as Outcome::result
  Children programs = Children::kForbidden;  // may a warm run start other programs?
};

struct Outcome {
  End end = End::kFailed;
  int code = 0;  // exit status or signal; errno for kFailed
  std::string out, err;
  std::string result;  // what came on descriptor 4, or the collected file
  std::string detail;  // kFailed: the step that failed
  int64_t cpu_ms = 0;
  int64_t wall_us = 0;
  int64_t peak_memory_bytes = 0;
};

// A pool of slots: helper processes, each with its namespaces and its warm interpreter, which run one program at a
// time. Slots start at need and stay. Thread-safe; run() always returns: after the wait for a slot, kLongestWait times
// the job's wall_ms and some seconds, at the latest.
class Sandbox {
 public:
  explicit Sandbox(Options options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // kFailed if the sandbox itself failed, twice where a second try makes sense.
  Outcome run(const Job& job, const Limits& limits);

  // Starts a slot to see, unless one is there.
  IsolationReport report();
  // Starts slots until there are as many as may run at once. Throws Error if isolation is missing.
  void start_all();

 private:
  struct Taken {
    std::unique_ptr<Slot> slot;
    std::string reason;  // why there is none
  };
  Taken take();
  void give_back(std::unique_ptr<Slot> slot);

  const Options options_;
  int num_slots_;
  std::mutex mutex_;
  std::condition_variable has_slot_;
  std::vector<std::unique_ptr<Slot>> idle_;  // guarded by mutex_, like all below
  int num_taken_ = 0;
  IsolationReport report_;
};

std::string_view to_string(End end);

}  // namespace r1::sandbox
