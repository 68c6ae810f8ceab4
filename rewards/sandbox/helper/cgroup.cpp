// cgroups as a second wall: the memory and the number of processes of a slot's whole tree. Version 1 or 2, and only
// where this user may make groups; the limits that always hold are the warden's measurements and rlimits.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "rewards/sandbox/helper/setup.h"

namespace r1::sandbox::box {
namespace {

constexpr int64_t kHelpersMemory = 96 << 20;  // the warden's and the warm interpreter's, and what tmpfs files take
constexpr int kHelpersProcesses = 8;

bool has_word(const std::string& list, const std::string& word, char separator) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, separator);) {
    if (one == word) return true;
  }
  return false;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Where this process's group of `controller` lies: version 1 if the controller has a hierarchy of its own, else 2.
std::string own_group(const std::string& controller, bool& is_v2) {
  std::string mount_v1, mount_v2, path_v1, path_v2;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skip, point, word, type, source, options;
    words >> skip >> skip >> skip >> skip >> point;
    while (words >> word && word != "-") continue;
    words >> type >> source >> options;
    if (type == "cgroup" && has_word(options, controller, ',')) mount_v1 = point;
    if (type == "cgroup2" && mount_v2.empty()) mount_v2 = point;
  }
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (has_word(controllers, controller, ',')) path_v1 = line.substr(second + 1);
    if (controllers.empty()) path_v2 = line.substr(second + 1);
  }
  is_v2 = mount_v1.empty();
  const auto& point = is_v2 ? mount_v2 : mount_v1;
  if (point.empty()) return "";
  const auto path = point + (is_v2 ? path_v2 : path_v1);
  return access(path.c_str(), W_OK) == 0 ? path : access(point.c_str(), W_OK) == 0 ? point : "";
}

// Groups of programs that were killed before they could remove them.
void remove_stale(const std::string& parent) {
  DIR* folder = opendir(parent.c_str());
  if (folder == nullptr) return;
  while (const auto* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (!name.starts_with("r1-box-")) continue;
    const auto owner = std::atoi(name.c_str() + 7);
    if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) rmdir((parent + "/" + name).c_str());
  }
  closedir(folder);
}

// Makes a group below this process's and joins it; "" if that is not allowed.
std::string join(const std::string& controller, const char* limit_file, int owner, bool& is_v2) {
  const auto parent = own_group(controller, is_v2);
  if (parent.empty()) return "";
  if (is_v2 && !has_word(read_text(parent + "/cgroup.subtree_control"), controller, ' ') &&
      !has_word(read_text(parent + "/cgroup.subtree_control"), controller + "\n", ' ')) {
    return "";
  }
  remove_stale(parent);
  const auto group = parent + "/r1-box-" + std::to_string(owner) + "-" + std::to_string(getpid());
  if (mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) return "";
  std::ofstream members(group + "/cgroup.procs");
  if (access((group + "/" + limit_file).c_str(), W_OK) == 0 && members << getpid() << std::flush) return group;
  rmdir(group.c_str());
  return "";
}

void write_number(int fd, int64_t number) {
  if (fd < 0) return;
  const auto text = std::to_string(number);
  if (pwrite(fd, text.data(), text.size(), 0) < 0) errno = 0;  // refused while in use: the other limits hold
}

}  // namespace

Cgroup join_cgroup(int owner) {
  Cgroup made;
  bool is_v2 = false;
  const auto probe = own_group("memory", is_v2);
  made.memory_folder =
      probe.empty() ? "" : join("memory", is_v2 ? "memory.max" : "memory.limit_in_bytes", owner, is_v2);
  if (!made.memory_folder.empty()) {
    const auto in = [&](const char* name) { return made.memory_folder + "/" + name; };
    made.memory_limit = open(in(is_v2 ? "memory.max" : "memory.limit_in_bytes").c_str(), O_WRONLY | O_CLOEXEC);
    made.memory_events = open(in(is_v2 ? "memory.events" : "memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC);
  }
  made.pids_folder = join("pids", "pids.max", owner, is_v2);
  if (!made.pids_folder.empty()) made.pids_limit = open((made.pids_folder + "/pids.max").c_str(), O_WRONLY | O_CLOEXEC);
  return made;
}

void set_limits(const Cgroup& cgroup, const Limits& limits) {
  write_number(cgroup.memory_limit, limits.memory_bytes + limits.disk_bytes + kHelpersMemory);
  write_number(cgroup.pids_limit, limits.max_processes + kHelpersProcesses);
}

long oom_kills(const Cgroup& cgroup) {
  char text[512];
  const auto size = cgroup.memory_events < 0 ? 0 : pread(cgroup.memory_events, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = '\0';
  const auto* found = std::strstr(text, "oom_kill ");
  return found == nullptr ? 0 : std::atol(found + 9);
}

}  // namespace r1::sandbox::box
