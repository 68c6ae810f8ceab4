#pragma once
// Where in a completion its program stands.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace r1::rewards::code {

// The program out of the last fenced block (``` or ~~~, CommonMark's rules) after the last </think>, looked for within
// the last <answer>...</answer> if there is one; an <answer> without a fence is the program itself. Blocks that name
// one of `languages` (case does not count) come before blocks that name none; blocks of other languages are no
// programs. With a `name`, only blocks whose fence line holds it as a word ("```python solution"). A block that is not
// closed goes to the end. Time is linear in the text.
std::optional<std::string> find_program(std::string_view completion, std::span<const std::string_view> languages,
                                        std::string_view name = "");

}  // namespace r1::rewards::code
