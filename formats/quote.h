#pragma once
// Names out of files, made fit for a message: they are hostile until proven otherwise.

#include <string>
#include <string_view>

namespace r1::formats {

// 'name', with control characters escaped and the middle of very long names left out.
std::string quote_name(std::string_view name);

}  // namespace r1::formats
