#pragma once
// Runs a program as a user would: arguments, a time limit, its output and how it ended. Kills and signals on the way.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/no_namespaces.h"
#include "tests/support/temp_folder.h"

struct ProgramEnd {
  int status = -1;  // exit status; -1 if a signal ended it
  int signal = 0;
  std::string output;  // standard output and error, as they came
};

struct ProgramOptions {
  int signal = 0;  // sent after signal_after_ms, if the program still runs
  int signal_after_ms = 0;
  int limit_ms = 240'000;                 // then SIGKILL: every wait is bounded
  std::string input;                      // standard input
  rlim_t max_file_bytes = RLIM_INFINITY;  // a larger file is an error of write(), as on a full disk
  std::vector<std::string> environment;   // "NAME=value"
  bool is_without_namespaces = false;     // as on a machine that forbids them
};

inline ProgramEnd run_program(const std::vector<std::string>& words, const ProgramOptions& options = {}) {
  TempFolder folder;
  const auto out = folder / "out", in = folder / "in";
  std::ofstream(in, std::ios::binary) << options.input;
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    if (options.max_file_bytes != RLIM_INFINITY) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{options.max_file_bytes, options.max_file_bytes};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    for (const auto& setting : options.environment) ::putenv(const_cast<char*>(setting.c_str()));
    if (options.is_without_namespaces) deny_namespaces();
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  int status = 0;
  bool is_signalled = options.signal == 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    if (!is_signalled && elapsed >= options.signal_after_ms) {
      ::kill(pid, options.signal);
      is_signalled = true;
    }
    if (elapsed > options.limit_ms) ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ProgramEnd end{.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                 .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
  std::ifstream file(out, std::ios::binary);
  end.output.assign(std::istreambuf_iterator<char>(file), {});
  return end;
}
