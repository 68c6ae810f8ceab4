// A completion: where its answer stands, and the answer's normal form.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rewards/math/answer.h"
#include "rewards/math/normal_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace r1::rewards;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto place : {AnswerPlace::kTag, AnswerPlace::kBoxed, AnswerPlace::kTagOrBoxed, AnswerPlace::kAnywhere}) {
    const auto found = math::find_math_answer(text, place);
    if (found && math::normal_text(found->text).size() > 4096) abort();
  }
  return 0;
}
