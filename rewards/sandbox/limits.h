#pragma once
// What a program may use, and how its run ended. Plain data: the same struct crosses to the helper process.

#include <cstdint>

namespace r1::sandbox {

// Limits of one run. Sums run over all processes of the run; each is enforced from outside of the program.
struct Limits {
  int64_t cpu_ms = 4'000;            // processor time, all threads and processes together
  int64_t wall_ms = 12'000;          // a sleeper's bound: time in which no thread ran or waited for a processor
  int64_t memory_bytes = 512 << 20;  // resident memory, all processes together
  int64_t output_bytes = 1 << 20;    // of stdout, and again of stderr
  int64_t result_bytes = 4 << 20;    // on the result pipe, or of the collected file
  int64_t disk_bytes = 64 << 20;     // the run's own tmpfs, which is its only writable place
  int32_t num_inodes = 4'096;        // on that tmpfs
  int32_t max_processes = 32;        // threads count
  int32_t max_open_files = 128;
};

// Whatever a program waits for, it is stopped after this many times wall_ms.
inline constexpr int64_t kLongestWait = 8;

enum class End : int32_t {
  kExited,     // Outcome::code is the exit status, which proves nothing
  kSignalled,  // Outcome::code is the signal
  kCpuTime,
  kWallTime,
  kMemory,
  kOutput,  // more than output_bytes, result_bytes or a file above disk_bytes
  kFailed,  // the sandbox's own failure: says nothing about the program
};

}  // namespace r1::sandbox
