#pragma once
// Where the final answer stands in a completion. Linear in its length; no regular expressions.
//
// Only what follows the last </think> is looked at. There, by precedence:
//   1. the content of the last <answer>...</answer>, and within it a box or what it says the answer is;
//   2. the last \boxed{...} or \fbox{...}; boxes right before it, joined by no more than "and", "or", commas and
//      mathematical brackets, belong to it: "\boxed{1} and \boxed{2}" is the list 1, 2;
//   3. what follows the last "answer is", "answer:", "####" or the like, to the end of its sentence;
//   4. the last formula between $...$, \(...\) or \[...\], or the last number if no formula comes after it.

#include <optional>
#include <string>
#include <string_view>

#include "rewards/extract.h"

namespace r1::rewards::math {

struct FoundAnswer {
  std::string text;
  std::string_view place;  // "answer tag", "box", "boxes", "phrase", "formula", "number", "whole text"
};

// `place` says which of the above may count: kTag 1, kBoxed 2, kTagOrBoxed 1 and 2, kAnywhere all.
std::optional<FoundAnswer> find_math_answer(std::string_view completion, AnswerPlace place);

}  // namespace r1::rewards::math
