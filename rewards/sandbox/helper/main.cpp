// The helper process of a sandbox slot. Started with its socket as descriptor 3 and nothing else.

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "rewards/sandbox/helper/box.h"
#include "rewards/sandbox/helper/setup.h"

namespace r1::sandbox::box {
namespace {

constexpr int kSocket = 3;
constexpr uid_t kNobody = 65534;
constexpr int kInnerId = 1000;

Setup receive_setup() {
  SetupHeader header;
  if (!read_all(kSocket, &header, sizeof header)) _exit(1);
  std::string text(header.payload_bytes, '\0');
  if (!read_all(kSocket, text.data(), text.size())) _exit(1);
  return unpack(header, text);
}

void write_map(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool ok = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!ok) throw Failure{std::string("write ") + path, error};
}

// Root outside would be root over all that is readable, and free of limits on processes.
void drop_root() {
  if (geteuid() != 0) return;
  // Where only one user is mapped (a container without further ids) this fails, and we stay who we are.
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return;
  }
  prctl(PR_SET_DUMPABLE, 1);  // else the files of /proc/self would still be root's
}

void enter_namespaces() {
  const auto uid = geteuid(), gid = getegid();
  constexpr int kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  if (unshare(kAll | CLONE_NEWCGROUP) != 0) throw Failure{"make namespaces", errno};
  write_map("/proc/self/setgroups", "deny");
  write_map("/proc/self/uid_map", std::to_string(kInnerId) + " " + std::to_string(uid) + " 1");
  write_map("/proc/self/gid_map", std::to_string(kInnerId) + " " + std::to_string(gid) + " 1");
}

[[noreturn]] void be_warden(const Setup& setup, const Cgroup& cgroup, Hello hello) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int proc = mount_proc(setup);  // first: the kernel allows it while the host's own can be seen
  if (setup.namespaces == Namespaces::kRequired) make_root(setup);
  serve(kSocket, setup, cgroup, proc, hello);
}

[[noreturn]] void fail(Hello hello, const Failure& failure) {
  hello.error = failure.error;
  failure.step.copy(hello.step, sizeof hello.step - 1);
  write_all(kSocket, &hello, sizeof hello);
  _exit(1);
}

[[noreturn]] void run() {
  signal(SIGPIPE, SIG_IGN);
  setsid();
  const auto setup = receive_setup();
  Hello hello;
  const auto cgroup = join_cgroup(setup.owner);
  cgroup.memory_folder.copy(hello.memory_cgroup, sizeof hello.memory_cgroup - 1);
  cgroup.pids_folder.copy(hello.pids_cgroup, sizeof hello.pids_cgroup - 1);
  try {
    drop_root();
    hello.uid = static_cast<int>(geteuid());
    hello.landlock_abi = landlock_abi();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw Failure{"set no_new_privs", errno};
    if (setup.namespaces == Namespaces::kRequired) {
      enter_namespaces();
    } else {
      prctl(PR_SET_CHILD_SUBREAPER, 1);
      be_warden(setup, cgroup, hello);
    }
    const auto warden = fork();
    if (warden < 0) throw Failure{"fork the warden", errno};
    if (warden == 0) be_warden(setup, cgroup, hello);
    close(kSocket);
    int status = 0;
    while (waitpid(warden, &status, 0) < 0 && errno == EINTR) continue;
    _exit(0);
  } catch (const Failure& failure) {
    fail(hello, failure);
  }
}

}  // namespace
}  // namespace r1::sandbox::box

int main() {
  // Whatever the library's program had open without close-on-exec.
  syscall(SYS_close_range, 4u, ~0u, 0);
  r1::sandbox::box::run();
}
