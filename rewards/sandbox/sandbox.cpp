#include "rewards/sandbox/sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/error.h"
#include "core/posix.h"
#include "rewards/sandbox/slot.h"

namespace r1::sandbox {

std::string_view to_string(End end) {
  switch (end) {
    case End::kExited:
      return "exited";
    case End::kSignalled:
      return "signalled";
    case End::kCpuTime:
      return "processor time";
    case End::kWallTime:
      return "wall time";
    case End::kMemory:
      return "memory";
    case End::kOutput:
      return "output";
    case End::kFailed:
      return "failed";
  }
  return "?";
}

Binary::Binary(std::string_view content) : descriptor_(memfd_create("program", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (descriptor_ < 0)
    throw Error("sandbox", fmt::format("cannot hold a program: {}", std::strerror(errno)),
                "free memory or descriptors");
  posix::write_all(descriptor_, content, "program");
  fcntl(descriptor_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

Binary::~Binary() { close(descriptor_); }

Sandbox::Sandbox(Options options) : options_(std::move(options)) {
  num_slots_ =
      options_.num_slots > 0 ? options_.num_slots : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

Sandbox::~Sandbox() = default;

Sandbox::Taken Sandbox::take() {
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return !idle_.empty() || num_taken_ < num_slots_; };
  if (!has_slot_.wait_for(lock, std::chrono::milliseconds(options_.wait_ms), is_free)) {
    return {nullptr, fmt::format("no slot came free within {} ms", options_.wait_ms)};
  }
  ++num_taken_;
  if (!idle_.empty()) {
    auto slot = std::move(idle_.back());
    idle_.pop_back();
    return {std::move(slot), ""};
  }
  lock.unlock();
  try {
    auto slot = std::make_unique<Slot>(options_);
    lock.lock();
    report_ = slot->report();
    return {std::move(slot), ""};
  } catch (const Error& e) {
    if (!lock.owns_lock()) lock.lock();
    --num_taken_;
    report_ = {.is_available = false, .reason = e.problem};
    has_slot_.notify_one();
    return {nullptr, e.problem};
  }
}

void Sandbox::give_back(std::unique_ptr<Slot> slot) {
  {
    const std::lock_guard lock(mutex_);
    --num_taken_;
    if (slot) idle_.push_back(std::move(slot));
  }
  has_slot_.notify_one();
}

Outcome Sandbox::run(const Job& job, const Limits& limits) {
  Outcome outcome;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto [slot, reason] = take();
    if (!slot) return {.detail = reason};
    auto ran = slot->run(job, limits);
    const bool is_sound = ran && ran->end != End::kFailed;
    outcome = ran ? std::move(*ran) : Outcome{.detail = "the helper process died or did not answer"};
    if (!is_sound) slot.reset();
    give_back(std::move(slot));
    if (is_sound) break;
  }
  return outcome;
}

IsolationReport Sandbox::report() {
  auto [slot, reason] = take();
  if (slot) give_back(std::move(slot));
  const std::lock_guard lock(mutex_);
  return report_;
}

void Sandbox::start_all() {
  std::vector<std::unique_ptr<Slot>> started;
  for (int i = 0; i < num_slots_; ++i) {
    auto [slot, reason] = take();
    if (!slot && started.empty()) {
      throw Error("sandbox", reason, "see r1 doctor; --unsafe runs programs without isolation");
    }
    if (slot) started.push_back(std::move(slot));
  }
  for (auto& slot : started) give_back(std::move(slot));
}

}  // namespace r1::sandbox
