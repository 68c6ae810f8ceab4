// Landlock: a second wall behind the mount namespace, and the only one about files where namespaces are missing.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rewards/sandbox/helper/box.h"

namespace r1::sandbox::box {
namespace {

// linux/landlock.h, whose Debian 12 edition ends with ABI 2.
struct RulesetAttributes {
  uint64_t files, network, scopes;
};
struct __attribute__((packed)) PathRule {
  uint64_t allowed;
  int32_t folder;
};

constexpr uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadFolder = 1 << 3;
constexpr uint64_t kTruncate = 1 << 14, kDeviceCalls = 1 << 15;
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceCalls;
constexpr int kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;

uint64_t file_rights(int abi) {
  if (abi >= 5) return (1 << 16) - 1;
  if (abi >= 3) return (1 << 15) - 1;
  return abi == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

int allow(int ruleset, const char* path, uint64_t rights) {
  const int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -1;
  struct stat info;
  PathRule rule{rights, fd};
  if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode)) rule.allowed &= kOfFiles;
  const auto status = static_cast<int>(syscall(kAddRule, ruleset, 1, &rule, 0));
  const int error = errno;
  close(fd);
  errno = error;
  return status;
}

}  // namespace

int landlock_abi() {
  const auto abi = static_cast<int>(syscall(kCreateRuleset, nullptr, 0, 1));
  return abi < 0 ? 0 : abi;
}

int restrict_files(const char* const* readable, const char* folder) {
  const int abi = landlock_abi();
  if (abi == 0) return 0;
  const auto all = file_rights(abi);
  // From ABI 4 on also no TCP, from ABI 6 on no abstract sockets and no signals to the outside.
  const RulesetAttributes attributes{all, abi >= 4 ? 3u : 0u, abi >= 6 ? 3u : 0u};
  const size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  const auto ruleset = static_cast<int>(syscall(kCreateRuleset, &attributes, size, 0));
  if (ruleset < 0) return -1;
  bool ok = allow(ruleset, folder, all & ~kDeviceCalls) == 0;
  for (; ok && *readable != nullptr; ++readable) {
    // Devices of the box are harmless ones: null, zero, full, random, urandom.
    const bool is_device = strncmp(*readable, "/dev/", 5) == 0;
    const auto rights = kReadFile | (is_device ? kWriteFile | kDeviceCalls : kExecute | kReadFolder);
    ok = allow(ruleset, *readable, rights & all) == 0;
  }
  ok = ok && syscall(kRestrictSelf, ruleset, 0) == 0;
  const int error = errno;
  close(ruleset);
  errno = error;
  return ok ? 0 : -1;
}

}  // namespace r1::sandbox::box
