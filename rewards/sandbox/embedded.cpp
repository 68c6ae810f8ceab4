#include "rewards/sandbox/embedded.h"

#include "rewards/sandbox/embed.h"

// R1_HELPER_FILE and R1_WARM_FILE come from cmake/Sandbox.cmake.
R1_EMBED(r1_sandbox_helper_file, R1_HELPER_FILE)
R1_EMBED(r1_sandbox_warm_file, R1_WARM_FILE)

namespace r1::sandbox {

std::string_view helper_program() { return R1_EMBEDDED(r1_sandbox_helper_file); }
std::string_view warm_library() { return R1_EMBEDDED(r1_sandbox_warm_file); }

}  // namespace r1::sandbox
