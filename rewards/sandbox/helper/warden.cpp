// Process 1 of a slot: runs one program at a time and says how it ended.

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "rewards/sandbox/helper/box.h"
#include "rewards/sandbox/helper/setup.h"
#include "rewards/sandbox/helper/warden_parts.h"

namespace r1::sandbox::box {
namespace {

constexpr int64_t kMeasureUs = 8'000;
constexpr int64_t kLongestIdleUs = 200'000;  // what one look at the run may count

int64_t now_us() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000 + t.tv_nsec / 1000;
}

class Warden {
 public:
  Warden(int socket, const Setup& setup, const Cgroup& cgroup, int proc)
      : socket_(socket), setup_(setup), cgroup_(cgroup), proc_(proc), warm_(setup.warm_argv) {
    for (const auto& path : setup_.readable) readable_.push_back(path.c_str());
    readable_.push_back(nullptr);
  }

  void start() { warm_.start(); }
  [[noreturn]] void loop();

 private:
  Response run(const Job& job);
  pid_t start(const Job& job, const Descriptors& fds);
  void watch(pid_t init, const Limits& limits);
  void kill_run(pid_t init, End reason);
  void finish(pid_t init, const Limits& limits, long oom_kills_before);
  void kill_strays();
  void answer();

  const int socket_;
  const Setup& setup_;
  const Cgroup& cgroup_;
  const int proc_;  // -1: none
  std::vector<const char*> readable_;
  WarmProcess warm_;
  // Of the run at hand.
  Stream out_, err_, result_, status_;
  Response response_;
  std::string detail_;
  bool is_killed_ = false;
};

pid_t Warden::start(const Job& job, const Descriptors& fds) {
  if (job.has(kWarm)) {
    return warm_.start_run(
        {job.request.limits, setup_.namespaces == Namespaces::kRequired, job.has(kMayExecute), proc_ >= 0}, fds, proc_);
  }
  Spec spec;
  spec.limits = job.request.limits;
  spec.fds = fds;
  spec.has_namespaces = setup_.namespaces == Namespaces::kRequired;
  spec.may_execute = job.has(kMayExecute);
  spec.folder = setup_.folder.c_str();
  spec.readable = readable_.data();
  spec.proc = proc_;
  if (job.has(kHasBinary)) spec.binary = job.fds[2];
  if (!job.collect.empty()) spec.collect = job.collect.c_str();
  std::vector<const char*> argv;
  for (const auto& argument : job.argv) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  spec.argv = argv.data();
  std::vector<File> files;
  for (const auto& [name, content] : job.files) files.push_back({name.c_str(), content.data(), content.size()});
  spec.files = files.data();
  spec.num_files = static_cast<int>(files.size());
  return box::start(spec, 0);
}

void Warden::kill_run(pid_t init, End reason) {
  if (is_killed_) return;
  is_killed_ = true;
  response_.end = reason;
  if (init > 0) kill(init, SIGKILL);
}

// Until init's end of the status pipe closes, which is its death.
void Warden::watch(pid_t init, const Limits& limits) {
  const auto begin = now_us();
  auto next_measure = begin + kMeasureUs;
  bool has_library = true;
  int64_t idle_us = 0, last_measure = begin;
  while (status_.fd >= 0) {
    pollfd fds[]{{out_.fd, POLLIN, 0},
                 {err_.fd, POLLIN, 0},
                 {result_.fd, POLLIN, 0},
                 {status_.fd, POLLIN, 0},
                 {socket_, POLLRDHUP, 0}};
    const auto wait_ms = static_cast<int>(std::max<int64_t>(1, (next_measure - now_us()) / 1000));
    if (poll(fds, has_library ? 5 : 4, wait_ms) < 0 && errno != EINTR) break;
    for (auto* stream : {&out_, &err_, &result_, &status_}) {
      stream->drain();
      if (stream->is_over) kill_run(init, End::kOutput);
    }
    if (has_library && (fds[4].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
      has_library = false;
      kill_run(init, End::kFailed);
    }
    const auto now = now_us();
    if (now < next_measure) continue;
    auto usage = measure(proc_, warm_.pid(), setup_.namespaces, Pages::kEach);
    if (usage.memory_bytes > limits.memory_bytes) {
      usage.memory_bytes = measure(proc_, warm_.pid(), setup_.namespaces, Pages::kShared).memory_bytes;
    }
    // Time in which the machine had no processor for the program, or stopped all of us, is no fault of the program.
    if (proc_ < 0 || !(usage.is_busy || usage.cpu_ms > response_.cpu_ms))
      idle_us += std::min(now - last_measure, kLongestIdleUs);
    last_measure = now;
    next_measure = now_us() + kMeasureUs;
    response_.cpu_ms = std::max(response_.cpu_ms, usage.cpu_ms);
    response_.peak_memory_bytes = std::max(response_.peak_memory_bytes, usage.memory_bytes);
    if (usage.memory_bytes > limits.memory_bytes) kill_run(init, End::kMemory);
    if (usage.cpu_ms > limits.cpu_ms) kill_run(init, End::kCpuTime);
    const bool is_late = idle_us > limits.wall_ms * 1000 || now - begin > limits.wall_ms * 1000 * kLongestWait;
    if (is_late) kill_run(init, End::kWallTime);
  }
  response_.wall_us = now_us() - begin;
}

// Without a pid namespace, what the program left behind comes to us as orphans.
void Warden::kill_strays() {
  for (int round = 0; round < 1000; ++round) {
    char text[4096];
    const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    const auto size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[std::max<ssize_t>(size, 0)] = '\0';
    int num_killed = 0;
    for (char *at = text, *end = nullptr;; at = end) {
      const auto pid = static_cast<pid_t>(std::strtol(at, &end, 10));
      if (end == at) break;
      if (pid == warm_.pid()) continue;
      kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
      ++num_killed;
    }
    if (num_killed == 0) return;
  }
}

// What init said, if anybody lets it stand: a kill of ours has precedence.
void Warden::finish(pid_t init, const Limits& limits, long oom_kills_before) {
  rusage usage{};
  int init_status = 0;
  while (wait4(init, &init_status, 0, &usage) < 0 && errno == EINTR) continue;
  if (setup_.namespaces == Namespaces::kNone) kill_strays();
  for (auto* stream : {&out_, &err_, &result_}) {  // all writers are dead
    stream->drain();
    if (stream->is_over) kill_run(-1, End::kOutput);
  }
  const auto ms = [](const timeval& t) { return t.tv_sec * 1000 + t.tv_usec / 1000; };
  response_.cpu_ms = std::max<int64_t>(response_.cpu_ms, ms(usage.ru_utime) + ms(usage.ru_stime));
  if (is_killed_) return;
  Status told{};
  for (size_t at = 0; at + sizeof told <= status_.text.size(); at += sizeof told) {
    Status one;
    std::memcpy(&one, status_.text.data() + at, sizeof one);
    if (told.kind == 0 || one.kind != Status::kEnded) told = one;
    if (one.kind != Status::kEnded) break;
  }
  const bool is_oom = oom_kills(cgroup_) > oom_kills_before;
  response_.peak_memory_bytes = std::max(response_.peak_memory_bytes, told.peak_memory_bytes);
  if (told.kind == Status::kEnded && WIFEXITED(told.wait_status)) {
    response_.end = End::kExited;
    response_.code = WEXITSTATUS(told.wait_status);
  } else if (told.kind == Status::kEnded) {
    const int number = WTERMSIG(told.wait_status);
    response_.code = number;
    response_.end = number == SIGXCPU || (number == SIGKILL && response_.cpu_ms >= limits.cpu_ms) ? End::kCpuTime
                    : number == SIGXFSZ                                                           ? End::kOutput
                    : number == SIGKILL && is_oom                                                 ? End::kMemory
                                                                                                  : End::kSignalled;
  } else {
    response_.end = is_oom ? End::kMemory : End::kFailed;
    response_.code = told.error;
    detail_ = told.kind == 0 ? "the run's first process was killed" : told.step;
  }
}

Response Warden::run(const Job& job) {
  out_ = {.fd = -1, .limit = job.request.limits.output_bytes};
  err_ = out_;
  result_ = {.fd = -1, .limit = job.request.limits.result_bytes};
  status_ = {.fd = -1, .limit = 4096};
  response_ = {};
  detail_.clear();
  is_killed_ = false;
  std::vector<int> theirs;
  for (auto* stream : {&out_, &err_, &result_, &status_}) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
      detail_ = "make a pipe";
      close_all(theirs);
      return response_;
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    stream->fd = pair[0];
    theirs.push_back(pair[1]);
  }
  set_limits(cgroup_, job.request.limits);
  const auto kills = oom_kills(cgroup_);
  const pid_t init = start(job, {job.fds[0], theirs[0], theirs[1], job.fds[1], theirs[2], theirs[3]});
  const int error = errno;
  close_all(theirs);
  if (init < 0) {
    response_.code = error;
    detail_ = job.has(kWarm) ? "start a run in the warm interpreter" : "start a run";
  } else {
    watch(init, job.request.limits);
    finish(init, job.request.limits, kills);
  }
  for (auto* stream : {&out_, &err_, &result_, &status_}) {
    if (stream->fd >= 0) close(stream->fd);
    stream->fd = -1;
  }
  return response_;
}

void Warden::answer() {
  response_.out_bytes = static_cast<uint32_t>(out_.text.size());
  response_.err_bytes = static_cast<uint32_t>(err_.text.size());
  response_.result_bytes = static_cast<uint32_t>(result_.text.size());
  response_.detail_bytes = static_cast<uint32_t>(detail_.size());
  bool ok = write_all(socket_, &response_, sizeof response_);
  for (const auto* text : {&out_.text, &err_.text, &result_.text, &detail_}) {
    ok = ok && write_all(socket_, text->data(), text->size());
  }
  if (!ok) _exit(0);
  // Nothing of a run stays for the next one's memory image.
  for (auto* text : {&out_.text, &err_.text, &result_.text}) {
    explicit_bzero(text->data(), text->size());
    std::string().swap(*text);
  }
}

void Warden::loop() {
  for (;;) {
    Job job;
    if (!receive(socket_, job)) _exit(0);
    response_ = run(job);
    answer();
    for (auto& [name, content] : job.files) explicit_bzero(content.data(), content.size());
    warm_.reap();
  }
}

}  // namespace

void serve(int socket, const Setup& setup, const Cgroup& cgroup, int proc, Hello hello) {
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  if (setup.namespaces == Namespaces::kRequired && !setup.warm_library.empty()) {
    const int fd = open("/tmp/warm.so", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (fd < 0 || !write_all(fd, setup.warm_library.data(), setup.warm_library.size())) {
      throw Failure{"write the warm interpreter's library", errno};
    }
    close(fd);
  }
  Warden warden(socket, setup, cgroup, proc);
  hello.has_proc = proc >= 0;
  hello.is_ready = 1;
  if (!write_all(socket, &hello, sizeof hello)) _exit(0);
  warden.start();
  warden.loop();
}

}  // namespace r1::sandbox::box
