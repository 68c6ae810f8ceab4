#include "rewards/judgeable.h"

#include <fmt/format.h>

#include "core/error.h"
#include "rewards/sandbox/sandbox.h"

namespace r1::rewards {
namespace {

void require_isolation(const std::string& where, sandbox::Isolation isolation) {
  sandbox::Sandbox box({.isolation = isolation, .num_slots = 1});
  const auto report = box.report();
  if (report.is_available) return;
  throw Error(where, fmt::format("has programs to run, and this machine does not isolate them: {}", report.reason),
              "see r1 doctor; --unsafe runs them without namespaces");
}

}  // namespace

void require_judgeable(const std::set<std::string>& tasks, const std::string& where, const RewardOptions& options) {
  for (const auto& task : tasks) require_known_task(task, where);
  if (tasks.contains("code")) require_isolation(where, options.code.judge.isolation);
}

}  // namespace r1::rewards
