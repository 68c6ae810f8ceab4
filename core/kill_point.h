#pragma once
// Crash tests: R1_KILL_AT=name[:k] makes the process kill itself (SIGKILL) at its k-th pass of the point `name`, so a
// test can stop a protocol between any two of its steps. Costs one getenv() when the variable is not set.

#include <string_view>

namespace r1 {

void kill_point(std::string_view name);

}  // namespace r1
