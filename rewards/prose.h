#pragma once
// Running text without its code, formulae, tags and addresses: what language consistency counts (rewards/language.h).

#include <string_view>
#include <vector>

namespace r1::rewards {

// The pieces of `text` outside of
//   fenced code (``` or ~~~), `inline code`, $...$, $$...$$, \(...\), \[...\], \begin{x}...\end{x}, \commands,
//   <tags>, URLs and e-mail addresses.
// Prose cannot hide there: what holds many words and few signs is given out too, in full. Views into `text`, in
// order, in linear time. Delimiters without their partner are text.
std::vector<std::string_view> prose_of(std::string_view text);

}  // namespace r1::rewards
