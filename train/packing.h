#pragma once
// Sequences into micro-batches under a token budget, without padding.

#include <cstdint>
#include <span>
#include <vector>

namespace r1::train {

// Best-fit decreasing: each bin's lengths add up to at most `budget`, except that a sequence longer than the budget gets a
// bin of its own. Returns indices into `lengths`; every index once. Ties go to the lower index, so the result is a
// function of the lengths alone.
std::vector<std::vector<int32_t>> best_fit_packing(std::span<const int32_t> lengths, int64_t budget);

}  // namespace r1::train
