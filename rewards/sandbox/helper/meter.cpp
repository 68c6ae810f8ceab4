// What a run uses, over all of its processes: rlimits bound only one process each.

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "rewards/sandbox/helper/setup.h"

namespace r1::sandbox::box {
namespace {

constexpr size_t kMaxProcesses = 4096;

// A file of /proc into `text`; its length, 0 if the process has gone.
template <size_t N>
size_t read_file(int proc, const std::string& path, char (&text)[N]) {
  const int fd = openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const auto size = read(fd, text, N - 1);
  close(fd);
  text[size > 0 ? size : 0] = '\0';
  return size > 0 ? static_cast<size_t>(size) : 0;
}

// Names that are numbers.
std::vector<int> numbers_in(int proc, const std::string& path) {
  std::vector<int> numbers;
  const int fd = proc < 0 ? -1 : openat(proc, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = fd < 0 ? nullptr : fdopendir(fd);
  if (folder == nullptr) return numbers;
  while (const auto* entry = readdir(folder)) {
    if (const int number = std::atoi(entry->d_name); number > 0) numbers.push_back(number);
  }
  closedir(folder);
  return numbers;
}

void add_children(int proc, int pid, int except, std::vector<int>& found) {
  const auto tasks = std::to_string(pid) + "/task";
  for (const int task : numbers_in(proc, tasks)) {
    char text[16384];
    read_file(proc, tasks + "/" + std::to_string(task) + "/children", text);
    for (char *at = text, *end = nullptr;; at = end) {
      const auto child = static_cast<int>(std::strtol(at, &end, 10));
      if (end == at || found.size() >= kMaxProcesses) break;
      if (child == except) continue;
      found.push_back(child);
      add_children(proc, child, except, found);
    }
  }
}

// The state letter and what follows it in a stat file. The name before it, in parentheses, may hold anything.
const char* state_in(const char* stat) {
  const char* end = std::strrchr(stat, ')');
  return end == nullptr || end[1] == '\0' ? nullptr : end + 2;
}

bool is_busy_state(char state) { return state == 'R' || state == 'D'; }

bool has_busy_thread(int proc, const std::string& pid) {
  for (const int task : numbers_in(proc, pid + "/task")) {
    char text[1024];
    read_file(proc, pid + "/task/" + std::to_string(task) + "/stat", text);
    const char* state = state_in(text);
    if (state != nullptr && is_busy_state(*state)) return true;
  }
  return false;
}

int64_t resident_bytes(int proc, const std::string& pid, Pages pages) {
  char text[4096];
  long total = 0, resident = 0;
  if (pages == Pages::kShared && read_file(proc, pid + "/smaps_rollup", text) > 0) {
    if (const char* found = std::strstr(text, "\nPss:"); found != nullptr) return std::atol(found + 5) * 1024;
  }
  if (read_file(proc, pid + "/statm", text) == 0 || std::sscanf(text, "%ld %ld", &total, &resident) != 2) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

void add_process(int proc, const std::string& pid, Pages pages, Usage& usage) {
  char text[1024];
  if (read_file(proc, pid + "/stat", text) == 0) return;
  const char* state = state_in(text);
  long own_user = 0, own_system = 0, dead_user = 0, dead_system = 0, num_threads = 0;
  if (state == nullptr || std::sscanf(state, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld %*d %*d %ld",
                                      &own_user, &own_system, &dead_user, &dead_system, &num_threads) != 5) {
    return;
  }
  usage.cpu_ms += (own_user + own_system + dead_user + dead_system) * 1000 / sysconf(_SC_CLK_TCK);
  usage.is_busy = usage.is_busy || is_busy_state(*state) || (num_threads > 1 && has_busy_thread(proc, pid));
  usage.memory_bytes += resident_bytes(proc, pid, pages);
}

}  // namespace

Usage measure(int proc, int warm_interpreter, Namespaces namespaces, Pages pages) {
  Usage usage;
  std::vector<int> pids;
  if (namespaces == Namespaces::kRequired) {  // whatever is there but the two of ours
    pids = numbers_in(proc, ".");
  } else {
    add_children(proc, getpid(), warm_interpreter, pids);
  }
  for (const int pid : pids) {
    if (pid != getpid() && pid != warm_interpreter) add_process(proc, std::to_string(pid), pages, usage);
  }
  return usage;
}

}  // namespace r1::sandbox::box
