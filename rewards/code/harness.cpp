#include "rewards/code/language.h"
#include "rewards/sandbox/embed.h"

// R1_PYTHON_HARNESS and R1_CPP_HARNESS come from cmake/Sandbox.cmake.
R1_EMBED(r1_python_harness_file, R1_PYTHON_HARNESS)
R1_EMBED(r1_cpp_harness_file, R1_CPP_HARNESS)

namespace r1::rewards::code {

std::string_view python_harness() { return R1_EMBEDDED(r1_python_harness_file); }
std::string_view cpp_harness() { return R1_EMBEDDED(r1_cpp_harness_file); }

}  // namespace r1::rewards::code
