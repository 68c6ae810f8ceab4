#pragma once
// What the built-in generators (countdown.h, arithmetic.h) share: names of what they make, and checks of their options.

#include <cstdint>
#include <string>
#include <string_view>

#include "tasks/question.h"

namespace r1::tasks {

std::string_view to_string(Split split);

// "countdown-train-s7" and "countdown-train-s7-123": unlike between splits, seeds and indices.
std::string generated_name(std::string_view generator, Split split, uint64_t seed);
std::string generated_id(std::string_view generator, Split split, uint64_t seed, uint64_t index);

// Throw Error naming `key`, the value got and the values allowed.
void require_in_range(std::string_view key, double value, double low, double high);
void require_operations(std::string_view key, std::string_view operations, std::string_view allowed);

}  // namespace r1::tasks
