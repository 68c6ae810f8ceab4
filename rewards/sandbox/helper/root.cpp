// The file tree that all runs of a slot share, read-only: a tmpfs with binds of the languages' runtime.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "rewards/sandbox/helper/setup.h"

namespace r1::sandbox::box {
namespace {

constexpr const char* kStaging = "/tmp";
constexpr const char* kDevices[]{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
// Usually links into /usr.
constexpr const char* kTopFolders[]{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

// linux/mount.h and sys/mount.h contradict each other in this C library, so the few values are here.
constexpr unsigned kCloneTree = 1, kRecursive = 0x8000, kFromEmptyPath = 0x1000;
constexpr uint64_t kReadOnly = 1, kNoSetuid = 2, kNoDevices = 4, kNoExecute = 8;
struct MountAttributes {
  uint64_t set, clear, propagation, userns;
};

void check(bool ok, const std::string& step) {
  if (!ok) throw Failure{step, errno};
}

void set_attributes(int fd, const char* path, unsigned flags, uint64_t attributes, const std::string& step) {
  const MountAttributes change{attributes, 0, 0, 0};
  check(syscall(SYS_mount_setattr, fd, path, flags, &change, sizeof change) == 0, step);
}

void make_folders(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
    const auto folder = path.substr(0, slash);
    check(mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST, "make " + folder);
  }
}

void write_text(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool ok = fd >= 0 && write_all(fd, text.data(), text.size());
  if (fd >= 0) close(fd);
  check(ok, "write " + path);
}

// A detached copy of a mount, to be put somewhere below the staging folder once that hides what lies there.
struct Tree {
  std::string path;
  int fd;
  bool is_folder;
};

std::vector<Tree> copy_trees(const std::vector<std::string>& paths, uint64_t attributes) {
  std::vector<Tree> trees;
  for (const auto& path : paths) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) continue;
    const auto fd =
        static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path.c_str(), kCloneTree | kRecursive | O_CLOEXEC));
    check(fd >= 0, "copy the mount of " + path);
    set_attributes(fd, "", kFromEmptyPath | kRecursive, attributes, "make read-only: " + path);
    trees.push_back({path, fd, S_ISDIR(info.st_mode)});
  }
  return trees;
}

void put_trees(const std::vector<Tree>& trees) {
  for (const auto& tree : trees) {
    const auto target = kStaging + tree.path;
    make_folders(target);
    if (tree.is_folder) {
      check(mkdir(target.c_str(), 0755) == 0 || errno == EEXIST, "make " + target);
    } else {
      write_text(target, "");
    }
    check(syscall(SYS_move_mount, tree.fd, "", AT_FDCWD, target.c_str(), 4) == 0, "mount " + tree.path);
    close(tree.fd);
  }
}

}  // namespace

void make_root(const Setup& setup) {
  check(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
  auto binds = setup.binds;
  std::vector<std::pair<std::string, std::string>> links;
  for (const std::string folder : kTopFolders) {
    char target[256];
    const auto size = readlink(folder.c_str(), target, sizeof target);
    if (size > 0 && size < static_cast<ssize_t>(sizeof target)) {
      links.emplace_back(folder, std::string(target, static_cast<size_t>(size)));
    } else {
      binds.push_back(folder);
    }
  }
  const auto trees = copy_trees(binds, kReadOnly | kNoSetuid | kNoDevices);
  const auto devices = copy_trees({std::begin(kDevices), std::end(kDevices)}, kNoSetuid | kNoExecute);
  check(mount("tmpfs", kStaging, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=512,mode=0755") == 0,
        "mount the root");
  put_trees(trees);
  put_trees(devices);
  const std::string staging = kStaging;
  for (const auto& [path, target] : links)
    check(symlink(target.c_str(), (staging + path).c_str()) == 0, "link " + path);
  make_folders(staging + "/etc/x");
  write_text(staging + "/etc/passwd", "r1:x:1000:1000::/tmp:/bin/false\n");
  write_text(staging + "/etc/group", "r1:x:1000:\n");
  make_folders(staging + "/var/x");
  make_folders(staging + "/tmp/x");
  for (const char* path : {"/dev/shm", "/var/tmp"})
    check(symlink("/tmp", (staging + path).c_str()) == 0, "link shared folders");
  check(chdir(kStaging) == 0 && syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
  check(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "leave the host's files");
  check(mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,nr_inodes=64,mode=0755") == 0, "mount /tmp");
  set_attributes(AT_FDCWD, "/", 0, kReadOnly | kNoSetuid | kNoDevices, "make the root read-only");
}

int mount_proc(const Setup& setup) {
  if (setup.namespaces == Namespaces::kNone) return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  // Detached: no path in the box leads to it. A container that hides parts of /proc forbids it.
  const auto context = static_cast<int>(syscall(SYS_fsopen, "proc", 1));
  if (context < 0) return -1;
  int proc = -1;
  if (syscall(SYS_fsconfig, context, 6, nullptr, nullptr, 0) == 0) {
    proc = static_cast<int>(syscall(SYS_fsmount, context, 1, kNoSetuid | kNoDevices | kNoExecute));
  }
  close(context);
  return proc;
}

}  // namespace r1::sandbox::box
