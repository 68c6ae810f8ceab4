// Finding programs in completions: never more than the completion holds, whatever it is.

#include <cstdint>
#include <cstdlib>

#include "rewards/code/code_block.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kLanguages[]{"python", "py"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto* name : {"", "solution"}) {
    const auto program = r1::rewards::code::find_program(text, kLanguages, name);
    if (program && program->size() > size + 1) std::abort();
  }
  return 0;
}
