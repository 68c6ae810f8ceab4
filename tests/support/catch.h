#pragma once
// Tests include this, never <catch2/...> itself. LibTorch's logging header defines CHECK too, and whichever header
// comes last wins without a warning: Catch2's CHECK turns into an abort(), and a test left without assertions passes.

#if __has_include(<c10/util/Logging.h>)
#include <c10/util/Logging.h>
#undef CHECK
#endif

#include <catch2/catch.hpp>
