#pragma once
// What comes over the result pipe of a call: one frame, and nothing before or after it.
//
//   R1 NONCE KIND SIZE\n PAYLOAD
//
// The nonce is new for each run. It keeps stray writes apart from results; it cannot keep a program from sending a
// result of its own, which is only ever the program's answer.

#include <string>
#include <string_view>

#include "rewards/code/value.h"

namespace r1::rewards::code {

struct Frame {
  enum class Kind {
    kValue,     // `value` is what the function returned
    kSyntax,    // the program does not compile
    kMissing,   // it lacks the function
    kError,     // it threw
    kMemory,    // it threw for want of memory
    kUnusable,  // it returned what is no plain data
    kBroken,    // there is no frame, or more than one, or something else
  };
  Kind kind = Kind::kBroken;
  Value value;
  std::string text;  // what went wrong, as the harness tells it, or why the frame is broken
};

Frame parse_frame(std::string_view bytes, std::string_view nonce);

// 32 hexadecimal digits out of the system's random source.
std::string make_nonce();

}  // namespace r1::rewards::code
