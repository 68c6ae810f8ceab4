// What programs send as results, and tests as keys: what is read prints and reads again as the same, and equals itself.

#include <cstdint>
#include <cstdlib>

#include "rewards/code/frame.h"
#include "rewards/code/tests.h"

using namespace r1::rewards::code;

namespace {

void check(const Value& value) {
  const auto text = to_text(value);
  const auto again = parse_value(text, Syntax::kResult);
  if (!again.value || to_text(*again.value) != text || difference(value, *again.value, {.tolerance = 0})) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto frame = parse_frame(text, "n");
  if (frame.kind == Frame::Kind::kValue) check(frame.value);
  if (const auto parsed = parse_value(text, Syntax::kResult); parsed.value) check(*parsed.value);
  const auto tests = parse_tests(text);
  if (tests.tests.has_value() == !tests.reason.empty()) std::abort();
  if (tests.tests) {
    for (const auto& one : tests.tests->cases) output_difference(one.output, text, Match::kFloats, 1e-6);
  }
  return 0;
}
