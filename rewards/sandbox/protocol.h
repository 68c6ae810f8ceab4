#pragma once
// What the library and its helper process say to each other over a stream socket. Both sides are built together, so
// structs travel as they lie in memory. Descriptors come with a request's first byte (SCM_RIGHTS).

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/sandbox/limits.h"

namespace r1::sandbox {

enum class Namespaces : int32_t { kRequired, kNone };

// What a helper could set up, said once at its start.
struct Hello {
  int32_t is_ready = 0;
  int32_t error = 0;             // errno of the step that failed
  char step[64] = {};            // and its name
  int32_t landlock_abi = 0;      // 0: the kernel has none
  char memory_cgroup[192] = {};  // folders made for this helper, empty if the machine allows none
  char pids_cgroup[192] = {};
  int32_t has_proc = 0;  // the helper can measure the run's processes
  int32_t uid = -1;      // outside
};

// The first message to a helper, followed by payload_bytes of put() strings: see helper/setup.h.
struct SetupHeader {
  Namespaces namespaces = Namespaces::kRequired;
  int32_t owner = 0;  // pid of the program that it works for
  uint32_t payload_bytes = 0;
};

enum RequestFlags : uint32_t {
  kWarm = 1,        // fork the warm interpreter; else execute
  kMayExecute = 2,  // the program may start other programs
  kHasBinary = 4,   // execute the third descriptor; else argv[0]
};

// Followed by payload_bytes of put() strings: argv count, argv, file count, (name, content) pairs, collect.
struct Request {
  Limits limits;
  uint32_t flags = 0;
  uint32_t payload_bytes = 0;
};
// Descriptors with a request: stdin, message, and the binary if kHasBinary.
inline constexpr int kMaxDescriptors = 3;

// Followed by out, err, result and detail.
struct Response {
  End end = End::kFailed;
  int32_t code = 0;
  int64_t cpu_ms = 0;
  int64_t wall_us = 0;
  int64_t peak_memory_bytes = 0;
  uint32_t out_bytes = 0, err_bytes = 0, result_bytes = 0, detail_bytes = 0;
};

inline void put_number(std::string& to, uint32_t n) { to.append(reinterpret_cast<const char*>(&n), sizeof n); }
inline void put(std::string& to, std::string_view text) {
  put_number(to, static_cast<uint32_t>(text.size()));
  to.append(text);
}
inline void put(std::string& to, const std::vector<std::string>& texts) {
  put_number(to, static_cast<uint32_t>(texts.size()));
  for (const auto& text : texts) put(to, text);
}

// Reads what put() wrote. What is cut short reads as empty.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  uint32_t number() {
    uint32_t n = 0;
    if (rest_.size() < sizeof n) return 0;
    std::memcpy(&n, rest_.data(), sizeof n);
    rest_.remove_prefix(sizeof n);
    return n;
  }
  std::string text() {
    const auto size = std::min<size_t>(number(), rest_.size());
    const std::string read(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return read;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> read;
    for (auto left = number(); left > 0 && !rest_.empty(); --left) read.push_back(text());
    return read;
  }

 private:
  std::string_view rest_;
};

}  // namespace r1::sandbox
