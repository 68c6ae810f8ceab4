#pragma once
// Hand-written matchers for the published pre-tokenizer regexes. Each returns the end of the match that begins at
// `pos`, or `pos` if none does. Text is valid UTF-8 and `pos` lies within it.

#include <cstddef>
#include <string_view>

namespace r1::text {

using Matcher = size_t (*)(std::string_view text, size_t pos);

// '(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t match_gpt2(std::string_view text, size_t pos);
// (?i:'s|...)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
size_t match_qwen2(std::string_view text, size_t pos);
// The same with \p{N}{1,3}.
size_t match_llama3(std::string_view text, size_t pos);
// \p{N}{1,3}
size_t match_three_numbers(std::string_view text, size_t pos);
// Han ideographs U+4E00..9FA5, Hiragana and Katakana, in runs.
size_t match_cjk(std::string_view text, size_t pos);
// [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
size_t match_deepseek_text(std::string_view text, size_t pos);
// One numeric character; a run of them.
size_t match_digit(std::string_view text, size_t pos);
size_t match_digit_run(std::string_view text, size_t pos);

}  // namespace r1::text
