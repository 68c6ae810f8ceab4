#pragma once
// Crash tests: R1_KILL_AT=name[:k] makes the process kill itself (SIGKILL) at its k-th pass of the point `name`, so a
// test can stop a protocol between any two of its steps. Costs one getenv() when the variable is not set.
//
// Points of core/files.h, in order: file.write (each piece), file.written, file.synced, file.renamed; folder.filled,
// folder.synced, folder.exchanged (or folder.moved_aside, folder.replaced), folder.renamed.

#include <string_view>

namespace r1 {

void kill_point(std::string_view name);

}  // namespace r1
