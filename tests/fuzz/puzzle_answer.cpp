// Two texts, divided by a NUL byte, as key and answer of every puzzle and of multiple choice.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rewards/puzzle/exact_json.h"
#include "rewards/registry.h"

using namespace r1;
using namespace r1::rewards;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto reward = make_reward({.format_weight = 0});
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\0');
  const auto key = text.substr(0, end), answer = end == text.npos ? text : text.substr(end + 1);
  for (const auto* task : {"choice", "cryptarithm", "json", "knights_knaves", "puzzle24", "zebra"}) {
    const Prompt prompt{.task = task, .answer = key};
    const auto score = reward->score(prompt, "<answer>" + answer + "</answer>", FinishReason::kStop);
    if ((score.value == 1) != (score.verdict == Verdict::kRight)) abort();
  }
  const auto json = parse_exact_json(text);
  if (json.value.has_value() == !json.problem.empty()) abort();
  if (json.value && !first_difference(*json.value, *json.value).empty()) abort();
  return 0;
}
