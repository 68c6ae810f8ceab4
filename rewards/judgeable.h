#pragma once
// Asked before a run spends anything: can the answers to its data be judged here?

#include <set>
#include <string>

#include "rewards/registry.h"

namespace r1::rewards {

// Throws Error at `where` (a data set's name) unless each of its tasks is known, and, for "code", this machine gives
// programs the isolation that the options ask for.
void require_judgeable(const std::set<std::string>& tasks, const std::string& where, const RewardOptions& options);

}  // namespace r1::rewards
