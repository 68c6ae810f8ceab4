#pragma once
// A program against its tests.

#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "rewards/code/language.h"

namespace r1::rewards::code {

enum class Finding {
  kPassed,
  kWrong,      // a result or an output that is not the expected one
  kNoProgram,  // the completion holds none
  kCompileError,
  kRuntimeError,  // it threw, crashed, or ended without a result
  kTime,
  kMemory,
  kOutput,     // printed or wrote too much
  kUndecided,  // no fault of the program: the tests or the sandbox
};
std::string_view to_string(Finding finding);

enum class Credit {
  kBinary,      // 1 if every test passes; the first failure ends the judging
  kFractional,  // the share of tests passed
};

struct JudgeOptions {
  Credit credit = Credit::kBinary;
  sandbox::Limits limits;         // of one test
  int64_t total_cpu_ms = 60'000;  // of all tests of one completion; what is not reached has failed
  Toolchain toolchain;
  sandbox::Isolation isolation = sandbox::Isolation::kFull;
  int num_slots = 0;  // programs at once; 0: one per processor
};

struct Judged {
  Finding finding = Finding::kUndecided;  // of the first test that failed
  int num_passed = 0;
  int num_cases = 0;
  std::string detail;
};

// Builds of compiled programs by a hash of source, entry point and flags; each is compiled once, also when several
// threads ask at once. Keeps the newest. Thread-safe.
class BuildCache {
 public:
  explicit BuildCache(size_t capacity) : capacity_(capacity) {}
  template <typename Make>
  Build get(const std::string& key, const Make& make);
  int num_made() const;

 private:
  using Entry = std::pair<std::string, std::shared_future<Build>>;
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> newest_first_;  // guarded by mutex_, like all below
  std::map<std::string, std::list<Entry>::iterator> by_key_;
  int num_made_ = 0;
};

// Thread-safe: judge() may run on any number of threads, and always returns.
class Judge {
 public:
  explicit Judge(JudgeOptions options);

  // A completion: its program is found first.
  Judged judge_completion(std::string_view completion, const Tests& tests);
  // A program's source.
  Judged judge_program(const std::string& source, const Tests& tests);

  // What isolates programs; starts some of it.
  sandbox::IsolationReport isolation() { return sandbox_.report(); }
  int num_builds() const { return cache_.num_made(); }

 private:
  struct CaseResult {
    Finding finding = Finding::kUndecided;
    std::string detail;
    int64_t cpu_ms = 0;
  };
  Judged judge_in(const Language& language, const std::string& source, const Tests& tests);
  Build build(const Language& language, const std::string& source, const std::string& entry_point);
  CaseResult run_call(const Language& language, const Program& program, const Tests& tests, const Case& one);
  CaseResult run_script(const Language& language, const Program& program, const Tests& tests, const Case& one);
  CaseResult check(const Tests& tests, std::vector<Value> args);

  const JudgeOptions options_;
  sandbox::Sandbox sandbox_;
  BuildCache cache_;
};

}  // namespace r1::rewards::code
