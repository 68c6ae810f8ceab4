#pragma once
// Answers as text in which equal ones mostly look alike, for majority votes.

#include <string>
#include <string_view>

namespace r1::rewards::math {

// "\frac{2}{4}", "0.5" and "$1/2$" are "1/2"; what is no plain expression keeps its words and signs without blanks and
// LaTeX spacing. Cheap: expressions of more than a few terms are not worked out.
std::string normal_text(std::string_view answer);

}  // namespace r1::rewards::math
