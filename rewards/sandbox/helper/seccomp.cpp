// The allow-list of system calls, as a classic BPF program. Whatever is not on it fails with EPERM (ENOSYS for calls
// newer than the list, so that the C library takes its older way); calls of another architecture's table end the
// program.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rewards/sandbox/helper/box.h"

namespace r1::sandbox::box {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr uint32_t kHighestCall = 0x40000000;  // the x32 table begins here
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr uint32_t kHighestCall = 0xffffffff;
#endif

// Calls without conditions on their arguments.
constexpr int kAllowed[]{
    SYS_read,
    SYS_write,
    SYS_futex,
    SYS_mmap,
    SYS_munmap,
    SYS_brk,
    SYS_clock_gettime,
    SYS_close,
    SYS_fstat,
    SYS_openat,
    SYS_newfstatat,
    SYS_lseek,
    SYS_pread64,
    SYS_pwrite64,
    SYS_readv,
    SYS_writev,
    SYS_preadv,
    SYS_pwritev,
    SYS_mprotect,
    SYS_mremap,
    SYS_msync,
    SYS_mincore,
    SYS_madvise,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_ppoll,
    SYS_pselect6,
    SYS_sched_yield,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_getres,
    SYS_getitimer,
    SYS_setitimer,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_uname,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_getdents64,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_renameat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_linkat,
    SYS_unlinkat,
    SYS_symlinkat,
    SYS_readlinkat,
    SYS_faccessat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_umask,
    SYS_utimensat,
    SYS_gettimeofday,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_times,
    SYS_getuid,
    SYS_getgid,
    SYS_geteuid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgid,
    SYS_getsid,
    SYS_setpgid,
    SYS_setsid,
    SYS_capget,
    SYS_statfs,
    SYS_fstatfs,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_getpriority,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_restart_syscall,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_signalfd4,
    SYS_prlimit64,
    SYS_getrandom,
    SYS_copy_file_range,
    SYS_sendfile,
    SYS_membarrier,
    SYS_fadvise64,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_shutdown,
    SYS_getsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_delete,
    SYS_timer_getoverrun,
#ifdef SYS_statx
    SYS_statx,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_close_range
    SYS_close_range,
#endif
#ifdef SYS_open  // the older names, which newer architectures never had
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_poll,
    SYS_access,
    SYS_pipe,
    SYS_select,
    SYS_dup2,
    SYS_pause,
    SYS_alarm,
    SYS_fork,
    SYS_vfork,
    SYS_getdents,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_creat,
    SYS_link,
    SYS_unlink,
    SYS_symlink,
    SYS_readlink,
    SYS_chmod,
    SYS_getrlimit,
    SYS_setrlimit,
    SYS_getpgrp,
    SYS_time,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_eventfd,
    SYS_signalfd,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_arch_prctl,
#endif
};

// Extended attributes: "not supported" is what copying files copes with.
constexpr int kUnsupported[]{SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr};

constexpr int kExecuting[]{SYS_execve, SYS_execveat};

constexpr unsigned kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

constexpr unsigned kTerminalQuestions[]{TCGETS, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
// Naming threads, asking about oneself. PR_SET_VMA names memory for glibc.
constexpr unsigned kProcessQuestions[]{PR_SET_NAME,     PR_GET_NAME,         PR_GET_DUMPABLE, PR_GET_PDEATHSIG,
                                       PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,  0x53564d41};

constexpr int kMaxInstructions = 512;

class Filter {
 public:
  void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)); }
  void load_argument(int index) {
    load(offsetof(seccomp_data, args) + 8 * static_cast<size_t>(index));
  }  // its low half
  void give(uint32_t action) { add(BPF_RET | BPF_K, 0, 0, action); }
  void give_if_equal(uint32_t value, uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    give(action);
  }
  void allow(uint32_t value) { give_if_equal(value, SECCOMP_RET_ALLOW); }
  void give_if_other(uint32_t value, uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    give(action);
  }
  void give_if_any(uint32_t mask, uint32_t action) {
    add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, mask);
    give(action);
  }
  void give_if_at_least(uint32_t value, uint32_t action) {
    add(BPF_JMP | BPF_JGE | BPF_K, 0, 1, value);
    give(action);
  }
  void mask(uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, 0, 0, bits); }
  // The next instructions up to land() run for call `number` only, and must end in give().
  int for_call(int number) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, static_cast<uint32_t>(number));
    return size_ - 1;
  }
  void land(int jump) { code_[jump].jf = static_cast<uint8_t>(size_ - jump - 1); }
  int install() {
    const sock_fprog program{static_cast<unsigned short>(size_), code_};
    return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  }

 private:
  void add(int code, int if_true, int if_false, uint32_t value) {
    code_[size_++] = {static_cast<uint16_t>(code), static_cast<uint8_t>(if_true), static_cast<uint8_t>(if_false),
                      value};
  }
  sock_filter code_[kMaxInstructions];
  int size_ = 0;
};

constexpr uint32_t refusal(int code) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(code); }

// The kernel looks at the low 32 bits of each argument checked here, and so do we: set high bits change nothing.
void add_conditional_calls(Filter& f) {
  auto jump = f.for_call(SYS_clone);  // threads and processes, but no namespaces
  f.load_argument(0);
  f.give_if_any(kNewNamespaces, refusal(EPERM));
  f.give(SECCOMP_RET_ALLOW);
  f.land(jump);
  jump = f.for_call(SYS_ioctl);
  f.load_argument(1);
  for (const auto request : kTerminalQuestions) f.allow(request);
  f.give(refusal(ENOTTY));
  f.land(jump);
  jump = f.for_call(SYS_prctl);
  f.load_argument(0);
  for (const auto option : kProcessQuestions) f.allow(option);
  f.give(refusal(EPERM));
  f.land(jump);
  jump = f.for_call(SYS_socketpair);  // asyncio's self-pipe: a connected stream that can reach nobody else
  f.load_argument(0);
  f.give_if_other(AF_UNIX, refusal(EAFNOSUPPORT));
  f.load_argument(1);
  f.mask(0xf);
  f.allow(SOCK_STREAM);
  f.give(refusal(EPERM));
  f.land(jump);
}

}  // namespace

int restrict_calls(bool may_execute) {
  Filter f;
  f.load(offsetof(seccomp_data, arch));
  f.give_if_other(kArchitecture, SECCOMP_RET_KILL_PROCESS);
  f.load(offsetof(seccomp_data, nr));
  f.give_if_at_least(kHighestCall, SECCOMP_RET_KILL_PROCESS);
  for (const auto number : kAllowed) f.allow(static_cast<uint32_t>(number));
  if (may_execute) {
    for (const auto number : kExecuting) f.allow(static_cast<uint32_t>(number));
  }
  add_conditional_calls(f);
  for (const auto number : kUnsupported) f.give_if_equal(static_cast<uint32_t>(number), refusal(EOPNOTSUPP));
  f.give_if_equal(435, refusal(ENOSYS));  // clone3: its flags lie in memory, where no filter sees them
  f.give_if_at_least(449, refusal(ENOSYS));
  f.give(refusal(EPERM));
  return f.install();
}

}  // namespace r1::sandbox::box
