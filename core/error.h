#pragma once
// The one exception this project throws. Dependencies throw their own (c10::Error, boost::system::system_error).

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace r1 {

// A message a person can act on: where it happened, what is wrong, how to mend it.
class Error : public std::runtime_error {
 public:
  Error(std::string where, std::string what, std::string mend)
      : std::runtime_error(fmt::format("{}: {}\n  mend: {}", where, what, mend)),
        where(std::move(where)),
        problem(std::move(what)),
        mend(std::move(mend)) {}

  const std::string where;    // a config key, a file with its line, or a function with its tensor
  const std::string problem;  // the value got and the values allowed
  const std::string mend;     // a command to run or a value to set
};

}  // namespace r1
