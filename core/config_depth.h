#pragma once
// A guard before the TOML parser. toml++ limits how deep values nest but not how many parts a dotted key has, and the
// tables that "a.a.a. ..." of some thousand parts makes overflow the stack when they are freed. Internal to
// config*.cpp.

#include <cstddef>
#include <optional>
#include <string_view>

namespace r1::config {

constexpr int kMaxKeyParts = 16;

struct TextPlace {
  size_t line, column;  // from 1
};

// Where a dotted key gets its part number kMaxKeyParts + 1.
std::optional<TextPlace> find_too_deep(std::string_view toml);

}  // namespace r1::config
