#pragma once
// The helper program and the warm interpreter's library, as files inside of this library: nothing to find at run time.

#include <string_view>

namespace r1::sandbox {

std::string_view helper_program();
std::string_view warm_library();

}  // namespace r1::sandbox
