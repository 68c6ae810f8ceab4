#pragma once
// What the warden is put together from.

#include <string>
#include <utility>
#include <vector>

#include "rewards/sandbox/helper/box.h"
#include "rewards/sandbox/helper/setup.h"
#include "rewards/sandbox/helper/warm.h"

namespace r1::sandbox::box {

void close_all(std::vector<int>& fds);

// What comes out of one pipe, up to a limit.
struct Stream {
  int fd = -1;
  int64_t limit = 0;
  std::string text;
  bool is_over = false;

  // Reads what is there; closes at the end.
  void drain();
};

// Everything a request asks for, with its descriptors.
struct Job {
  Request request;
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> files;
  std::string collect;
  std::vector<int> fds;  // stdin, message, and the binary if there is one
  ~Job() { close_all(fds); }
  bool has(RequestFlags flag) const { return (request.flags & flag) != 0; }
};
// False when the library is gone.
bool receive(int socket, Job& job);

// The warm interpreter. Started anew if it dies.
class WarmProcess {
 public:
  explicit WarmProcess(const std::vector<std::string>& argv) : argv_(argv) {}
  void start();
  // Init's pid, or -1 with errno.
  pid_t start_run(WarmRequest request, const Descriptors& fds, int proc);
  void reap();
  pid_t pid() const { return pid_; }

 private:
  [[noreturn]] void execute(int socket);

  const std::vector<std::string>& argv_;
  pid_t pid_ = -1;
  int socket_ = -1;
};

}  // namespace r1::sandbox::box
