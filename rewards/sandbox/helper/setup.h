#pragma once
// The helper process: what it is told, and what it makes before it serves.
//
//   library --spawn--> helper (drops root, makes the namespaces) --fork--> warden (process 1 of the slot's pid
//   namespace, roots itself in a small file tree, starts the warm interpreter, runs one program at a time)

#include <string>
#include <vector>

#include "rewards/sandbox/protocol.h"

namespace r1::sandbox::box {

struct Setup {
  Namespaces namespaces = Namespaces::kRequired;
  int owner = 0;
  std::string folder;                  // the runs' folder: "/tmp" of the box, or a real one without namespaces
  std::vector<std::string> binds;      // of the host, put read-only at the same place; missing ones are left out
  std::vector<std::string> readable;   // for Landlock
  std::vector<std::string> warm_argv;  // empty: no warm interpreter
  std::string warm_library;            // its file's content
};

inline std::string pack(const Setup& s) {
  std::string text;
  put(text, s.folder);
  put(text, s.binds);
  put(text, s.readable);
  put(text, s.warm_argv);
  put(text, s.warm_library);
  return text;
}
inline Setup unpack(const SetupHeader& header, std::string_view text) {
  Reader r(text);
  Setup s{.namespaces = header.namespaces, .owner = header.owner};
  s.folder = r.text();
  s.binds = r.texts();
  s.readable = r.texts();
  s.warm_argv = r.texts();
  s.warm_library = r.text();
  return s;
}

// A step of the setup that failed: its name, with errno as it was.
struct Failure {
  std::string step;
  int error;
};

// Memory and number of processes of all that the helper starts, as far as this user may make cgroups.
struct Cgroup {
  std::string memory_folder, pids_folder;
  int memory_limit = -1, pids_limit = -1, memory_events = -1;  // open files
};
Cgroup join_cgroup(int owner);
void set_limits(const Cgroup& cgroup, const Limits& limits);
// How often the kernel killed for memory.
long oom_kills(const Cgroup& cgroup);

// In the warden. Throw Failure.
void make_root(const Setup& setup);
int mount_proc(const Setup& setup);  // -1 if the machine does not allow it

// What the runs use at this moment, read from a proc mount of the warden's namespace.
struct Usage {
  int64_t cpu_ms = 0;
  int64_t memory_bytes = 0;
  bool is_busy = false;  // a thread ran, waited for a processor or for a disk
};
enum class Pages {
  kEach,    // each process's resident pages; quick, but forks' common pages count several times
  kShared,  // a page's share in each process that has it
};
Usage measure(int proc, int warm_interpreter, Namespaces namespaces, Pages pages);

// Serves until the library closes its end of the socket.
[[noreturn]] void serve(int socket, const Setup& setup, const Cgroup& cgroup, int proc, Hello hello);

// Loops over read(2) and write(2); false at the end of the stream.
bool read_all(int fd, void* to, size_t size);
bool write_all(int fd, const void* from, size_t size);

}  // namespace r1::sandbox::box
