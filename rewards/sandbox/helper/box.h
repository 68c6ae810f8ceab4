#pragma once
// One run's box: the processes between the helper (or the warm interpreter) and the program.
//
//   caller --clone--> init (process 1 of a new pid namespace, own mounts) --fork--> the program
//
// Compiled twice: into the helper, and into the library that the warm interpreter loads. So no C++ runtime here, and
// nothing that allocates.

#include <sys/types.h>

#include "rewards/sandbox/limits.h"

namespace r1::sandbox::box {

struct File {
  const char* name;  // within the run's folder
  const char* content;
  size_t size;
};

// Descriptors that the program gets as 0 to 4, and `status`, which it never gets.
struct Descriptors {
  int in = -1, out = -1, err = -1, message = -1, result = -1, status = -1;
};

struct Spec {
  Limits limits;
  Descriptors fds;
  bool has_namespaces = true;
  bool may_execute = false;
  bool is_warm = false;                   // returns in the program's process instead of executing
  const char* folder = "/tmp";            // writable, working folder; a fresh tmpfs if has_namespaces
  const char* const* readable = nullptr;  // null-terminated: paths that Landlock lets the program read
  const char* const* argv = nullptr;
  int proc = -1;    // a proc mount that sees the caller; -1: none
  int binary = -1;  // executed if not -1, else argv[0]
  const File* files = nullptr;
  int num_files = 0;
  const char* collect = nullptr;  // a file that init writes to `result` once the program is gone
};

// What init tells over `status`. Smaller than PIPE_BUF, so whole or not at all.
struct Status {
  enum Kind : int32_t { kEnded = 1, kSetupFailed = 2, kExecFailed = 3 } kind;
  int32_t wait_status;  // as of wait(2)
  int32_t error;
  int64_t peak_memory_bytes;  // largest resident memory of one process
  char step[40];
};

// The pid of init in the caller's namespace, or -1 with errno. If spec.is_warm, returns 0 in the program's process,
// which then has every restriction on it. `flags` adds to clone(2)'s: CLONE_PARENT makes init a child of the caller's
// parent.
pid_t start(const Spec& spec, unsigned long flags);

// Both are in force for the calling process and all it starts; 0, or -1 with errno.
int restrict_files(const char* const* readable, const char* folder);
int restrict_calls(bool may_execute);
int landlock_abi();
int drop_capabilities();

}  // namespace r1::sandbox::box
