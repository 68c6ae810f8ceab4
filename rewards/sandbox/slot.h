#pragma once
// One helper process, seen from the library.

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "core/posix.h"
#include "rewards/sandbox/protocol.h"
#include "rewards/sandbox/sandbox.h"

namespace r1::sandbox {

class Slot {
 public:
  // Throws Error if the helper cannot start or cannot isolate.
  explicit Slot(const Options& options);
  // Ends the helper and with it all that it started.
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  // Nothing if the helper died or did not answer in time: the slot is then of no more use. One call at a time.
  std::optional<Outcome> run(const Job& job, const Limits& limits);
  IsolationReport report() const;

 private:
  void spawn();
  void stop();
  void say_hello(const Options& options);
  bool send(const Job& job, const Limits& limits);
  std::optional<Outcome> receive(int64_t deadline_us);
  bool read_until(void* to, size_t size, int64_t deadline_us);
  void remove_folder_content() const;

  posix::Descriptor socket_;
  pid_t helper_ = -1;
  Hello hello_;
  Namespaces namespaces_ = Namespaces::kRequired;
  std::filesystem::path folder_;  // without namespaces only: holds the library and the runs' folder
};

}  // namespace r1::sandbox
