#pragma once
// Runs code in a child process and tells how it ended: for what kills, hangs on or is held by another process.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

// What a child returns when its code threw.
constexpr int kThrew = 111;

// A process that runs `body` and exits with what it returns.
class Child {
 public:
  explicit Child(const std::function<int()>& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    int status = kThrew;
    try {
      status = body();
    } catch (const std::exception&) {  // the status tells
    }
    ::_exit(status);
  }
  ~Child() {
    if (pid_ > 0) wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  // The exit status, or minus the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};

inline int run_in_child(const std::function<int()>& body) { return Child(body).wait(); }

// Lets one process wait for another without sleeping.
class Gate {
 public:
  Gate() {
    if (::pipe(ends_.data()) != 0) std::abort();
  }
  ~Gate() {
    for (const int end : ends_) ::close(end);
  }
  void open() {
    if (::write(ends_[1], "x", 1) != 1) std::abort();
  }
  void wait() {
    char c;
    if (::read(ends_[0], &c, 1) != 1) std::abort();
  }

 private:
  std::array<int, 2> ends_;
};
