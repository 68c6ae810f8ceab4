#include "rewards/sandbox/helper/warden_parts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace r1::sandbox::box {

bool read_all(int fd, void* to, size_t size) {
  for (size_t done = 0; done < size;) {
    const auto n = read(fd, static_cast<char*>(to) + done, size - done);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

bool write_all(int fd, const void* from, size_t size) {
  for (size_t done = 0; done < size;) {
    const auto n = write(fd, static_cast<const char*>(from) + done, size - done);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

void close_all(std::vector<int>& fds) {
  for (const int fd : fds) close(fd);
  fds.clear();
}

void Stream::drain() {
  char buffer[64 << 10];
  while (fd >= 0) {
    const auto size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    if (size == 0) {
      close(fd);
      fd = -1;
      return;
    }
    const auto room = static_cast<size_t>(limit) - text.size();
    text.append(buffer, std::min<size_t>(room, static_cast<size_t>(size)));
    is_over = is_over || static_cast<size_t>(size) > room;
    if (is_over) return;  // the run is about to be killed
  }
}

bool receive(int socket, Job& job) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  iovec part{&job.request, sizeof job.request};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  } while (size < 0 && errno == EINTR);
  if (size != sizeof job.request) return false;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const auto* fds = reinterpret_cast<const int*>(CMSG_DATA(header));
    job.fds.assign(fds, fds + count);
  }
  std::string payload(job.request.payload_bytes, '\0');
  if (job.fds.size() != (job.has(kHasBinary) ? 3u : 2u) || !read_all(socket, payload.data(), payload.size()))
    return false;
  Reader reader(payload);
  job.argv = reader.texts();
  for (auto left = reader.number(); left > 0; --left) {
    auto name = reader.text();
    job.files.emplace_back(std::move(name), reader.text());
  }
  job.collect = reader.text();
  return true;
}

void WarmProcess::execute(int socket) {
  const int low = socket == 3 ? 3 : dup2(socket, 3);
  fcntl(low, F_SETFD, 0);
  syscall(SYS_close_range, 4u, ~0u, 0);
  // What it needs to make boxes. It is not root in its namespace, so exec() leaves it nothing else.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  syscall(SYS_capget, &header, sets);
  for (auto& set : sets) set.inheritable = set.permitted;
  syscall(SYS_capset, &header, sets);
  for (const int capability : {CAP_SYS_ADMIN, CAP_SETPCAP})
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  const rlimit stack{64 << 20, 64 << 20};
  setrlimit(RLIMIT_STACK, &stack);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> argv;
  for (const auto& argument : argv_) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const char* const environment[]{
      "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8", "PYTHONHASHSEED=0", nullptr};
  execve(argv[0], argv.data(), const_cast<char* const*>(environment));
  _exit(127);
}

// Starts the warm interpreter; a failure shows when a run needs it.
void WarmProcess::start() {
  if (argv_.empty()) return;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return;
  const pid_t pid = fork();
  if (pid == 0) execute(pair[1]);
  close(pair[1]);
  pid_ = pid;
  socket_ = pair[0];
  pollfd ready{socket_, POLLIN, 0};
  char byte = 0;
  if (pid > 0 && poll(&ready, 1, 60'000) == 1 && read(socket_, &byte, 1) == 1) return;
  close(socket_);
  socket_ = -1;
  if (pid > 0) kill(pid, SIGKILL);
}

pid_t WarmProcess::start_run(WarmRequest request, const Descriptors& fds, int proc) {
  if (socket_ < 0) start();
  if (socket_ < 0) return -1;
  const int sent[kNumWarmDescriptors]{
      fds.in, fds.out, fds.err, fds.message, fds.result, fds.status, proc >= 0 ? proc : fds.status};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof sent)]{};
  iovec part{&request, sizeof request};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof sent);
  std::memcpy(CMSG_DATA(header), sent, sizeof sent);
  WarmReply reply{-1, EPIPE};
  pollfd ready{socket_, POLLIN, 0};
  if (sendmsg(socket_, &message, MSG_NOSIGNAL) == sizeof request && poll(&ready, 1, 20'000) == 1 &&
      read(socket_, &reply, sizeof reply) == sizeof reply) {
    errno = reply.error;
    return reply.init;
  }
  close(socket_);
  socket_ = -1;
  errno = EPIPE;
  return -1;
}

// If it died, the next run starts another.
void WarmProcess::reap() {
  if (pid_ <= 0 || waitpid(pid_, nullptr, WNOHANG) != pid_) return;
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  pid_ = -1;
}

}  // namespace r1::sandbox::box
