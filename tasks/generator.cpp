#include "tasks/generator.h"

#include <fmt/format.h>

#include "core/error.h"

namespace r1::tasks {

std::string_view to_string(Split split) {
  return split == Split::kAll ? "all" : split == Split::kTrain ? "train" : "held_out";
}

std::string generated_name(std::string_view generator, Split split, uint64_t seed) {
  return fmt::format("{}-{}-s{}", generator, to_string(split), seed);
}

std::string generated_id(std::string_view generator, Split split, uint64_t seed, uint64_t index) {
  return fmt::format("{}-{}", generated_name(generator, split, seed), index);
}

void require_in_range(std::string_view key, double value, double low, double high) {
  if (value >= low && value <= high) return;  // a NaN is in no range
  throw Error(std::string(key), fmt::format("must be from {} to {}, got {}", low, high, value),
              fmt::format("set it to a value from {} to {}", low, high));
}

void require_operations(std::string_view key, std::string_view operations, std::string_view allowed) {
  for (size_t i = 0; i < operations.size(); ++i) {
    if (allowed.find(operations[i]) != allowed.npos && operations.find(operations[i], i + 1) == operations.npos)
      continue;
    throw Error(std::string(key),
                fmt::format("'{}' holds '{}', which is unknown or twice there", operations, operations[i]),
                fmt::format("use some of {}, each once", allowed));
  }
  if (operations.empty()) throw Error(std::string(key), "is empty", fmt::format("use some of {}, each once", allowed));
}

}  // namespace r1::tasks
