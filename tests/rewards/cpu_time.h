#pragma once
// Limits on work are limits on processor time: a busy machine must not fail a test.

#include <ctime>

inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
