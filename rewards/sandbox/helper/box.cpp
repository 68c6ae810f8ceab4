#include "rewards/sandbox/helper/box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace r1::sandbox::box {
namespace {

constexpr int kNumProgramDescriptors = 5;

const char* const kEnvironment[]{
    "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8", "PYTHONHASHSEED=0",
    "PYTHONDONTWRITEBYTECODE=1",         nullptr};

void tell(int fd, const Status& status) {
  ssize_t written;
  do {
    written = write(fd, &status, sizeof status);
  } while (written < 0 && errno == EINTR);
}

[[noreturn]] void give_up(const Spec& spec, Status::Kind kind, const char* step) {
  Status status{kind, 0, errno, 0, {}};
  strncpy(status.step, step, sizeof status.step - 1);
  tell(spec.fds.status, status);
  _exit(125);
}

int write_file(const File& file) {
  const int fd = open(file.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return -1;
  size_t done = 0;
  while (done < file.size) {
    const auto n = write(fd, file.content + done, file.size - done);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) done += static_cast<size_t>(n);
  }
  close(fd);
  return done == file.size ? 0 : -1;
}

// When memory runs out, what the kernel kills shall be the run and neither the helper nor anything else.
void offer_to_oom_killer(int proc) {
  const int fd = proc < 0 ? -1 : openat(proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "1000", 4) != 4) errno = 0;  // a hardened kernel may refuse; limits hold without it
  close(fd);
}

void prepare_folder(const Spec& spec) {
  if (spec.has_namespaces) {
    char options[96];
    snprintf(options, sizeof options, "size=%lld,nr_inodes=%d,mode=0700",
             static_cast<long long>(spec.limits.disk_bytes), spec.limits.num_inodes);
    if (mount("tmpfs", spec.folder, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
      give_up(spec, Status::kSetupFailed, "mount the run's tmpfs");
    }
  }
  if (chdir(spec.folder) != 0) give_up(spec, Status::kSetupFailed, "enter the run's folder");
  for (int i = 0; i < spec.num_files; ++i) {
    if (write_file(spec.files[i]) != 0) give_up(spec, Status::kSetupFailed, "write a file of the run");
  }
}

int limit(int resource, int64_t soft, int64_t hard) {
  const rlimit value{static_cast<rlim_t>(soft), static_cast<rlim_t>(hard)};
  return setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

// Each process of the run has these; sums over processes are the helper's to enforce. Address space is only a backstop:
// threads reserve much more of it than they use.
bool set_limits(const Limits& l) {
  const int64_t cpu_seconds = (l.cpu_ms + 999) / 1000 + 1;
  const int64_t stack = 64 << 20;
  // The helper, the warm interpreter and init count against the user's number of processes.
  const int64_t processes = l.max_processes + 4;
  return limit(RLIMIT_AS, 2 * l.memory_bytes + (1 << 30), 2 * l.memory_bytes + (1 << 30)) == 0 &&
         limit(RLIMIT_CPU, cpu_seconds, cpu_seconds + 1) == 0 && limit(RLIMIT_FSIZE, l.disk_bytes, l.disk_bytes) == 0 &&
         limit(RLIMIT_NOFILE, l.max_open_files, l.max_open_files) == 0 &&
         limit(RLIMIT_NPROC, processes, processes) == 0 && limit(RLIMIT_CORE, 0, 0) == 0 &&
         limit(RLIMIT_STACK, stack, stack) == 0 && limit(RLIMIT_MSGQUEUE, 0, 0) == 0 &&
         limit(RLIMIT_MEMLOCK, 0, 0) == 0 && limit(RLIMIT_SIGPENDING, 128, 128) == 0;
}

// Puts the program's descriptors at 0 to 4 and closes all others but `status`, which then stands at 5, and `binary`
// at 6.
bool place_descriptors(const Spec& spec) {
  const int wanted[]{spec.fds.in,     spec.fds.out,    spec.fds.err, spec.fds.message,
                     spec.fds.result, spec.fds.status, spec.binary};
  constexpr int kCount = sizeof wanted / sizeof *wanted;
  int high[kCount];
  for (int i = 0; i < kCount; ++i) {  // out of the way first: targets may hold sources
    high[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, 64);
    if (wanted[i] >= 0 && high[i] < 0) return false;
  }
  for (int i = 0; i < kCount; ++i) {
    if (high[i] < 0) {
      close(i);
    } else if (dup3(high[i], i, i < kNumProgramDescriptors ? 0 : O_CLOEXEC) < 0 && i != high[i]) {
      return false;
    }
  }
  return syscall(SYS_close_range, kCount, ~0u, 0) == 0;
}

void reset_signals() {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the program's process: everything off that it must not have. Returns only if spec.is_warm.
void become_program(Spec spec) {
  if (!place_descriptors(spec)) give_up(spec, Status::kSetupFailed, "place descriptors");
  spec.fds.status = kNumProgramDescriptors;
  if (spec.binary >= 0) spec.binary = kNumProgramDescriptors + 1;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  if (!spec.is_warm) reset_signals();
  umask(022);
  if (!set_limits(spec.limits)) give_up(spec, Status::kSetupFailed, "set limits");
  if (drop_capabilities() != 0) give_up(spec, Status::kSetupFailed, "drop capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(spec, Status::kSetupFailed, "set no_new_privs");
  if (restrict_files(spec.readable, spec.folder) != 0) give_up(spec, Status::kSetupFailed, "restrict files (Landlock)");
  if (restrict_calls(!spec.is_warm || spec.may_execute) != 0) {
    give_up(spec, Status::kSetupFailed, "restrict system calls (seccomp)");
  }
  if (spec.is_warm) {
    close(spec.fds.status);
    return;
  }
  char* const* argv = const_cast<char* const*>(spec.argv);
  char* const* environment = const_cast<char* const*>(kEnvironment);
  if (spec.binary >= 0) {
    syscall(SYS_execveat, spec.binary, "", argv, environment, AT_EMPTY_PATH);
  } else {
    execve(argv[0], argv, environment);
  }
  give_up(spec, Status::kExecFailed, "execute the program");
}

// Hands back a file that the program left. The program may have put anything there: links, devices, other files.
void send_file(const char* name, int to, int64_t max_bytes) {
  const open_how how{O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  const auto fd = static_cast<int>(syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how));
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  char buffer[64 << 10];
  for (int64_t left = max_bytes; left > 0;) {
    const auto n = read(
        fd, buffer,
        static_cast<size_t>(left < static_cast<int64_t>(sizeof buffer) ? left : static_cast<int64_t>(sizeof buffer)));
    if (n <= 0) break;
    for (ssize_t done = 0; done < n;) {
      const auto written = write(to, buffer + done, static_cast<size_t>(n - done));
      if (written < 0 && errno != EINTR) return;
      if (written > 0) done += written;
    }
    left -= n;
  }
}

// Process 1 of the run: waits for the program, reaps orphans, tells the end. When it exits the kernel kills the rest.
[[noreturn]] void be_init(const Spec& spec, pid_t program) {
  close(spec.fds.in);
  close(spec.fds.out);
  close(spec.fds.err);
  close(spec.fds.message);
  if (spec.collect == nullptr) close(spec.fds.result);
  Status status{Status::kEnded, 0, 0, 0, {}};
  for (;;) {
    rusage usage{};
    int wait_status = 0;
    const auto pid = wait4(-1, &wait_status, 0, &usage);
    if (pid < 0 && errno != EINTR) _exit(125);
    if (pid != program) continue;
    status.wait_status = wait_status;
    status.peak_memory_bytes = usage.ru_maxrss * 1024;
    break;
  }
  if (spec.collect != nullptr && WIFEXITED(status.wait_status)) {
    send_file(spec.collect, spec.fds.result, spec.limits.result_bytes + 1);
  }
  tell(spec.fds.status, status);
  _exit(0);
}

}  // namespace

int drop_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability <= 63; ++capability) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2]{};
  return static_cast<int>(syscall(SYS_capset, &header, none));
}

pid_t start(const Spec& spec, unsigned long flags) {
  if (spec.has_namespaces) flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
  // Not fork(): it has no flags. The C library's idea of its thread id is stale in init, which needs none; the
  // program's process comes from fork() and has it right.
  const auto init = static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
  if (init != 0) return init;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  offer_to_oom_killer(spec.proc);
  prepare_folder(spec);
  const pid_t program = fork();
  if (program < 0) give_up(spec, Status::kSetupFailed, "fork the program");
  if (program != 0) be_init(spec, program);
  become_program(spec);
  return 0;
}

}  // namespace r1::sandbox::box
