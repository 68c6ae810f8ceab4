#pragma once
// Limits on work are limits on processor time: a busy machine must not fail a test.

#include <ctime>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#elif defined(__has_feature)  // clang's way to say so
inline constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kIsSanitized = false;
#endif

// How much longer a test may take with a sanitizer in it.
inline constexpr double kSlowdown = kIsSanitized ? 25 : 1;

inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
