// Two texts, divided by a newline, as key and answer: lexer, parser, arithmetic and comparison.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rewards/math/judge.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace r1::rewards::math;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  const auto gold = text.substr(0, newline);
  const auto answer = newline == text.npos ? text : text.substr(newline + 1);
  const auto verdict = judge_answer(answer, gold).verdict;
  // What is equal one way is not different the other way.
  if (verdict == MathVerdict::kEqual && judge_answer(gold, answer).verdict == MathVerdict::kDifferent && answer == gold)
    abort();
  return 0;
}
