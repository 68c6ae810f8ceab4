#pragma once
// Python's string functions, by code points, on valid UTF-8.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::text::jinja {

bool is_python_space(char32_t c);  // str.isspace()
// str.strip() and its halves, without and with a set of characters.
std::string_view strip_left(std::string_view text, std::optional<std::string_view> set = {});
std::string_view strip_right(std::string_view text, std::optional<std::string_view> set = {});
std::string_view strip(std::string_view text, std::optional<std::string_view> set = {});

// str.split() at blanks, or at a separator; limit < 0 is none.
std::vector<std::string> split_blanks(std::string_view text, int64_t limit);
std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string> split_from_right(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string> split_lines(std::string_view text);
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit);

int64_t count_chars(std::string_view text);
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);

// A string literal's value; `where` opens errors.
std::string unescape(std::string_view literal, const std::string& where);

}  // namespace r1::text::jinja
