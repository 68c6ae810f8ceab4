#pragma once
// Members of JSON objects as they are written.

#include <optional>
#include <string_view>

namespace r1::json {

// The text of a member's value as it stands in `object`, which parse() must have taken: numbers keep digits that no
// double holds. The last one if the key stands twice; nothing without it.
std::optional<std::string_view> raw_member(std::string_view object, std::string_view key);

}  // namespace r1::json
