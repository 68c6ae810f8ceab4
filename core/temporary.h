#pragma once
// The temporary names of atomic writes: ".NAME.tmp.PID.N" beside the target NAME. A writer holds a lock (flock) on
// its temporary, so what a killed writer left is told from what a living one still writes, also when process ids
// repeat (containers) or belong to another namespace.

#include <filesystem>

#include "core/posix.h"

namespace r1::temporary {

struct Temporary {
  std::filesystem::path path;
  posix::Descriptor descriptor;  // open on it, for writing if it is a file, and locked where the file system can
};

// Also remove what killed writers of the same target left. Throw Error.
Temporary make_file(const std::filesystem::path& target);
Temporary make_folder(const std::filesystem::path& target);

// Where a write to `path` has to go: through symbolic links, without a trailing slash. Throws Error for a path that
// names no file or folder ("", ".", "/").
std::filesystem::path resolve_target(const std::filesystem::path& path);

// Puts folder `temporary` in the place of `target`, which may exist. kTry swaps the two in one step where the file
// system can; else, and with kAvoid, `target` goes to aside_name() first, and for a moment there is no `target`.
enum class Exchange { kTry, kAvoid };
void replace_folder(const std::filesystem::path& temporary, const std::filesystem::path& target, Exchange exchange);

// ".NAME.old" beside the target.
std::filesystem::path aside_name(const std::filesystem::path& target);

}  // namespace r1::temporary
